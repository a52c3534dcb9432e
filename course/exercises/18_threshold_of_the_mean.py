# ---
# number: "18.3"
# title: "The criterion of the mean"
# level: 2
# minutes: 25
# section: "18.5"
# objective: "Compute a step above which SGD with momentum is unstable"
# points: 4
# ---

# %% prompt [markdown]
# Batches of $S$ examples (`size`) are drawn with replacement, so $\nu = 1/S$; the momentum is $\beta$, and $x_i = \eta\lambda_i/N$. Return the step $\eta$ at which the left side of [(18.4)](#eq-18-4), $\sum_i \frac{(1 + \beta)\, \nu x_i}{(1 - \beta)\, (2 (1 + \beta) - x_i) + (1 + \beta)\, \nu x_i}$, is 1. Bisect below $2(1 + \beta) N/\lambda_{\max}$.

# %% stub
def mean_threshold(eigenvalues, size, momentum):
    """The step at which the sum of (18.4) is one."""
    return ...


# %% solution
def mean_threshold(eigenvalues, size, momentum):
    lam, beta = np.asarray(eigenvalues), momentum
    low, high = 0.0, 2 * (1 + beta) * len(lam) / lam.max()
    for _ in range(100):
        rate = (low + high) / 2
        x = rate * lam / len(lam)
        noise = (1 + beta) * x / size
        total = np.sum(noise / ((1 - beta) * (2 * (1 + beta) - x) + noise))
        low, high = (low, rate) if total > 1 else (rate, high)
    return low


# %% solution [markdown]
# Each term increases with $\eta$, so there is one crossing. Without momentum the sum is [(18.1)](#eq-18-1).

# %% public
assert np.isclose(mean_threshold([1.0, 1.0], 1, 0.0), 2.0), (
    "two equal eigenvalues, no momentum"
)
assert np.isclose(mean_threshold([2.0], 1, 0.5), 1.5), "one example, momentum 0.5"

# %% hidden
assert np.isclose(mean_threshold([1.0] * 1000, 1, 0.9), 0.2, rtol=0.01)
assert np.isclose(mean_threshold([1.0, 3.0], 1, 0.0), 1.0)
assert mean_threshold([5.0, 1.0, 0.5], 4, 0.5) < 2 * 1.5 * 3 / 5.0


# %% wrong
# With small batches momentum does not lengthen the step as with the full batch.
def mean_threshold(eigenvalues, size, momentum):
    return 2 * (1 + momentum) * size / np.mean(eigenvalues)


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
