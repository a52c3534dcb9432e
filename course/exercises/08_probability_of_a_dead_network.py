# ---
# number: "8.6"
# title: "A small probability"
# level: 1
# minutes: 15
# section: "8.2"
# objective: "Compute a small probability without losing its digits"
# points: 4
# ---

# %% prompt [markdown]
# A ReLU network of width $n$ and depth $L$ has a vanishing kernel with probability $1 - (1 - 2^{-n})^{L-1}$ ([Exercise 8.3](#ex-8-3)). Return it with full relative accuracy, also for $n = 60$, where $1 - 2^{-n}$ is 1 in double precision.

# %% stub
def dead(n, depth):
    """The probability that the kernel vanishes."""
    return ...


# %% solution
def dead(n, depth):
    return float(-np.expm1((depth - 1) * np.log1p(-(2.0**-n))))


# %% solution [markdown]
# `log1p(x)` and `expm1(x)` are accurate for small $x$: the probability is $-\operatorname{expm1}\bigl((L-1) \operatorname{log1p}(-2^{-n})\bigr)$.

# %% public
assert np.isclose(dead(1, 2), 0.5), "two layers, one neuron"
assert np.isclose(dead(10, 100), 0.0922, atol=1e-4), "100 layers of ten neurons"

# %% hidden
assert np.isclose(dead(60, 101), 100 * 2.0**-60, rtol=1e-10, atol=0)


# %% wrong
# The formula as it stands.
def dead(n, depth):
    return 1 - (1 - 2.0**-n) ** (depth - 1)


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
