# ---
# number: "12.7"
# title: "A kernel too large for a number"
# level: 1
# minutes: 15
# section: "12.3"
# objective: "Work with the logarithm where the value overflows"
# points: 4
# ---

# %% prompt [markdown]
# Without biases the diagonal of the residual kernel is $\Theta^L(x, x) = q_1\, g^{L-1} \bigl(1 + (L - 1) \frac{a}{g}\bigr)$ with $a = \frac{\sigma_w^2}{2}$ and $g = 1 + a$. Return its logarithm, for depths up to a million.

# %% stub
def log_kernel(q1, depth, sigma_w):
    """The logarithm of Theta^L(x, x)."""
    return ...


# %% solution
def log_kernel(q1, depth, sigma_w):
    a = sigma_w**2 / 2
    return np.log(q1) + (depth - 1) * np.log1p(a) + np.log1p((depth - 1) * a / (1 + a))


# %% solution [markdown]
# $\log q_1 + (L-1) \log g + \log(1 + (L-1) a/g)$. The power itself exceeds the largest double, about $10^{308}$, from depth 1,025 on for $\sigma_w^2 = 2$.

# %% public
assert np.isclose(log_kernel(1.0, 1, 1.3), 0), "depth 1 gives q1"
assert np.isclose(np.exp(log_kernel(1.0, 3, 2**0.5)), 8), "depth 3, branches of slope 1"

# %% hidden
deep = log_kernel(2.0, 10**6, 2**0.5)
assert np.isclose(deep, np.log(2) * 10**6 + np.log(500000.5), rtol=1e-12)


# %% wrong
# The logarithm of the value, which is infinite.
def log_kernel(q1, depth, sigma_w):
    a = np.float64(sigma_w**2 / 2)
    with np.errstate(over="ignore"):
        return np.log(q1 * (1 + a) ** (depth - 1) * (1 + (depth - 1) * a / (1 + a)))


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
