# ---
# number: "6.5"
# title: "The covariance of a batch"
# level: 2
# minutes: 25
# section: "6.1"
# objective: "Compute the covariance of a mini-batch gradient, with and without replacement"
# points: 4
# ---

# %% prompt [markdown]
# `gradients` holds the $N$ gradients of the examples as rows. Return the covariance matrix of the mean over a batch of $S$ examples, drawn with replacement or without.

# %% stub
def batch_covariance(gradients, size, replacement):
    """The covariance matrix of the batch's mean gradient."""
    return ...


# %% solution
def batch_covariance(gradients, size, replacement):
    n = len(gradients)
    centred = gradients - gradients.mean(0)
    nu = 1 / size if replacement else (n - size) / (size * (n - 1))
    return nu * centred.T @ centred / n


# %% solution [markdown]
# It is $\nu \Sigma$ with the centred $\Sigma = \frac1N \sum_i (G_i - g)(G_i - g)^\top$, where $\nu = \frac1S$ with replacement. Without, two draws are correlated by $-\frac1{N-1}$, which gives $\nu = \frac{N - S}{S (N - 1)}$.

# %% public
g = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0], [1.0, 5.0]])
assert np.allclose(batch_covariance(g, 1, True), np.cov(g.T, bias=True)), (
    "a batch of one example"
)
assert np.allclose(batch_covariance(g, 4, False), 0), "the whole sample has no noise"

# %% hidden
import itertools

g = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0], [1.0, 5.0]])
for size in (1, 2, 3):
    means = np.array(
        [g[list(b)].mean(0) for b in itertools.combinations(range(4), size)]
    )
    assert np.allclose(batch_covariance(g, size, False), np.cov(means.T, bias=True))
    whole = np.cov(g.T, bias=True)
    assert np.allclose(batch_covariance(g, size, True), whole / size)


# %% wrong
# The factor of a batch of random size, 1/S (1 - S/N).
def batch_covariance(gradients, size, replacement):
    n = len(gradients)
    centred = gradients - gradients.mean(0)
    nu = 1 / size if replacement else (1 - size / n) / size
    return nu * centred.T @ centred / n


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
