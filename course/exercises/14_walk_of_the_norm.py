# ---
# number: "14.5"
# title: "How far a norm walks"
# level: 2
# minutes: 20
# section: "14.4"
# objective: "Compute the variance of a log norm from one layer"
# points: 4
# ---

# %% prompt [markdown]
# On its edge, $\sigma_w^2 = \frac{2}{1 + \beta^2}$, a leaky ReLU layer of slope $\beta$ multiplies the squared norm by a factor of mean 1 and relative variance $\frac1n \bigl(\frac{\mathbb E[s^2]}{\mathbb E[s]^2} - 1\bigr)$, where $s = \phi(y)^2$ for a standard Gaussian $y$. Return $L$ times this: the variance of the log norm to leading order. (See [Exercise 14.1](#ex-14-1).)

# %% stub
def log_norm_variance(slope, depth, width):
    """The variance of the log of the squared norm."""
    return ...


# %% solution
def log_norm_variance(slope, depth, width):
    return depth / width * (6 * (1 + slope**4) / (1 + slope**2) ** 2 - 1)


# %% solution [markdown]
# $\mathbb E \phi^2 = \frac{1 + \beta^2}{2}$ and $\mathbb E \phi^4 = 3\, \frac{1 + \beta^4}{2}$. Given a layer, the next one's pre-activations are independent and Gaussian, so the squared norm is a mean of $n$ independent terms: $\frac1n \bigl(\frac{6 (1 + \beta^4)}{(1 + \beta^2)^2} - 1\bigr)$ a layer.

# %% public
assert np.isclose(log_norm_variance(0.0, 100, 500), 1), "ReLU: 5 L / n"

# %% hidden
assert np.isclose(log_norm_variance(1.0, 100, 500), 0.4), "linear: 2 L / n"
assert np.isclose(log_norm_variance(0.25, 100, 500), 0.8671, atol=1e-3)


# %% wrong
# The mean is that of ReLU at every slope.
def log_norm_variance(slope, depth, width):
    return depth / width * (6 * (1 + slope**4) - 1)


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
