# ---
# number: "2.10"
# title: "The tangent kernel of a small network"
# level: 2
# minutes: 30
# section: "2.3"
# objective: "Write the tangent kernel of a finite network and check it by differentiation"
# points: 4
# ---

# %% prompt [markdown]
# Let $f(x) = \frac{1}{\sqrt n} \sum_i a_i \tanh(w_i \cdot x)$, with all $a_i$ (a vector of length $n$) and $w_i$ (the rows of an $n \times d$ matrix) trained. Return $\Theta(x, x') = \nabla f(x) \cdot \nabla f(x')$.

# %% stub
def tangent_kernel(a, w, x1, x2):
    """The tangent kernel at two points."""
    return ...


# %% solution
def tangent_kernel(a, w, x1, x2):
    p1, p2 = np.tanh(w @ x1), np.tanh(w @ x2)
    gates = (1 - p1**2) * (1 - p2**2)
    return float((p1 @ p2 + (a**2 * gates).sum() * (x1 @ x2)) / len(a))


# %% solution [markdown]
# $\partial f/\partial a_i = n^{-1/2} \tanh(w_i \cdot x)$ and $\partial f/\partial w_i = n^{-1/2} a_i \tanh'(w_i \cdot x)\, x$. Products of the two points, summed: $\frac1n \sum_i \bigl[\tanh\tanh + a_i^2 \tanh' \tanh' \, x \cdot x'\bigr]$.

# %% public
a, w, x = np.array([2.0]), np.array([[1.0, 0.0]]), np.array([0.0, 1.0])
assert np.isclose(tangent_kernel(a, w, x, x), 4), (
    "w x = 0: only the inner weights count"
)

# %% hidden
rng = np.random.default_rng(0)
a, w, x1, x2 = (rng.normal(size=s) for s in ((6,), (6, 3), (3,), (3,)))


def f(p, x):
    return p[0] @ jnp.tanh(p[1] @ x) / 6**0.5


g1, g2 = (jax.grad(f)((jnp.array(a), jnp.array(w)), x) for x in (x1, x2))
assert np.isclose(
    tangent_kernel(a, w, x1, x2), sum((u * v).sum() for u, v in zip(g1, g2))
)


# %% wrong
# The gates of the first point twice.
def tangent_kernel(a, w, x1, x2):
    p1, p2 = np.tanh(w @ x1), np.tanh(w @ x2)
    return float((p1 @ p2 + (a**2 * (1 - p1**2) ** 2).sum() * (x1 @ x2)) / len(a))


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
