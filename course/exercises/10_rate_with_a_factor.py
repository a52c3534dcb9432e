# ---
# number: "10.7"
# title: "A rate behind a factor"
# level: 2
# minutes: 20
# section: "10.2"
# objective: "Measure an exponential rate that a factor L hides"
# points: 4
# ---

# %% prompt [markdown]
# In the ordered phase the distance of the kernel from its limit is $e_L \approx A\, L \chi^L$ off the diagonal. From the distances at two depths return the estimate of $\chi$ that takes the factor $L$ into account.

# %% stub
def rate(depth1, e1, depth2, e2):
    """The estimate of chi."""
    return ...


# %% solution
def rate(depth1, e1, depth2, e2):
    return ((e2 / depth2) / (e1 / depth1)) ** (1 / (depth2 - depth1))


# %% solution [markdown]
# $\frac{e_2/L_2}{e_1/L_1} = \chi^{L_2 - L_1}$. Without the factor the estimate is too large by $(L_2/L_1)^{1/(L_2 - L_1)}$: 7 % for depths 10 and 20, and little for great depths.

# %% public
e = {depth: 5 * depth * 0.9**depth for depth in (1000, 1100)}
assert abs(rate(1000, e[1000], 1100, e[1100]) - 0.9) < 0.005, (
    "the factor L is taken out"
)

# %% hidden
e = {depth: 5 * depth * 0.8**depth for depth in (4, 10, 20)}
assert np.isclose(rate(10, e[10], 20, e[20]), 0.8)
assert np.isclose(rate(4, e[4], 10, e[10]), 0.8)


# %% wrong
# As if the distance were A chi^L.
def rate(depth1, e1, depth2, e2):
    return (e2 / e1) ** (1 / (depth2 - depth1))


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
