# ---
# number: "15.6"
# title: "Paired runs"
# level: 1
# minutes: 15
# section: "15.5"
# objective: "Use pairs of runs to see a small difference"
# points: 4
# ---

# %% prompt [markdown]
# Run $i$ of two methods shares the data and the order of the batches. Return the mean difference of the losses and its standard error, with the pairing used.

# %% stub
def paired(a, b):
    """The mean of a - b and its standard error."""
    return ..., ...


# %% solution
def paired(a, b):
    d = a - b
    return float(d.mean()), float(d.std(ddof=1) / len(d) ** 0.5)


# %% solution [markdown]
# Take the differences pair by pair: what the runs of a pair have in common drops out. The standard error is that of the mean of the differences.

# %% public
a, b = np.random.default_rng(0).normal(size=(2, 100000))
difference, error = paired(a + 0.5, b)
assert np.isclose(difference, 0.5 + a.mean() - b.mean()), "the mean of the differences"
assert np.isclose(error, (2 / 100000) ** 0.5, rtol=0.02), "independent pairs"

# %% hidden
a = np.array([1.0, 5.0, 3.0, 8.0])
difference, error = paired(a, a - np.array([0.1, 0.2, 0.1, 0.2]))
assert np.isclose(difference, 0.15)
assert np.isclose(error, 0.1 / 12**0.5)


# %% wrong
# As if the runs were independent.
def paired(a, b):
    error = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a))
    return float(a.mean() - b.mean()), float(error)


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
