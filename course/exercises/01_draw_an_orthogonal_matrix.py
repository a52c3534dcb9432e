# ---
# number: "1.8"
# title: "A uniform orthogonal matrix"
# level: 2
# minutes: 25
# section: "1.2"
# objective: "Draw a matrix from the uniform law, and test that it is"
# points: 4
# ---

# %% prompt [markdown]
# Return an $n \times n$ orthogonal matrix, uniform on the group, from `np.random.default_rng(seed)`. Use the QR decomposition of a Gaussian matrix; it is unique, and its first factor uniform, if the diagonal of the second is positive. numpy does not see to that.

# %% stub
def orthogonal(seed, n):
    """An orthogonal matrix, uniform on the group."""
    return ...


# %% solution
def orthogonal(seed, n):
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))
    return q * np.sign(np.diag(r))


# %% solution [markdown]
# If $G$ is Gaussian, so is $OG$ for each fixed orthogonal $O$. With the unique decomposition $G = QR$, $R_{ii} > 0$, that of $OG$ is $(OQ)R$: so $Q$ and $OQ$ have the same law. numpy's routine fixes signs in another way: the first entry of its $Q$ is never positive.

# %% public
q = orthogonal(0, 5)
assert np.allclose(q @ q.T, np.eye(5)), "orthogonal"
assert np.allclose(q, orthogonal(0, 5)), "the same seed gives the same matrix"
assert not np.allclose(q, orthogonal(1, 5)), "another seed gives another matrix"

# %% hidden
first = np.array([orthogonal(seed, 3)[0, 0] for seed in range(600)])
assert abs(first.mean()) < 5 / np.sqrt(3 * 600), "the mean of an entry is 0"
assert abs((first**2).mean() - 1 / 3) < 0.07, "the mean square is 1/n"


# %% wrong
# numpy's Q as it is.
def orthogonal(seed, n):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0]


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
