# ---
# number: "15.5"
# title: "The mean of a decay"
# level: 2
# minutes: 20
# section: "15.3"
# objective: "Average an exponential over a scatter, beyond second order"
# points: 4
# ---

# %% prompt [markdown]
# A kernel scatters by the factor $1 + \varepsilon$, Gamma distributed with mean 1 and variance $v$. Return $\mathbb E\, e^{-x(1 + \varepsilon)}$, the mean decay at the dimensionless time $x$, exactly ([Exercise 15.4](#ex-15-4)); for $v = 0$ it is $e^{-x}$.

# %% stub
def mean_decay(x, v):
    """The mean of exp(-x (1 + epsilon))."""
    return ...


# %% solution
def mean_decay(x, v):
    return float(np.exp(-x if v == 0 else -np.log1p(v * x) / v))


# %% solution [markdown]
# $(1 + v x)^{-1/v}$, best computed as $\exp(-\operatorname{log1p}(v x)/v)$. The estimate of second order, $e^{-x} (1 + \frac12 v x^2)$, is right for $v x^2 \ll 1$ only.

# %% public
assert np.isclose(mean_decay(2.0, 0.0), np.exp(-2.0)), "no scatter"
assert np.isclose(mean_decay(1.0, 0.01), np.exp(-1.0) * 1.005, rtol=1e-3), (
    "a little scatter: the mean grows a little"
)

# %% hidden
assert np.isclose(mean_decay(3.0, 1.0), 0.25)
draws = np.random.default_rng(0).gamma(4.0, 0.25, size=400000)
assert abs(mean_decay(6.0, 0.25) - np.exp(-6 * draws).mean()) < 2e-4


# %% wrong
# The estimate of second order.
def mean_decay(x, v):
    return float(np.exp(-x) * (1 + v * x**2 / 2))


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
