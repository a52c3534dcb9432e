# ---
# number: "7.3"
# title: "Epochs"
# level: 4
# minutes: 45
# section: "7.3"
# objective: "Compute the effect of sampling without replacement over an epoch"
# points: 3
# ---

# %% prompt [markdown]
# Run through all $N$ examples in a random order, one at a time, then again in a new order. Why does [Theorem 7.3](#thm-7-3) not apply? Show that over one epoch the mean of $z$ changes by $-\eta K z + \frac{\eta^2}{2}\, K (K - \operatorname{diag} K)\, z + O(\eta^3)$.

# %% solution [markdown]
# The batches of one epoch are not independent. With $D_i$ the projection on example $i$, an epoch is $\prod_i (I - \eta K D_{\pi(i)})$ with a random order $\pi$. To first order it is $I - \eta K \sum_i D_i = I - \eta K$, for every order: no
# noise. To second order $\eta^2 \sum_{i \text{ after } j} K D_i K D_j$. Each ordered pair $i \ne j$ appears with probability $\frac12$, so the mean is $\frac{\eta^2}{2} \bigl(\sum_{i, j} - \sum_{i = j}\bigr) K D_i K D_j = \frac{\eta^2}2 K \bigl(K - \operatorname{diag} K\bigr)$. The
# noise of an epoch is of order $\eta^2$, not $\eta$ as for independent draws: the variance at a fixed time is of order $\eta^3$ and not $\eta$.

# %% rubric [markdown]
# * 1 point: why the theorem does not apply.
# * 1 point: the first order.
# * 1 point: the second order and its mean.
