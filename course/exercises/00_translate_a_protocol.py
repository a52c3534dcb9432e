# ---
# number: "0.1"
# title: "Translate a protocol"
# level: 2
# minutes: 20
# section: "0.2"
# objective: "Translate a learning rate between the two parameterisations"
# points: 4
# ---

# %% prompt [markdown]
# The runs that go with Figure 3 (a, b) of paper O train a network 3072–400–400–400–10 in the standard parameterisation, with $\sigma_w^2 = 1.5$, $\sigma_b^2 = 0.01$. Take the learning rate $10^{-3}$ and the loss $\frac1N \sum_i \lVert f(x_i) - y_i \rVert^2$. Which arguments does `stax.Dense` need for its kernel? Which learning rate would each parameter array need in the NTK parameterisation, with the loss $\frac{1}{2N} \sum_i \lVert f(x_i) - y_i \rVert^2$, to follow the same trajectory?

# %% solution [markdown]
# `W_std` and `b_std` are standard deviations: $\sqrt{1.5} \approx 1.225$ and $\sqrt{0.01} = 0.1$. The loss with $\frac{1}{2N}$ has half the gradient, so the learning rate for it is $2 \times 10^{-3}$, still in the standard parameterisation. By [Proposition 0.1](#prp-0-1) the NTK parameterisation needs $2 \times 10^{-3}\, n_{l-1} / \sigma_w^2$ for the weights of layer $l$: 4.096 for the first layer and 0.5333 for the other three; and $2 \times 10^{-3} / \sigma_b^2 = 0.2$ for all biases. The three rates differ by a factor of up to 20. No single learning rate of the theory corresponds to this experiment.

# %% rubric [markdown]
# * 1 point: W_std and b_std as standard deviations.
# * 1 point: the factor 2 between the two losses.
# * 1 point: the rates of the weights of each layer.
# * 1 point: the rate of the biases.
