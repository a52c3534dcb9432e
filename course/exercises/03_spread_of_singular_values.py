# ---
# number: "3.6"
# title: "The spread without singular values"
# level: 1
# minutes: 15
# section: "3.1"
# objective: "Measure how far a Jacobian is from an isometry"
# points: 4
# ---

# %% prompt [markdown]
# The relative variance of the squared singular values of an $n \times n$ matrix $J$ is $\frac{\frac1n \sum s_i^4}{(\frac1n \sum s_i^2)^2} - 1$. Compute it without a decomposition, from traces.

# %% stub
def relative_variance(j):
    """The relative variance of the squared singular values."""
    return ...


# %% solution
def relative_variance(j):
    gram = j.T @ j
    return float(len(j) * (gram**2).sum() / np.trace(gram) ** 2 - 1)


# %% solution [markdown]
# The squares $s_i^2$ are the eigenvalues of $J^\top J$: $\sum s_i^2 = \operatorname{Tr} J^\top J = \sum J_{ij}^2$ and $\sum s_i^4 = \operatorname{Tr} (J^\top J)^2$.

# %% public
assert np.isclose(relative_variance(np.eye(4)), 0), (
    "equal singular values have no spread"
)
assert np.isclose(relative_variance(3 * np.eye(2)), 0), "the scale does not matter"

# %% hidden
assert np.isclose(relative_variance(np.diag([1.0, 2.0])), 0.36)
j = np.random.default_rng(0).normal(size=(6, 6))
s2 = np.linalg.svd(j)[1] ** 2
assert np.isclose(relative_variance(j), s2.var() / s2.mean() ** 2)


# %% wrong
# Of the singular values, not of their squares.
def relative_variance(j):
    s = np.linalg.svd(j)[1]
    return float(s.var() / s.mean() ** 2)


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
