# ---
# number: "15.3"
# title: "The first step of Figure 3"
# level: 3
# minutes: 35
# section: "15.7"
# objective: "Estimate the first step of a frozen kernel that scatters"
# points: 3
# ---

# %% prompt [markdown]
# Let all of the excess of the loss lie in the top mode, $s = \eta\lambda_1/N$, with outputs as in [Exercise 15.2](#ex-15-2) and scatter $v$. Show that the first step leaves a mean of $(1 - s)^2 + v\,(3 s^2 - 2 s)$ times the start. Compare with the authors' difference before step 2, $0.65 \pm 0.14$, where the top mode holds about 3 of the loss.

# %% solution [markdown]
# $\lvert (1 - s - s\delta) z \rvert^2 = (1-s)^2 \lvert z \rvert^2 - 2 s (1 - s)\, z^\top \delta z + s^2\, z^\top \delta^2 z$. Both means are $v\, \mathbb E \lvert z \rvert^2$ in leading order: $v\,(s^2 - 2s + 2s^2)$. With $s = 2 \cdot 0.77 = 1.54$ and $v = 33/400$ the difference is about $3 \cdot 0.083 \cdot 4.0 = 1.0$.
# This takes three linear layers for tanh and the first layer's share for the whole kernel, so the agreement is one of size. For $s < \frac23$ the sign is the other one.

# %% rubric [markdown]
# * 1 point: the expansion.
# * 1 point: the means.
# * 1 point: the comparison with the measurement.
