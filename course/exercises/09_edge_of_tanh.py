# ---
# number: "9.6"
# title: "The edge by your own root finder"
# level: 2
# minutes: 30
# section: "9.5"
# objective: "Find the edge of chaos from its two equations"
# points: 4
# ---

# %% prompt [markdown]
# The edge of chaos at $\sigma_b$ is the pair $(\sigma_w, q)$ with $q = \sigma_b^2 + \sigma_w^2\, \mathbb E[\phi(\sqrt q Z)^2]$ and $\sigma_w^2\, \mathbb E[\phi'(\sqrt q Z)^2] = 1$. Find it for tanh and $\sigma_b > 0$: eliminate $\sigma_w$ and bisect in $q$ between $10^{-4}$ and $10$. A Gauss-Hermite rule with 100 nodes is exact enough: the nodes $z$ and weights $w$ of `gauss(100)` give $\mathbb E[h(Z)] \approx \sum_i w_i h(z_i)$.

# %% setup
def gauss(n):
    z, w = np.polynomial.hermite_e.hermegauss(n)
    return z, w / w.sum()


# %% stub
def tanh_edge(sigma_b):
    """The pair (sigma_w, q) on the edge of chaos of tanh."""
    return ...


# %% solution
def tanh_edge(sigma_b):
    z, w = gauss(100)

    def moments(q):
        phi = np.tanh(np.sqrt(q) * z)
        return w @ phi**2, w @ (1 - phi**2) ** 2

    low, high = 1e-4, 10.0
    for _ in range(100):
        q = (low + high) / 2
        v, slope = moments(q)
        low, high = (q, high) if q - v / slope < sigma_b**2 else (low, q)
    return float(moments(q)[1] ** -0.5), float(q)


# %% solution [markdown]
# The second equation gives $\sigma_w^2 = 1/W(q)$ with $W = \mathbb E[\phi'^2]$, so the first is $q - V(q)/W(q) = \sigma_b^2$, with $V = \mathbb E[\phi^2]$. For tanh the left side begins like $\frac43 q^3$ ([Exercise 9.1](#ex-9-1)) and grows, so bisection finds the one root.

# %% public
sigma_w, q = tanh_edge(0.2)
z, w = gauss(100)
slope = w @ (1 - np.tanh(np.sqrt(q) * z) ** 2) ** 2
assert np.isclose(sigma_w**2 * slope, 1), "sigma_w^2 E[phi'^2] must be 1 at your q"

# %% hidden
for sigma_b in (0.05, 0.2, 0.5, 1.0):
    assert np.allclose(
        tanh_edge(sigma_b),
        ntk_helpers.edge_of_chaos("tanh", sigma_b=sigma_b),
        rtol=1e-4,
    )


# %% wrong
# The bias is added as a standard deviation, not as a variance.
def tanh_edge(sigma_b):
    z, w = gauss(100)
    low, high = 1e-4, 10.0
    for _ in range(100):
        q = (low + high) / 2
        phi = np.tanh(np.sqrt(q) * z)
        v, slope = w @ phi**2, w @ (1 - phi**2) ** 2
        low, high = (q, high) if q - v / slope < sigma_b else (low, q)
    return float(slope**-0.5), float(q)


# %% rubric [markdown]
# * 2 points: the slope condition holds at the answer.
# * 2 points: the pair agrees with the library at four biases.
