# ---
# number: "16.5"
# title: "Steps to a level"
# level: 2
# minutes: 25
# section: "16.1"
# objective: "Count the steps that a frozen kernel needs"
# points: 4
# ---

# %% prompt [markdown]
# Gradient descent on a constant kernel with $N$ examples. Return the smallest number of steps after which $|z|^2$ is at most `level` times its start, or `np.inf` if one of the factors $|1 - \eta\lambda_i/N|$ is 1 or larger.

# %% stub
def steps_to(kernel, z0, learning_rate, level):
    """The number of steps, or infinity."""
    return ...


# %% solution
def steps_to(kernel, z0, learning_rate, level):
    values, vectors = np.linalg.eigh(kernel)
    power, factor = (vectors.T @ z0) ** 2, (1 - learning_rate * values / len(z0)) ** 2
    if factor.max() >= 1:
        return np.inf
    goal, k = level * power.sum(), 0
    while power.sum() > goal:
        power, k = power * factor, k + 1
    return k


# %% solution [markdown]
# In the eigenbasis component $i$ is multiplied by $(1 - \eta\lambda_i/N)^k$. Add the squares and count. The slowest mode decides in the end, but which mode is slow depends on the step: near $2N/\lambda_{\max}$ it is the top one.

# %% public
assert steps_to(2 * np.eye(2), np.array([1.0, 1.0]), 0.5, 0.2) == 2, (
    "the residual halves in a step, its square quarters"
)
assert steps_to(np.eye(1), np.ones(1), 2.5, 0.1) == np.inf, "an unstable step"

# %% hidden
kernel, z0 = np.diag([4.0, 1.0, 0.2]), np.array([3.0, 1.0, 0.1])
for eta in (0.3, 1.0, 1.45):
    z, k = z0, 0
    while z @ z > 0.05 * (z0 @ z0):
        z, k = z - eta / 3 * kernel @ z, k + 1
    assert steps_to(kernel, z0, eta, 0.05) == k


# %% wrong
# The slowest mode alone.
def steps_to(kernel, z0, learning_rate, level):
    factor = np.abs(1 - learning_rate * np.linalg.eigvalsh(kernel) / len(z0)).max()
    return np.inf if factor >= 1 else int(np.ceil(np.log(level) / (2 * np.log(factor))))


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
