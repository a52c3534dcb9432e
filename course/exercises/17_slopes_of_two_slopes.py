# ---
# number: "17.4"
# title: "Slopes of two slopes"
# level: 2
# minutes: 20
# section: "17.3"
# objective: "Compute how fast the scatter grows with the depth"
# points: 4
# ---

# %% prompt [markdown]
# Return the limit of $v_L / L$ for the activation with the slopes $a$ (right) and $b$ (left), from [Theorem 17.2](#thm-17-2).

# %% stub
def scatter_slope(a, b, orthogonal):
    """The limit of n Var Theta / (L Theta^2)."""
    return ...


# %% solution
def scatter_slope(a, b, orthogonal):
    kappa = 2 * (a**4 + b**4) / (a**2 + b**2) ** 2
    return 7 * (kappa - 1) / 3 if orthogonal else 7 * kappa / 3 - 1


# %% solution [markdown]
# Only the spread of the squared gates, $\kappa_\phi$, matters; a common factor of the slopes drops out.

# %% public
assert np.isclose(scatter_slope(1.0, 0.0, False), 11 / 3), "ReLU, Gaussian weights"
assert np.isclose(scatter_slope(1.0, 1.0, True), 0.0), "linear, orthogonal weights"

# %% hidden
assert np.isclose(scatter_slope(1.0, 0.0, True), 7 / 3)
assert np.isclose(scatter_slope(3.0, -3.0, False), 4 / 3)
assert np.isclose(scatter_slope(1.0, 0.5, True), 7 / 3 * 0.36)


# %% wrong
# The spread of the slopes, not of their squares.
def scatter_slope(a, b, orthogonal):
    kappa = 2 * (a**2 + b**2) / (abs(a) + abs(b)) ** 2
    return 7 * (kappa - 1) / 3 if orthogonal else 7 * kappa / 3 - 1


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
