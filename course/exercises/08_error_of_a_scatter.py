# ---
# number: "8.7"
# title: "The error of a scatter"
# level: 2
# minutes: 25
# section: "8.5"
# objective: "Give a measured coefficient of variation its error by the jackknife"
# points: 4
# ---

# %% prompt [markdown]
# From independent draws $x_1, \dots, x_M$ of a kernel's entry return the coefficient of variation (standard deviation with divisor $M - 1$ over mean) and its jackknife error: with $r_i$ the coefficient of variation without $x_i$, the error is $\bigl(\frac{M-1}{M} \sum_i (r_i - \bar r)^2\bigr)^{1/2}$.

# %% stub
def scatter(x):
    """The coefficient of variation and its error."""
    return ..., ...


# %% solution
def scatter(x):
    def cv(v):
        return v.std(ddof=1) / v.mean()

    m = len(x)
    left_out = np.array([cv(np.delete(x, i)) for i in range(m)])
    return float(cv(x)), float(np.sqrt((m - 1) * left_out.var()))


# %% solution [markdown]
# The deviations $r_i - \bar r$ are small already: a draw that is left out moves the estimate by what that draw contributes to it, of order $1/M$. The variance of the estimate is the sum of the squares of $M$ such contributions, so the sum is not divided by $M$ again; $\frac{M-1}{M}$ corrects for $M - 1$ draws in place of $M$. For a mean in place of the coefficient of variation the formula gives the usual standard error.

# %% public
cv, error = scatter(np.array([1.0, 2.0, 3.0]))
assert np.isclose(cv, 0.5), "deviation over mean"
assert error > 0, "an error is positive"

# %% hidden
x = np.array([1.0, 2.0, 4.0, 5.0, 9.0])
r = [np.delete(x, i).std(ddof=1) / np.delete(x, i).mean() for i in range(5)]
assert np.isclose(scatter(x)[1], np.sqrt(0.8 * sum((v - np.mean(r)) ** 2 for v in r)))


# %% wrong
# The standard error of a mean of the values r.
def scatter(x):
    r = [np.delete(x, i).std(ddof=1) / np.delete(x, i).mean() for i in range(len(x))]
    return float(x.std(ddof=1) / x.mean()), float(np.std(r, ddof=1) / len(r) ** 0.5)


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
