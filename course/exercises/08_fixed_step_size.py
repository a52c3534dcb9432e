# ---
# number: "8.5"
# title: "A fixed step size"
# level: 2
# minutes: 15
# section: "8.4"
# objective: "Compare depths at one step size"
# points: 3
# ---

# %% prompt [markdown]
# Somebody trains at one step size $\eta$ that is stable for depth 50. Is it stable for depth 300? Which $\eta_0$ has each, and how does this change the reading of a figure that compares depths?

# %% solution [markdown]
# $\eta_0 = \eta L q$ grows by the factor 6, and gradient descent is stable for $\eta_0 < 8$ in the deep limit. So it is stable at depth 300 only if $\eta_0 < \frac43$ at depth 50. After equally many steps the deeper network has moved its outputs up to six times as far. Part of the difference between two depths in such a figure is a
# difference of learning rates.

# %% rubric [markdown]
# * 1 point: the factor.
# * 1 point: the condition.
# * 1 point: how the figure reads.
