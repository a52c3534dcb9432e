# ---
# number: "13.2"
# title: "Threshold zero"
# level: 2
# minutes: 20
# section: "13.5"
# objective: "Compute an orthant probability and its consequence"
# points: 2
# ---

# %% prompt [markdown]
# Show that for equal variances $\mathbb P(\max(y_1, y_2) \le 0) = \frac12 - \frac{\vartheta}{2\pi}$. Deduce the difference between the ordered network and the edge for ReLU, to leading order.

# %% solution [markdown]
# At $\tau = 0$ the two bounds in [(13.3)](#eq-13-3) coincide. On the edge $\vartheta \sim \sqrt{2\gamma_L} = 3\pi/L$, so the difference is $\frac{3}{2L}$, in agreement with $3\sqrt{\pi/2}\, \varphi(0)/L$.

# %% rubric [markdown]
# * 1 point: the probability.
# * 1 point: the difference.
