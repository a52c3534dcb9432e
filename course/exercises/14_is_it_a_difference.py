# ---
# number: "14.6"
# title: "Is it a difference?"
# level: 1
# minutes: 15
# section: "14.7"
# objective: "Judge the difference of two entries of a table with their scatter"
# points: 4
# ---

# %% prompt [markdown]
# A table gives mean and standard deviation of the accuracy over runs. Return the difference of two entries in units of its standard error, for $m_1$ and $m_2$ independent runs.

# %% stub
def z_score(mean1, sd1, runs1, mean2, sd2, runs2):
    """The difference over its standard error."""
    return ...


# %% solution
def z_score(mean1, sd1, runs1, mean2, sd2, runs2):
    return (mean1 - mean2) / np.sqrt(sd1**2 / runs1 + sd2**2 / runs2)


# %% solution [markdown]
# The standard error of a mean is the standard deviation over $\sqrt m$; the squares of independent errors add. A row with a large $\pm$ and few runs says little.

# %% public
assert np.isclose(z_score(80.0, 3.0, 1, 70.0, 4.0, 1), 2), (
    "one run each: errors 3 and 4"
)
assert z_score(1.0, 1.0, 5, 1.0, 2.0, 5) == 0, "equal means"

# %% hidden
assert np.isclose(z_score(80.0, 3.0, 9, 70.0, 4.0, 16), 10 / 2**0.5)
assert z_score(1.0, 1.0, 4, 2.0, 1.0, 4) < 0


# %% wrong
# The scatter of single runs in place of the error of the means.
def z_score(mean1, sd1, runs1, mean2, sd2, runs2):
    return (mean1 - mean2) / np.sqrt(sd1**2 + sd2**2)


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
