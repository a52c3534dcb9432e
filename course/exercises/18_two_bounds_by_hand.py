# ---
# number: "18.1"
# title: "Two bounds by hand"
# level: 1
# minutes: 15
# section: "18.2"
# objective: "Bound the largest stable step of SGD"
# points: 3
# ---

# %% prompt [markdown]
# Let $K = \operatorname{diag}(4, 1)$ be the kernel of two examples, and $S = 1$. Compute the two bounds of [Theorem 18.2](#thm-18-2) on the largest step, and the exact one by looking at the process.

# %% solution [markdown]
# With $\nu = 1$, $h_k = \frac\eta2 K_{kk}$. The largest is 1 at $\eta = \frac12$, the mean, $\frac{5\eta}{4}$, at $\eta = \frac45$. A step on example $i$ multiplies $z_i$ by $1 - \eta K_{ii}$ and leaves the other: the second moment of $z_1$ is multiplied by $\frac12 + \frac12 (1 - 4\eta)^2$ a step, that of $z_2$ by $\frac12 + \frac12 (1 - \eta)^2$. So $\eta_\ast = \frac12$: the lower bound is attained, and the criterion of the trace is too generous by a factor of 1.6.

# %% rubric [markdown]
# * 2 points: the two bounds.
# * 1 point: the exact step.
