# ---
# number: "11.7"
# title: "At which depth are two inputs half alike?"
# level: 2
# minutes: 25
# section: "11.4"
# objective: "Solve for a depth in the limit of close inputs"
# points: 4
# ---

# %% prompt [markdown]
# For ReLU on the edge and a small angle $\vartheta$ in radians between the inputs, $\frac{\Theta^L}{qL} \to \frac{(1 + t)^4 - t^4}{4 (1 + t)^3}$ with $t = \frac{3\pi}{\vartheta L}$ ([Exercise 11.4](#ex-11-4)). Return the depth at which this is a given value between $\frac14$ and 1, by bisection in $t$.

# %% stub
def depth_of(value, angle):
    """The depth, a real number, at which the ratio has this value."""
    return ...


# %% solution
def depth_of(value, angle):
    low, high = -20.0, 20.0
    for _ in range(100):
        middle = (low + high) / 2
        t = np.exp(middle)
        below = ((1 + t) ** 4 - t**4) / (4 * (1 + t) ** 3) < value
        low, high = (middle, high) if below else (low, middle)
    return float(3 * np.pi / angle / t)


# %% solution [markdown]
# The function grows from $\frac14$ at $t = 0$ to 1 as $t \to \infty$. Bisect in $\log t$, then $L = \frac{3\pi}{\vartheta t}$.

# %% public
assert np.isclose(depth_of(0.5, 0.01), 10 * depth_of(0.5, 0.1)), "inverse to the angle"
assert depth_of(0.9, 0.01) < depth_of(0.3, 0.01), "the ratio falls with depth"

# %% hidden
for value in (0.3, 0.5, 0.8):
    t = 3 * np.pi / 0.02 / depth_of(value, 0.02)
    assert np.isclose(((1 + t) ** 4 - t**4) / (4 * (1 + t) ** 3), value)


# %% wrong
# t is taken for pi over the angle and the depth.
def depth_of(value, angle):
    low, high = -20.0, 20.0
    for _ in range(100):
        middle = (low + high) / 2
        t = np.exp(middle)
        below = ((1 + t) ** 4 - t**4) / (4 * (1 + t) ** 3) < value
        low, high = (middle, high) if below else (low, middle)
    return float(np.pi / angle / t)


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
