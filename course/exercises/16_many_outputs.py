# ---
# number: "16.3"
# title: "Many outputs"
# level: 2
# minutes: 20
# section: "16.3"
# objective: "Find what several outputs do to a scatter"
# points: 3
# ---

# %% prompt [markdown]
# Let the last layer have $o$ outputs and take $\Theta$ as the mean over outputs. Which part of the variance $4L/(3n)$ does this reduce?

# %% solution [markdown]
# The gradients of two outputs are nearly orthogonal, so their norms change independently to first order: the variance from the layers that are passed backward, half of the whole, is divided by $o$. The forward half stays, as all outputs see the same $z^l$. What remains is
# $\frac{2L}{3n} (1 + \frac1o)$.

# %% rubric [markdown]
# * 1 point: the backward half.
# * 1 point: the forward half.
# * 1 point: the result.
