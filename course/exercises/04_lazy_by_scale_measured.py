# ---
# number: "4.6"
# title: "Lazy by scale, measured"
# level: 2
# minutes: 25
# section: "4.4"
# objective: "See a kernel stand still as the output is scaled up"
# points: 4
# ---

# %% prompt [markdown]
# One parameter: $f(\theta) = \theta + \frac12 \theta^2$, started at $\theta = 0$, trained to the label $y$ by gradient descent on $\frac{1}{2\alpha^2} (\alpha f(\theta) - y)^2$ ([Exercise 4.3](#ex-4-3)). Return the relative change of the kernel $f'(\theta)^2$ after the given number of steps.

# %% stub
def kernel_change(alpha, y, learning_rate, steps):
    """The relative change of the kernel."""
    return ...


# %% solution
def kernel_change(alpha, y, learning_rate, steps):
    theta = 0.0
    for _ in range(steps):
        residual = alpha * (theta + theta**2 / 2) - y
        theta -= learning_rate * residual * (1 + theta) / alpha
    return (1 + theta) ** 2 - 1


# %% solution [markdown]
# The gradient is $\frac1\alpha (\alpha f - y) f'$. In the end $\alpha f = y$, so $\theta \approx y/\alpha$, and the kernel $(1 + \theta)^2$ has changed by $2y/\alpha$ to first order. Without the division by $\alpha^2$ the steps are $\alpha^2$ times as large, and diverge.

# %% public
assert kernel_change(1.0, 1.0, 0.1, 0) == 0, "no step, no change"
assert np.isclose(kernel_change(1.0, 1.0, 0.1, 1), 0.21), (
    "one step by hand: theta = 0.1"
)

# %% hidden
assert np.isclose(kernel_change(10.0, 1.0, 0.1, 1), 1.01**2 - 1)
ratio = kernel_change(50.0, 1.0, 0.1, 500) / kernel_change(100.0, 1.0, 0.1, 500)
assert abs(ratio - 2) < 0.05, "the change falls like 1/alpha"


# %% wrong
# The loss is not divided by alpha squared.
def kernel_change(alpha, y, learning_rate, steps):
    theta = 0.0
    for _ in range(steps):
        residual = alpha * (theta + theta**2 / 2) - y
        theta -= learning_rate * residual * alpha * (1 + theta)
    return (1 + theta) ** 2 - 1


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
