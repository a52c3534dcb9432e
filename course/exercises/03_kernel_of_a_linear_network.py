# ---
# number: "3.7"
# title: "A kernel that does not fluctuate"
# level: 2
# minutes: 30
# section: "3.10"
# objective: "See that the tangent kernel of an orthogonal linear network is the same for each draw"
# points: 4
# ---

# %% prompt [markdown]
# Let $f = \frac{W_L}{\sqrt n} \cdots \frac{W_1}{\sqrt n} x$ with $n \times n$ matrices. Return the tangent kernel $\Theta(x, x')$, an $n \times n$ matrix, for the given matrices (an array of shape $L \times n \times n$). It is a sum over layers of a number times a product of matrices.

# %% stub
def linear_kernel(weights, x1, x2):
    """The tangent kernel at two points, an n by n matrix."""
    return ...


# %% solution
def linear_kernel(weights, x1, x2):
    n = weights.shape[1]
    products = []
    for w in weights:
        products.append(x1 @ x2 / n)
        x1, x2 = w @ x1 / n**0.5, w @ x2 / n**0.5
    kernel, after = np.zeros((n, n)), np.eye(n)
    for w, product in zip(weights[::-1], products[::-1]):
        kernel += product * after @ after.T
        after = after @ w / n**0.5
    return kernel


# %% solution [markdown]
# With $z^{l-1}$ the input of layer $l$ and $B_l = \frac{W_L}{\sqrt n} \cdots \frac{W_{l+1}}{\sqrt n}$ what follows it, $\Theta = \sum_l \frac{z^{l-1} \cdot z'^{\,l-1}}{n} B_l B_l^\top$. For $W_l = \sqrt n\, Q_l$ each term is $\frac{x \cdot x'}{n} I$; so $\Theta = L \frac{x \cdot x'}{n} I$ for each draw.

# %% public
rng = np.random.default_rng(0)
q = 2 * np.array([np.linalg.qr(rng.normal(size=(4, 4)))[0] for _ in range(3)])
x1, x2 = rng.normal(size=(2, 4))
assert np.allclose(linear_kernel(q, x1, x2), 3 * (x1 @ x2) / 4 * np.eye(4)), (
    "orthogonal"
)

# %% hidden
rng = np.random.default_rng(1)
w, x1, x2 = rng.normal(size=(3, 4, 4)), *rng.normal(size=(2, 4))


def f(w, x):
    return w[2] @ (w[1] @ (w[0] @ x)) / 8


j1, j2 = (jax.jacobian(f)(jnp.array(w), x).reshape(4, -1) for x in (x1, x2))
assert np.allclose(linear_kernel(w, x1, x2), j1 @ j2.T)


# %% wrong
# The kernel of infinite width, which only orthogonal weights have at each width.
def linear_kernel(weights, x1, x2):
    n = weights.shape[1]
    return len(weights) * (x1 @ x2) / n * np.eye(n)


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
