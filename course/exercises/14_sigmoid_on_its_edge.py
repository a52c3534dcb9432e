# ---
# number: "14.3"
# title: "Sigmoid on its edge"
# level: 2
# minutes: 20
# section: "14.2"
# objective: "Write one activation as another"
# points: 3
# ---

# %% prompt [markdown]
# Write a sigmoid layer as a tanh layer. What are the standard deviations of the weights and of the biases of the tanh network, on sigmoid's edge at $\sigma_b = 0$? How large is the cross-entropy of ten classes at the start?

# %% solution [markdown]
# $\sigma(u) = \frac12 + \frac12 \tanh\frac u2$. With $v = u/2$: $v^{l+1} = \frac12 W (\frac12 + \frac12 \tanh v^l)$, so the tanh network has $\sigma_w' = \sigma_w/4 = 2.54$ and a random offset $\frac14 \sum_j W_{ij}$ of the same standard deviation, $2.54$: a bias of the size of the weights. Its variance is $q' = q/4 = 11.4$, deep in saturation. The outputs start with the variance $q = 45.6$, in place of $0.5$ for tanh, and a loss of about ten; this has to be unlearned first.

# %% rubric [markdown]
# * 1 point: the identity.
# * 1 point: both standard deviations.
# * 1 point: the loss at the start.
