# ---
# number: "8.2"
# title: "How wide"
# level: 1
# minutes: 15
# section: "8.3"
# objective: "Read off the width that a given scatter needs"
# points: 3
# ---

# %% prompt [markdown]
# Figure 1 of paper S ([Claim 8.2](#clm-8-2)) ends at width 5,000. Take ReLU networks without biases. What is the standard deviation of a pair's ratio (cosine 0.4) at this width, at depths 50 and 100? How wide must a network of depth 100 be for 10%, and how many parameters has it? How many networks of width 5,000 and depth 100 does a mean on the diagonal take, for a standard error of 2%?

# %% solution [markdown]
# With $v_L/L = 5.5$ at depth 50 and $5.7$ at depth 100 (cosine 0.4): $\sqrt{5.5 \cdot 50/5000} = 0.23$ and $\sqrt{5.7 \cdot 100/5000} = 0.34$. For 10%, $n = 100 \cdot 5.7 \cdot 100 = 57{,}000$, with $98\, n^2 \approx 3 \times 10^{11}$ parameters. On the diagonal the relative variance is $0.075$, so
# $0.075/0.02^2 \approx 190$ networks. Their mean has no bias; for a pair a bias would remain.

# %% rubric [markdown]
# * 1 point: the standard deviations.
# * 1 point: the width and the parameters.
# * 1 point: the number of networks.
