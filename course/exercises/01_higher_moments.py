# ---
# number: "1.2"
# title: "Higher moments"
# level: 3
# minutes: 30
# section: "1.3"
# objective: "Compute all even moments of one pre-activation of an orthogonal layer"
# points: 3
# ---

# %% prompt [markdown]
# Find $\mathbb E u^{2k}$ for one pre-activation $u$ of an orthogonal layer, from the fact that $R\, u$ is standard Gaussian, $R^2 = \chi^2_N/N$ independent of $u$. What is its sixth cumulant to leading order?

# %% solution [markdown]
# $\mathbb E R^{2k} = N^{-k} N (N+2) \cdots (N + 2k - 2)$, so $\mathbb E u^{2k} = (2k-1)!!\, \prod_{j=0}^{k-1} \frac{N}{N+2j}$. For $k = 3$: $\frac{15 N^2}{(N+2)(N+4)}$. The sixth cumulant is $\mathbb E u^6 - 15\, \mathbb E u^4 + 30 = \frac{15N^2 - 45N(N+4) + 30(N+2)(N+4)}{(N+2)(N+4)} = \frac{240}{(N+2)(N+4)}$, so
# $240/N^2$. In [(1.12)](#eq-1-12), $\mathrm{He}_5$ has the coefficient $-\frac{240}{720} = -\frac13$.

# %% rubric [markdown]
# * 1 point: the moments of the chi-square radius.
# * 1 point: the product formula.
# * 1 point: the sixth cumulant and its order.
