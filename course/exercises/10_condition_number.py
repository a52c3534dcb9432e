# ---
# number: "10.6"
# title: "The condition number of a nearly constant kernel"
# level: 1
# minutes: 15
# section: "10.5"
# objective: "Read the spectrum of a kernel matrix with two values"
# points: 4
# ---

# %% prompt [markdown]
# A kernel matrix on $N$ inputs has the value $a$ on the diagonal and $b$ elsewhere, $a > b \ge 0$. Return its condition number, by a formula: a check has a million inputs.

# %% stub
def condition(a, b, n):
    """The condition number."""
    return ...


# %% solution
def condition(a, b, n):
    return (a + (n - 1) * b) / (a - b)


# %% solution [markdown]
# The matrix is $(a - b) I + b\, \mathbf 1 \mathbf 1^\top$: $\mathbf 1$ has the eigenvalue $a + (N - 1) b$, all that is orthogonal to it $a - b$. In the ordered phase $a - b$ dies exponentially and with it the part that tells inputs apart; in the chaotic phase $b/a$ does.

# %% public
assert np.isclose(condition(2.0, 0.0, 7), 1), (
    "no correlation: a multiple of the identity"
)
assert np.isclose(condition(2.0, 1.99, 10**6), 1.99e8, rtol=1e-3), (
    "a million inputs that are nearly equal"
)

# %% hidden
values = np.linalg.eigvalsh(2 * np.eye(3) + 1)
assert np.isclose(condition(3.0, 1.0, 3), values[-1] / values[0])


# %% wrong
# The matrix b 1 1' has the eigenvalue b N, but its diagonal is counted twice.
def condition(a, b, n):
    return (a + n * b) / (a - b)


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
