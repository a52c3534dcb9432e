# ---
# number: "0.5"
# title: "A protocol in the other parameterisation"
# level: 1
# minutes: 15
# section: "0.2"
# objective: "Convert the learning rates of a protocol"
# points: 4
# ---

# %% prompt [markdown]
# A network with the widths $n_0 = d, n_1, \dots, n_L$ is trained in the standard parameterisation with one learning rate $\eta$. Return the learning rates that give the same trajectory in the NTK parameterisation ([Proposition 0.1](#prp-0-1)): the list for the weight matrices of layers $1, \dots, L$, and the rate of all biases.

# %% stub
def ntk_rates(learning_rate, widths, sigma_w, sigma_b):
    """The rates of the weight matrices, a list, and the rate of the biases."""
    weights = ...
    biases = ...
    return weights, biases


# %% solution
def ntk_rates(learning_rate, widths, sigma_w, sigma_b):
    weights = [learning_rate * n / sigma_w**2 for n in widths[:-1]]
    return weights, learning_rate / sigma_b**2


# %% solution [markdown]
# In the NTK parameterisation a weight enters with the factor $\sigma_w/\sqrt{n_{l-1}}$, a bias with $\sigma_b$. A gradient then has the factor once, and the change of the function once more: the step must be divided by its square. The width that counts is that of the layer's input.

# %% public
weights, biases = ntk_rates(0.1, [50, 50, 50], 2.0, 0.5)
assert np.allclose(weights, [1.25, 1.25]), "two matrices with 50 inputs each"
assert np.isclose(biases, 0.4), "the rate of the biases"

# %% hidden
weights, biases = ntk_rates(2e-3, [3072, 400, 400, 400, 10], 1.5**0.5, 0.1)
assert np.allclose(weights, [4.096, 0.53333333, 0.53333333, 0.53333333])
assert np.isclose(biases, 0.2)


# %% wrong
# The width of a layer's output in place of its input.
def ntk_rates(learning_rate, widths, sigma_w, sigma_b):
    weights = [learning_rate * n / sigma_w**2 for n in widths[1:]]
    return weights, learning_rate / sigma_b**2


# %% rubric [markdown]
# * 2 points: the public checks.
# * 2 points: the hidden checks, in proportion.
