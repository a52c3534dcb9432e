# ---
# number: "16.4"
# title: "A catapult, step by step"
# level: 2
# minutes: 25
# section: "16.2"
# objective: "Iterate the catapult map and see the kernel come down"
# points: 4
# ---

# %% prompt [markdown]
# Iterate the map of [Lemma 16.1](#lem-16-1), $g' = (1 - s + g)^2 g$ and $s' = s + (s - 4) g$, and return $(s, g)$ after the given number of steps.

# %% stub
def catapult(s, g, steps):
    """The pair (s, g) after so many steps."""
    return ..., ...


# %% solution
def catapult(s, g, steps):
    for _ in range(steps):
        s, g = s + (s - 4) * g, (1 - s + g) ** 2 * g
    return s, g


# %% solution [markdown]
# Both new values are made of the old ones. Between 2 and 4 the loss $g$ grows until $g$ is of order one; then $s$ falls below 2, and the loss dies. At $s = 4$ the kernel stays.

# %% public
assert np.allclose(catapult(3.0, 0.1, 0), (3.0, 0.1)), "no step: the start"
assert np.allclose(catapult(4.0, 0.5, 1), (4.0, 0.5 * 2.5**2)), "on the mark"

# %% hidden
assert np.allclose(catapult(3.0, 0.1, 1), (2.9, 0.361))
s, g = catapult(3.0, 1e-4, 200)
assert s < 2 and g < 1e-6, "it comes down below 2"
u, v, eta = np.array([1.0, 0.5]), np.array([0.8, -0.3]), 0.9
start = eta * (u @ u + v @ v) / 2, eta**2 * (u @ v) ** 2 / 4
for _ in range(3):
    f = u @ v / 2**0.5
    u, v = u - eta * f / 2**0.5 * v, v - eta * f / 2**0.5 * u
assert np.allclose(
    catapult(*start, 3), (eta * (u @ u + v @ v) / 2, eta**2 * (u @ v) ** 2 / 4)
)


# %% wrong
# The new s is used for g.
def catapult(s, g, steps):
    for _ in range(steps):
        s = s + (s - 4) * g
        g = (1 - s + g) ** 2 * g
    return s, g


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
