# ---
# number: "15.2"
# title: "Large outputs learn faster at first"
# level: 3
# minutes: 35
# section: "15.3"
# objective: "Compute a correlation of start and kernel exactly"
# points: 3
# ---

# %% prompt [markdown]
# Let $f = W h$ with $W$ of size $o \times n$, Gaussian of variance $1/n$, and $\delta = W W^\top - 1$. Show that $\mathbb E f^\top \delta f = \frac{o + 1}{n}\, \mathbb E \lvert f \rvert^2$ exactly. What does that mean for the first-order term in [Proposition 15.2](#prp-15-2)?

# %% solution [markdown]
# Let $w_1$ be the column of $W$ in the direction of $h$, $\lvert h \rvert = 1$. Then $f^\top W W^\top f = \lvert w_1 \rvert^4 + \sum_{j>1} (w_1 \cdot w_j)^2$ has the mean $\frac{o(o+2)}{n^2} + (n-1) \frac{o}{n^2}$, and $\mathbb E \lvert f \rvert^2 = \frac on$. The ratio is $1 + \frac{o+1}{n}$.
# So $\delta$ is not independent of the start: networks with large outputs have large kernels. As $h[\lambda, \lambda] = h'(\lambda) < 0$ for $\eta\lambda < N$, this lowers the mean loss, and early on it can win against Jensen. Orthogonal $W$ has $\delta = 0$.

# %% rubric [markdown]
# * 1 point: the mean.
# * 1 point: the ratio.
# * 1 point: what it does to the first-order term.
