# ---
# number: "11.6"
# title: "One quarter"
# level: 2
# minutes: 30
# section: "11.4"
# objective: "Iterate correlation and kernel of ReLU on the edge"
# points: 4
# ---

# %% prompt [markdown]
# ReLU on the edge ($\sigma_w^2 = 2$, $\sigma_b = 0$), two inputs of equal length with correlation $c$ in layer 1. With $\vartheta = \arccos c$ a layer maps $c$ to $f(c) = \frac1\pi(\sin\vartheta + (\pi - \vartheta) c)$, and $f'(c) = 1 - \frac\vartheta\pi$. For $r_l = \Theta^l(x, x')/q$: $r_1 = c$, and $r_l = f(c) + f'(c)\, r_{l-1}$ with the correlation $c$ of layer $l - 1$. Return $r_L/L$.

# %% stub
def kernel_ratio(c, depth):
    """The tangent kernel over q times the depth."""
    return ...


# %% solution
def kernel_ratio(c, depth):
    r = c
    for _ in range(depth - 1):
        angle = np.arccos(np.clip(c, -1, 1))
        c = (np.sin(angle) + (np.pi - angle) * c) / np.pi
        r = c + (1 - angle / np.pi) * r
    return float(r / depth)


# %% solution [markdown]
# The slope belongs to the same layer as the map. In the limit $\vartheta_l \approx 3\pi/l$, so $r_l \approx 1 + (1 - \frac3l) r_{l-1}$, whose solution is $l/4$: two different inputs have a quarter of the diagonal. The error is of order $\log L/L$.

# %% public
assert np.isclose(kernel_ratio(1.0, 50), 1), "equal inputs: Theta = q L"
assert np.isclose(kernel_ratio(0.3, 1), 0.3), "layer 1 gives c"
assert abs(kernel_ratio(0.3, 20000) - 0.25) < 0.002, (
    "a deep network is near one quarter"
)

# %% hidden
depths = [2, 5, 40]
profile = ntk_helpers.depth_profile(
    depths, activation="relu", sigma_w=2**0.5, sigma_b=0.0, c1=0.3
)
ours = [kernel_ratio(0.3, depth) * depth for depth in depths]
assert np.allclose(ours, profile.ntk, rtol=1e-6)


# %% wrong
# The slope is taken at the new correlation.
def kernel_ratio(c, depth):
    r = c
    for _ in range(depth - 1):
        angle = np.arccos(np.clip(c, -1, 1))
        c = (np.sin(angle) + (np.pi - angle) * c) / np.pi
        r = c + (1 - np.arccos(np.clip(c, -1, 1)) / np.pi) * r
    return float(r / depth)


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
