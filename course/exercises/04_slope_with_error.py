# ---
# number: "4.5"
# title: "A measured exponent, with its error"
# level: 2
# minutes: 30
# section: "4.3"
# objective: "Fit a power law to means with standard errors"
# points: 4
# ---

# %% prompt [markdown]
# `y` holds means at the widths `n`, `error` their standard errors. Fit $\log y = a + b \log n$ by least squares, weighted by the errors of $\log y$ (to first order, `error / y`). Return $b$ and its standard error from these errors alone.

# %% stub
def exponent(n, y, error):
    """The exponent and its standard error."""
    return ..., ...


# %% solution
def exponent(n, y, error):
    x, w = np.log(n), (y / error) ** 2
    x = x - (w @ x) / w.sum()
    return float((w * x) @ np.log(y) / (w @ x**2)), float((w @ x**2) ** -0.5)


# %% solution [markdown]
# With weights $w_i = (y_i/\mathrm{error}_i)^2$ and the weighted mean $\bar x$ of $x = \log n$, $b = \sum w_i (x_i - \bar x) \log y_i / \sum w_i (x_i - \bar x)^2$, and its variance is $1/\sum w_i (x_i - \bar x)^2$.

# %% public
n = np.array([64.0, 256.0, 1024.0])
b, b_error = exponent(n, 3 * n**-0.5, 0.1 * n**-0.5)
assert np.isclose(b, -0.5), "an exact power law"
assert b_error > 0, "a standard error is positive"

# %% hidden
n, y = np.array([64.0, 256.0, 1024.0, 4096.0]), np.array([1.0, 0.55, 0.23, 0.2])
error = np.array([0.01, 0.02, 0.03, 0.1])
fit, cov = np.polyfit(np.log(n), np.log(y), 1, w=y / error, cov="unscaled")
assert np.allclose(exponent(n, y, error), (fit[0], cov[0, 0] ** 0.5))


# %% wrong
# Without weights.
def exponent(n, y, error):
    x = np.log(n) - np.log(n).mean()
    b = x @ np.log(y) / (x @ x)
    return float(b), float(np.sqrt(((x * error / y) ** 2).sum()) / (x @ x))


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
