# ---
# number: "1.7"
# title: "Moments of a pre-activation"
# level: 2
# minutes: 20
# section: "1.3"
# objective: "Compute how far one orthogonal pre-activation is from a Gaussian one"
# points: 4
# ---

# %% prompt [markdown]
# Let $u$ be $\sqrt N$ times a coordinate of a uniform point on the unit sphere of $\mathbb R^N$: one pre-activation of an orthogonal layer. Return $\mathbb E u^{2k}$ (see [Exercise 1.2](#ex-1-2)).

# %% stub
def moment(n, k):
    """The moment of order 2k for dimension n."""
    return ...


# %% solution
def moment(n, k):
    j = np.arange(k)
    return float(np.prod((2 * j + 1) * n / (n + 2 * j)))


# %% solution [markdown]
# $R u$ is standard Gaussian with $R^2 = \chi^2_N/N$ independent of $u$, so $\mathbb E u^{2k} = (2k-1)!! / \mathbb E R^{2k}$, and $\mathbb E R^{2k} = \prod_{j<k} (N + 2j)/N$.

# %% public
assert np.isclose(moment(7, 1), 1), "the second moment is 1"
assert np.isclose(moment(10**9, 3), 15), "Gaussian in the limit"

# %% hidden
assert np.isclose(moment(2, 2), 1.5)
assert np.isclose(moment(8, 2), 2.4)

# %% hidden
x = np.random.default_rng(1).normal(size=(200000, 5))
u = np.sqrt(5) * x[:, 0] / np.linalg.norm(x, axis=1)
assert abs(moment(5, 3) - np.mean(u**6)) < 5 * np.std(u**6) / 200000**0.5


# %% wrong
# The Gaussian moments, which are the limit.
def moment(n, k):
    return float(np.prod(2 * np.arange(k) + 1))


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
