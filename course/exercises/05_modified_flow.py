# ---
# number: "5.5"
# title: "The loss that descent really follows"
# level: 2
# minutes: 25
# section: "5.3"
# objective: "Use a modified loss to follow descent to second order"
# points: 4
# ---

# %% prompt [markdown]
# Gradient descent with step $\eta$ follows, to second order in $\eta$, the flow of $\mathcal L_\eta = \mathcal L + \frac\eta4 |\nabla \mathcal L|^2$ ([Exercise 5.2](#ex-5-2)). Return $\nabla \mathcal L_\eta(\theta)$ for $\mathcal L = \frac12 \theta^\top A \theta$ with a symmetric $A$.

# %% stub
def modified_gradient(a, theta, learning_rate):
    """The gradient of the modified loss."""
    return ...


# %% solution
def modified_gradient(a, theta, learning_rate):
    return a @ theta + learning_rate / 2 * a @ (a @ theta)


# %% solution [markdown]
# $|\nabla \mathcal L|^2 = \theta^\top A^2 \theta$ has the gradient $2 A^2 \theta$: so $\nabla \mathcal L_\eta = A\theta + \frac\eta2 A^2 \theta$.

# %% public
a, theta = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([1.0, -1.0])
assert np.allclose(modified_gradient(a, theta, 0.0), [1.0, -2.0]), (
    "step 0: the loss itself"
)

# %% hidden
for eta in (0.02, 0.01):
    rate = modified_gradient(np.eye(1), np.ones(1), eta)[0]
    assert abs(rate + np.log(1 - eta) / eta) < 0.4 * eta**2, "second order"

# %% hidden
a, theta = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([1.0, -1.0])
assert np.allclose(modified_gradient(a, theta, 0.2), [1.0, -2.5])


# %% wrong
# The factor 2 of the square is lost.
def modified_gradient(a, theta, learning_rate):
    return a @ theta + learning_rate / 4 * a @ (a @ theta)


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
