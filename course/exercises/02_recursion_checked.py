# ---
# number: "2.9"
# title: "The recursion for erf"
# level: 2
# minutes: 25
# section: "2.5"
# objective: "Write the recursion of the tangent kernel and see that it agrees with the library"
# points: 4
# ---

# %% prompt [markdown]
# Write the recursion of [(2.11)](#eq-2-11) for one input and $\phi = \operatorname{erf}$: from $\Sigma^1(x, x) = q_1$ to the pair $\Sigma^L(x, x)$, $\Theta^L(x, x)$, with $\Theta^1 = \Sigma^1$. You may use $\mathbb E[\operatorname{erf}(y)^2] = \frac2\pi \arcsin \frac{2q}{1 + 2q}$ and $\mathbb E[\operatorname{erf}'(y)^2] = \frac4\pi (1 + 4q)^{-1/2}$ for $y \sim \mathcal N(0, q)$.

# %% stub
def erf_kernels(q1, depth, sigma_w, sigma_b):
    """The pair of Sigma^L(x, x) and Theta^L(x, x); depth 1 gives (q1, q1)."""
    return ...


# %% solution
def erf_kernels(q1, depth, sigma_w, sigma_b):
    q = theta = q1
    for _ in range(depth - 1):
        slope = sigma_w**2 * 4 / np.pi / np.sqrt(1 + 4 * q)
        q = sigma_b**2 + sigma_w**2 * 2 / np.pi * np.arcsin(2 * q / (1 + 2 * q))
        theta = q + slope * theta
    return q, theta


# %% solution [markdown]
# One step needs the old variance twice: $\dot\Sigma^l$ is an expectation over $y \sim \mathcal N(0, \Sigma^{l-1})$, as $\Sigma^l$ is. So the slope is computed before $q$ is replaced. Then $\Theta^l = \Sigma^l + \sigma_w^2 \dot\Sigma^l\, \Theta^{l-1}$.

# %% public
q, theta = erf_kernels(1.3, 1, 1.5, 0.2)
assert np.isclose(q, 1.3) and np.isclose(theta, 1.3), "depth 1 gives (q1, q1)"
q, theta = erf_kernels(1.3, 2, 1.5, 0.0)
assert np.isclose(q, 2.25 * 2 / np.pi * np.arcsin(2.6 / 3.6)), "the variance at depth 2"

# %% hidden
x = np.sqrt(np.array([[0.7, 0.5]]))
for depth in (2, 5, 20):
    both = ntk_helpers.fcn_kernels(
        x, depth=depth, activation="erf", sigma_w=1.4, sigma_b=0.3
    )
    q1 = 0.3**2 + 1.4**2 * 0.6
    assert np.allclose(
        erf_kernels(q1, depth, 1.4, 0.3), (both.nngp[0, 0], both.ntk[0, 0])
    )


# %% wrong
# The slope is taken at the new variance.
def erf_kernels(q1, depth, sigma_w, sigma_b):
    q = theta = q1
    for _ in range(depth - 1):
        q = sigma_b**2 + sigma_w**2 * 2 / np.pi * np.arcsin(2 * q / (1 + 2 * q))
        slope = sigma_w**2 * 4 / np.pi / np.sqrt(1 + 4 * q)
        theta = q + slope * theta
    return q, theta


# %% rubric [markdown]
# * 2 points: the public checks: depth 1, and the variance at depth 2.
# * 2 points: variance and tangent kernel at depths 2, 5 and 20.
