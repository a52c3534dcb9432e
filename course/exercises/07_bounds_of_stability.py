# ---
# number: "7.7"
# title: "Stable steps of SGD"
# level: 2
# minutes: 20
# section: "7.6"
# objective: "Bound the largest stable step from the diagonal and the top eigenvalue"
# points: 4
# ---

# %% prompt [markdown]
# Return the two bounds of [(7.12)](#eq-7-12) on the step at which SGD loses mean-square stability, for batches of size $S$ with replacement ($\nu = 1/S$).

# %% stub
def stable_steps(kernel, size):
    """The lower and the upper bound."""
    return ..., ...


# %% solution
def stable_steps(kernel, size):
    top = np.linalg.eigvalsh(kernel)[-1] / len(kernel)
    nu, largest = 1 / size, np.diag(kernel).max()
    return 2 / (nu * largest + (1 - nu) * top), 2 / top


# %% solution [markdown]
# $K_{\max} = \max_i K_{ii}$ and $\lambda_{\max}$ of the whole matrix, which (7.12) divides by $N$. For large batches the two bounds meet at $2N/\lambda_{\max}$; for $S = 1$ the lower one is $2/R^2$.

# %% public
lower, upper = stable_steps(np.array([[4.0]]), 1)
assert np.isclose(lower, 0.5) and np.isclose(upper, 0.5), "one example: 2 / K"

# %% hidden
a = np.random.default_rng(0).normal(size=(5, 5))
kernel = a @ a.T
for size in (1, 3, 20):
    lower, upper = stable_steps(kernel, size)
    step = ntk_helpers.stability_threshold(kernel, batch_size=size)
    assert lower <= step <= upper * (1 + 1e-9)
assert np.isclose(stable_steps(3 * np.eye(4), 1)[0], 2 / 3)
assert np.isclose(stable_steps(3 * np.eye(4), 1)[1], 8 / 3)


# %% wrong
# The eigenvalue is not divided by the number of examples.
def stable_steps(kernel, size):
    top = np.linalg.eigvalsh(kernel)[-1]
    nu, largest = 1 / size, np.diag(kernel).max()
    return 2 / (nu * largest + (1 - nu) * top), 2 / top


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
