# ---
# number: "6.6"
# title: "A scheme is not its equation"
# level: 2
# minutes: 20
# section: "6.2"
# objective: "Tell the variance of a scheme from that of the equation that it discretises"
# points: 4
# ---

# %% prompt [markdown]
# The Euler-Maruyama scheme of one parameter, $x_{k+1} = (1 - \eta\lambda) x_k + \eta \sqrt c\, \xi_k$ with independent standard Gaussian $\xi_k$, is SGD on a quadratic loss with noise of variance $c$. Return mean and variance of $x_k$, exactly.

# %% stub
def scheme_moments(x0, lam, c, learning_rate, steps):
    """Mean and variance after so many steps."""
    return ..., ...


# %% solution
def scheme_moments(x0, lam, c, learning_rate, steps):
    mean, variance, factor = x0, 0.0, 1 - learning_rate * lam
    for _ in range(steps):
        mean, variance = factor * mean, factor**2 * variance + learning_rate**2 * c
    return mean, variance


# %% solution [markdown]
# The mean is $(1 - \eta\lambda)^k x_0$. The variance obeys $v_{k+1} = (1 - \eta\lambda)^2 v_k + \eta^2 c$, so $v_k = \eta^2 c\, \frac{1 - (1 - \eta\lambda)^{2k}}{1 - (1 - \eta\lambda)^2}$, whose limit is $\frac{\eta c}{\lambda (2 - \eta\lambda)}$. The equation has $\frac{\eta c}{2\lambda}$: it knows nothing of $\eta\lambda = 2$.

# %% public
mean, variance = scheme_moments(3.0, 1.0, 2.0, 0.5, 2)
assert np.isclose(mean, 0.75), "two steps that halve the mean"
assert np.isclose(scheme_moments(0.0, 1.0, 2.0, 1e-3, 9000)[1], 1e-3, rtol=0.01), (
    "a small step, many of them: about that of the equation"
)

# %% hidden
assert np.isclose(scheme_moments(0.0, 1.0, 2.0, 0.5, 1)[1], 0.5)
assert np.isclose(scheme_moments(0.0, 2.0, 1.0, 0.9, 500)[1], 0.9 / (2 * 0.2))


# %% wrong
# The variance of the stochastic differential equation.
def scheme_moments(x0, lam, c, learning_rate, steps):
    decay = np.exp(-2 * lam * learning_rate * steps)
    variance = learning_rate * c / (2 * lam) * (1 - decay)
    return (1 - learning_rate * lam) ** steps * x0, variance


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
