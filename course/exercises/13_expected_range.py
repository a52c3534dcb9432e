# ---
# number: "13.6"
# title: "The expected range of two outputs"
# level: 1
# minutes: 15
# section: "13.7"
# objective: "Compute an expected range, and keep its digits for close inputs"
# points: 4
# ---

# %% prompt [markdown]
# Two outputs with variance $q$ each and correlation $c$ have the expected range $\mathbb E |y_1 - y_2|$. Deep networks on the edge have $c$ so near to 1 that $1 - c$ is what one knows. Return the expected range from $q$ and $\gamma = 1 - c$.

# %% stub
def expected_range(q, gamma):
    """The mean of |y1 - y2|."""
    return ...


# %% solution
def expected_range(q, gamma):
    return 2 * np.sqrt(q * gamma / np.pi)


# %% solution [markdown]
# $y_1 - y_2$ is Gaussian of variance $2q(1 - c) = 2q\gamma$, and $\mathbb E|Z| = \sqrt{2/\pi}$: the expected range is $2\sqrt{q\gamma/\pi}$.

# %% public
assert np.isclose(expected_range(1.0, 1.0), 2 / np.pi**0.5), "independent outputs"
assert expected_range(3.0, 0.0) == 0, "equal outputs have no range"

# %% hidden
y = np.random.default_rng(0).normal(size=(2, 400000))
pair = np.array([y[0], 0.8 * y[0] + 0.6 * y[1]]) * 2**0.5
assert abs(expected_range(2.0, 0.2) - np.abs(pair[0] - pair[1]).mean()) < 0.005
assert np.isclose(expected_range(1.0, 1e-20), 2e-10 / np.pi**0.5)


# %% wrong
# The range is taken to be proportional to 1 - c.
def expected_range(q, gamma):
    return 2 * gamma * np.sqrt(q / np.pi)


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
