# ---
# number: "17.5"
# title: "A scatter that dies out"
# level: 3
# minutes: 30
# section: "17.5"
# objective: "Solve a linear recursion to leading order"
# points: 4
# ---

# %% prompt [markdown]
# Iterate $b_{l+1} = (1 - \frac2l)\, b_l + \frac{c}{l^p}$ from $b_2 = 0$ up to the depth $L$, and return $b_L$. With $c = \frac{2}{a^2}$, $p = 2$ it is the orthogonal, with $c = \frac{1}{a^2}$, $p = 0$ the Gaussian case of [Theorem 17.4](#thm-17-4).

# %% stub
def spread_at(depth, c, p):
    """b at the given depth."""
    return ...


# %% solution
def spread_at(depth, c, p):
    b = 0.0
    for layer in range(2, depth):
        b = (1 - 2 / layer) * b + c / layer**p
    return b


# %% solution [markdown]
# With $b \sim \beta\, l^{1-p}$ the two sides give $\beta (1 - p) = -2 \beta + c$: $\beta = c/(3 - p)$. So $b \sim \frac{c}{l}$ for $p = 2$, and $\frac{c\, l}{3}$ for $p = 0$.

# %% public
assert np.isclose(spread_at(3, 1.0, 2), 0.25), "one step from zero: c over 2 to the p"
assert np.isclose(spread_at(2, 1.0, 0), 0.0), "depth 2 is the start"

# %% hidden
assert abs(2000 * spread_at(2000, 2.0, 2) - 2.0) < 0.02
assert abs(spread_at(2000, 1.0, 0) / 2000 - 1 / 3) < 0.01
assert np.isclose(spread_at(4, 1.0, 2), 0.25 / 3 + 1 / 9)


# %% wrong
# The contraction is left out.
def spread_at(depth, c, p):
    return sum(c / layer**p for layer in range(2, depth))


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
