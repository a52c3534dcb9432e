# ---
# number: "9.4"
# title: "A leaky edge"
# level: 1
# minutes: 10
# section: "9.5"
# objective: "Locate the edge of piecewise linear activations"
# points: 2
# ---

# %% prompt [markdown]
# Where is the edge of leaky ReLU with slope $0.01$, and how much does the slope change it? Where is that of $|x|$?

# %% solution [markdown]
# [Theorem 9.3](#thm-9-3) (a): $\sigma_w = \sqrt{2/(1 + 0.01^2)} = 1.41414$, a relative change of $5 \cdot 10^{-5}$ from $\sqrt 2$. With $\sigma_w = \sqrt 2$ the variance would grow by a factor $1 + 10^{-4}$ in each layer, $3\,\%$ over 300. For $|x|$ ($a = 1$, $b = -1$): $\sigma_w = 1$.

# %% rubric [markdown]
# * 1 point: leaky ReLU.
# * 1 point: the absolute value.
