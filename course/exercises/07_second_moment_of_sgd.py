# ---
# number: "7.6"
# title: "The second moment of SGD"
# level: 3
# minutes: 35
# section: "7.3"
# objective: "Propagate the second moment of the residual exactly"
# points: 4
# ---

# %% prompt [markdown]
# With batches of one example, drawn uniformly, a step of SGD on a constant kernel is $z \mapsto (I - \eta K e_i e_i^\top) z$. Return $\mathbb E[z_k z_k^\top]$ after the given number of steps from a fixed $z_0$.

# %% stub
def second_moment(kernel, z0, learning_rate, steps):
    """The matrix of second moments of the residual."""
    return ...


# %% solution
def second_moment(kernel, z0, learning_rate, steps):
    m, n = np.outer(z0, z0), len(z0)
    for _ in range(steps):
        noise = learning_rate**2 / n * (kernel * np.diag(m)) @ kernel
        m = m - learning_rate / n * (kernel @ m + m @ kernel) + noise
    return m


# %% solution [markdown]
# Average over $i$: $M_+ = M - \frac\eta N (KM + MK) + \frac{\eta^2}{N} K \operatorname{diag}(M_{11}, \dots, M_{NN})\, K$, because $\sum_i e_i e_i^\top M e_i e_i^\top$ is the diagonal of $M$. The mean alone would give $K M K/N$ in the last place: the difference is the noise.

# %% public
assert np.allclose(
    second_moment(np.eye(2), np.array([1.0, 2.0]), 0.1, 0), [[1, 2], [2, 4]]
), "no step: z0 z0^T"
one = second_moment(np.array([[2.0]]), np.array([3.0]), 0.1, 2)
assert np.isclose(one[0, 0], 9 * 0.8**4), "one example has no noise"

# %% hidden
a = np.random.default_rng(0).normal(size=(4, 4))
kernel, z0 = a @ a.T, np.array([1.0, -1.0, 2.0, 0.5])
theirs = ntk_helpers.sgd_moments(kernel, z0, learning_rate=0.05, batch_size=1, steps=6)
assert np.allclose(second_moment(kernel, z0, 0.05, 6), theirs.second[-1])

# %% hidden
m = second_moment(2 * np.eye(3), np.ones(3), 0.25, 4)
assert np.isclose(m[0, 0], (1 - (1 - 0.25) / 3) ** 4), "orthogonal data, Exercise 7.1"


# %% wrong
# The square of the mean: no noise.
def second_moment(kernel, z0, learning_rate, steps):
    z = z0
    for _ in range(steps):
        z = z - learning_rate / len(z0) * kernel @ z
    return np.outer(z, z)


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
