# ---
# number: "5.4"
# title: "The gap between descent and flow"
# level: 2
# minutes: 25
# section: "5.5"
# objective: "Compute descent and flow exactly with a constant kernel, and measure the order of their gap"
# points: 4
# ---

# %% prompt [markdown]
# For squared loss and a constant kernel $K$ on $N$ examples the residual of gradient descent is $z_k = (I - \frac\eta N K)^k z_0$, that of gradient flow $z(t) = e^{-tK/N} z_0$. Write a function that returns $|z_k - z(k\eta)|$ after the time $t = k\eta$, from the eigenvectors of $K$.

# %% stub
def gap(kernel, z0, learning_rate, steps):
    """The distance of descent from flow after so many steps."""
    return ...


# %% solution
def gap(kernel, z0, learning_rate, steps):
    values, vectors = np.linalg.eigh(kernel)
    rate = learning_rate * values / len(kernel)
    descent, flow = (1 - rate) ** steps, np.exp(-rate * steps)
    return np.linalg.norm((descent - flow) * (vectors.T @ z0))


# %% solution [markdown]
# In the eigenbasis each component is multiplied by $(1 - x)^k$ or by $e^{-kx}$, $x = \eta\lambda/N$. The rotation back does not change the length. To first order the factor differs by $\frac{\eta t \lambda^2}{2 N^2} e^{-\lambda t/N}$, so halving the step halves the gap.

# %% public
assert np.isclose(gap(2 * np.eye(2), np.array([3.0, 4.0]), 1.0, 1), 5 * np.exp(-1)), (
    "one step that ends at zero: what is left is the flow"
)

# %% hidden
rng = np.random.default_rng(0)
a = rng.normal(size=(5, 5))
kernel, z0 = a @ a.T, rng.normal(size=5)
flow = ntk_helpers.gradient_flow(kernel, z0, times=np.array([2.0]))[-1]
descent = ntk_helpers.gradient_descent(kernel, z0, learning_rate=0.1, steps=20)[-1]
assert np.isclose(gap(kernel, z0, 0.1, 20), np.linalg.norm(descent - flow))

# %% hidden
kernel, z0 = np.diag([1.0, 0.5, 0.1]), np.ones(3)
ratio = gap(kernel, z0, 0.01, 200) / gap(kernel, z0, 0.005, 400)
assert abs(ratio - 2) < 0.02, "halving the step halves the gap"


# %% wrong
# The flow runs for one time unit, not for steps times the learning rate.
def gap(kernel, z0, learning_rate, steps):
    values, vectors = np.linalg.eigh(kernel)
    rate = learning_rate * values / len(kernel)
    difference = (1 - rate) ** steps - np.exp(-values / len(kernel))
    return np.linalg.norm(difference * (vectors.T @ z0))


# %% rubric [markdown]
# * 2 points: the public check.
# * 1 point: agreement with the library on a full matrix.
# * 1 point: the order of the gap.
