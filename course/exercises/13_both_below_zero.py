# ---
# number: "13.5"
# title: "Both below zero"
# level: 1
# minutes: 15
# section: "13.5"
# objective: "Compute an orthant probability from a covariance matrix"
# points: 4
# ---

# %% prompt [markdown]
# Return $\mathbb P(\max(y_1, y_2) \le 0)$ for a centred Gaussian pair with the given $2 \times 2$ covariance matrix ([Exercise 13.2](#ex-13-2)).

# %% stub
def both_negative(covariance):
    """The probability that both are at most zero."""
    return ...


# %% solution
def both_negative(covariance):
    c = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    return float(0.5 - np.arccos(c) / (2 * np.pi))


# %% solution [markdown]
# The signs depend on directions alone: $\frac12 - \frac{\vartheta}{2\pi}$ with $\cos\vartheta = C_{12}/\sqrt{C_{11} C_{22}}$, the correlation.

# %% public
assert np.isclose(both_negative(np.eye(2)), 0.25), (
    "independent: each sign has probability one half"
)
assert np.isclose(both_negative(np.array([[1.0, 0.5], [0.5, 1.0]])), 1 / 3), (
    "correlation one half"
)

# %% hidden
assert np.isclose(both_negative(np.array([[4.0, 1.0], [1.0, 1.0]])), 1 / 3)
assert np.isclose(both_negative(np.array([[0.5, -0.25], [-0.25, 0.5]])), 1 / 6)


# %% wrong
# The covariance is taken for the correlation.
def both_negative(covariance):
    return float(0.5 - np.arccos(np.clip(covariance[0, 1], -1, 1)) / (2 * np.pi))


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
