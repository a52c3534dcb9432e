# ---
# number: "9.7"
# title: "A correlation, layer by layer"
# level: 2
# minutes: 25
# section: "9.2"
# objective: "Iterate the correlation map of an activation"
# points: 4
# ---

# %% prompt [markdown]
# For $\phi = \operatorname{erf}$ and two inputs of variance $q$, a layer maps the correlation $c$ to $f(c) = \frac{\sigma_b^2 + \sigma_w^2 \frac2\pi \arcsin \frac{2 q c}{1 + 2q}}{q}$, where $q$ solves $q = \sigma_b^2 + \sigma_w^2 \frac2\pi \arcsin \frac{2q}{1 + 2q}$. Find $q > 0$ by iteration from $q = 1$ and return the correlation in layer `depth`; in layer 1 it is $c$.

# %% stub
def correlation(c, depth, sigma_w, sigma_b):
    """The correlation in layer `depth`."""
    return ...


# %% solution
def correlation(c, depth, sigma_w, sigma_b):
    def covariance(u, q):
        return sigma_b**2 + sigma_w**2 * 2 / np.pi * np.arcsin(2 * u / (1 + 2 * q))

    q = 1.0
    for _ in range(5000):
        q = covariance(q, q)
    for _ in range(depth - 1):
        c = covariance(q * c, q) / q
    return float(c)


# %% solution [markdown]
# The variance enters the arc sine twice: the two pre-activations have variance $q$ each and covariance $qc$, and only the covariance carries the $c$. With $\sigma_w = 1.5$ the correlation of almost any pair tends to a value below 1: the chaotic phase.

# %% public
assert np.isclose(correlation(0.3, 1, 1.2, 0.4), 0.3), "layer 1 gives c"
assert np.isclose(correlation(1.0, 20, 1.2, 0.4), 1), "equal inputs stay equal"

# %% hidden
for sigma_w, sigma_b in ((1.5, 0.3), (0.9, 0.5)):
    q = ntk_helpers.fixed_point("erf", sigma_w=sigma_w, sigma_b=sigma_b)
    profile = ntk_helpers.depth_profile(
        [2, 5, 30],
        activation="erf",
        sigma_w=sigma_w,
        sigma_b=sigma_b,
        q1=(q, q),
        c1=0.3,
    )
    ours = [1 - correlation(0.3, depth, sigma_w, sigma_b) for depth in (2, 5, 30)]
    assert np.allclose(ours, profile.one_minus_c, rtol=1e-6)


# %% wrong
# The correlation stands in the denominator, too.
def correlation(c, depth, sigma_w, sigma_b):
    def covariance(u):
        return sigma_b**2 + sigma_w**2 * 2 / np.pi * np.arcsin(2 * u / (1 + 2 * u))

    q = 1.0
    for _ in range(5000):
        q = covariance(q)
    for _ in range(depth - 1):
        c = covariance(q * c) / q
    return float(c)


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
