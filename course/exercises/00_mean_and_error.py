# ---
# number: "0.6"
# title: "A mean and its standard error"
# level: 1
# minutes: 10
# section: "0.4"
# objective: "Give every Monte Carlo mean its standard error"
# points: 4
# ---

# %% prompt [markdown]
# `values` holds one row for each of $M$ random networks. Return the mean over the networks and its standard error, column by column. The standard error estimates the standard deviation of the mean, without bias in its square.

# %% stub
def mean_and_error(values):
    """Mean and standard error of each column."""
    return ..., ...


# %% solution
def mean_and_error(values):
    values = np.asarray(values)
    return values.mean(0), values.std(0, ddof=1) / np.sqrt(len(values))


# %% solution [markdown]
# The variance of one draw is estimated with the divisor $M - 1$, since the mean was fitted; that of the mean is $M$ times smaller. With few networks the divisor matters.

# %% public
draws = np.random.default_rng(0).normal(size=(10000, 2))
mean, error = mean_and_error(draws)
assert np.allclose(mean, draws.mean(0)), "the mean over the rows"
assert np.allclose(error, 0.01, rtol=0.05), "10,000 draws of standard deviation 1"

# %% hidden
mean, error = mean_and_error(np.array([[1.0, 0.0], [2.0, 0.0], [6.0, 3.0]]))
assert np.allclose(mean, [3.0, 1.0])
assert np.allclose(error, [(7 / 3) ** 0.5, 1.0])


# %% wrong
# numpy's default divisor, M.
def mean_and_error(values):
    values = np.asarray(values)
    return values.mean(0), values.std(0) / np.sqrt(len(values))


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
