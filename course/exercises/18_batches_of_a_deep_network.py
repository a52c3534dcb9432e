# ---
# number: "18.2"
# title: "Batches of a deep network"
# level: 1
# minutes: 15
# section: "18.3"
# objective: "Use the threshold of a deep network"
# points: 2
# ---

# %% prompt [markdown]
# A very deep tanh network on the edge is trained on many inputs of one length. With $S = 1$ the largest stable step is 0.01. What is it with batches of four, with replacement, and with the full batch? Use the second part of [Theorem 18.3](#thm-18-3).

# %% solution [markdown]
# $\alpha = 2$, $a = \frac13$. For $S = 1$, $e = 2$. For $\nu = \frac14$: $b = \frac14 + \frac34 \cdot \frac13 = \frac12$, $4 \nu (1 - \nu)\, a (1 - a) = \frac34 \cdot \frac29 = \frac16$, so $e = 4 / (\frac12 + \sqrt{\frac14 - \frac16}) = 4/0.789 = 5.07$: the step is 0.0254. With the full batch $e = 6$: 0.03.

# %% rubric [markdown]
# * 1 point: 0.0254.
# * 1 point: 0.03.
