# ---
# number: "18.4"
# title: "One number in place of the diagonal"
# level: 2
# minutes: 25
# section: "18.7"
# objective: "Iterate the high-dimensional limit of SGD"
# points: 4
# ---

# %% prompt [markdown]
# Let $x_i = \eta\lambda_i/N$ and $\nu = 1/S$. Iterate [(18.5)](#eq-18-5), that is $m_i \leftarrow (1 - 2 x_i + (1 - \nu)\, x_i^2)\, m_i + \nu x_i^2 \sum_j m_j$, from the modes $m_i$ at the start, and return the mean square residual $\frac1N \sum_i m_i$ after the given number of steps. Batches of `size` examples are drawn with replacement.

# %% stub
def limit_loss(eigenvalues, modes, rate, size, steps):
    """The mean square residual after the steps."""
    return ...


# %% solution
def limit_loss(eigenvalues, modes, rate, size, steps):
    x = rate * np.asarray(eigenvalues) / len(eigenvalues)
    m = np.array(modes, dtype=float)
    for _ in range(steps):
        m = (1 - 2 * x + (1 - 1 / size) * x**2) * m + x**2 * m.sum() / size
    return m.mean()


# %% solution [markdown]
# The sum is over the modes before the step; the new value of one mode must not enter that of another.

# %% public
assert np.isclose(limit_loss([1.0, 1.0], [1.0, 1.0], 0.0, 1, 5), 1.0), (
    "no step, no change"
)
assert np.isclose(limit_loss([1.0], [1.0], 0.5, 1, 2), 0.0625), "one example: descent"

# %% hidden
assert np.isclose(limit_loss([2.0, 2.0], [1.0, 1.0], 0.5, 1, 1), 0.5)
assert np.isclose(limit_loss([2.0, 1.0], [1.0, 0.0], 0.5, 2, 1), 0.140625)


# %% wrong
# The noise is that of descent: no mode feeds another.
def limit_loss(eigenvalues, modes, rate, size, steps):
    x = rate * np.asarray(eigenvalues) / len(eigenvalues)
    return np.mean((1 - x) ** (2 * steps) * np.asarray(modes))


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
