# ---
# number: "12.6"
# title: "The diagonal of a residual network"
# level: 2
# minutes: 25
# section: "12.2"
# objective: "Write the residual recursion on the diagonal"
# points: 4
# ---

# %% prompt [markdown]
# ReLU with skip connections, one input of variance $q_1$ in layer 1. The recursion [(12.2)](#eq-12-2) is $\Sigma^l = \Sigma^{l-1} + \Delta^l$ and $\Theta^l = (1 + \sigma_w^2\, \mathbb E[\phi'(u)^2])\, \Theta^{l-1} + \Delta^l$ with $\Delta^l = \sigma_b^2 + \sigma_w^2\, \mathbb E[\phi(u)^2]$ and $u \sim \mathcal N(0, q)$, $q = \Sigma^{l-1}(x, x)$. For ReLU $\mathbb E[\phi(u)^2] = \frac q2$ and $\mathbb E[\phi'(u)^2] = \frac12$. Return $\Sigma^L(x, x)$ and $\Theta^L(x, x)$.

# %% stub
def residual(q1, depth, sigma_w, sigma_b):
    """The pair of Sigma^L(x, x) and Theta^L(x, x); depth 1 gives (q1, q1)."""
    return ..., ...


# %% solution
def residual(q1, depth, sigma_w, sigma_b):
    q = theta = q1
    for _ in range(depth - 1):
        delta = sigma_b**2 + sigma_w**2 / 2 * q
        q, theta = q + delta, (1 + sigma_w**2 / 2) * theta + delta
    return q, theta


# %% solution [markdown]
# The source of the kernel is $\Delta^l = \sigma_b^2 + \frac{\sigma_w^2}{2} q$, the kernel of the branch, and not the whole variance: the skip connection has no parameters.

# %% public
assert np.allclose(residual(1.5, 1, 1.0, 0.3), (1.5, 1.5)), "depth 1 gives (q1, q1)"
assert np.isclose(residual(1.0, 3, 2**0.5, 0.0)[0], 4), "the variance doubles"

# %% hidden
for depth in (2, 6):
    both = ntk_helpers.residual_kernels(
        np.array([[0.6, 0.8]]), depth=depth, activation="relu", sigma_w=1.2, sigma_b=0.4
    )
    q1 = 0.4**2 + 1.2**2 / 2
    theirs = (both.nngp[0, 0], both.ntk[0, 0])
    assert np.allclose(residual(q1, depth, 1.2, 0.4), theirs)


# %% wrong
# The whole variance is the source, as in a plain network.
def residual(q1, depth, sigma_w, sigma_b):
    q = theta = q1
    for _ in range(depth - 1):
        q = q + sigma_b**2 + sigma_w**2 / 2 * q
        theta = (1 + sigma_w**2 / 2) * theta + q
    return q, theta


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
