# ---
# number: "13.4"
# title: "Unequal norms"
# level: 3
# minutes: 30
# section: "13.6"
# objective: "Show that an inequality fails for unequal norms"
# points: 3
# ---

# %% prompt [markdown]
# ReLU on the edge with inputs $\lVert x_1\rVert^2 < \lVert x_2\rVert^2 < d$, and the ordered network $(\sigma_b, \sigma_w) = (1, 1)$ with $q = 2$. Find the limit of $\mathbb P(\max \le t)$ in both networks as $L \to \infty$, and show that the inequality of case (A) is violated by a constant for every $t > 0$.

# %% solution [markdown]
# On the edge the outputs tend to $\sqrt{q_1}\, Z$ and $\sqrt{q_2}\, Z$ with one Gaussian $Z$ and $q_i = 2\lVert x_i\rVert^2/d < 2$. For $t > 0$ both are at most $t$ if and only if $Z \le t/\sqrt{q_2}$. In the ordered network both tend to $\sqrt2\, Z$. So the limits are
# $\Phi(t/\sqrt{q_2}) > \Phi(t/\sqrt2)$: the edge has the larger probability. (For $t < 0$ the limits are $\Phi(t/\sqrt{q_1}) < \Phi(t/\sqrt2)$.)

# %% rubric [markdown]
# * 1 point: the limit on the edge.
# * 1 point: the limit in the ordered phase.
# * 1 point: the comparison.
