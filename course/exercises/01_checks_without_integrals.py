# ---
# number: "1.1"
# title: "Checks without integrals"
# level: 2
# minutes: 20
# section: "1.3"
# objective: "Verify moments of a corner of an orthogonal matrix from its constraints"
# points: 3
# ---

# %% prompt [markdown]
# Verify the four fourth moments of [(1.7)](#eq-1-7) from $\sum_j u_j(x)^2 = N$ and $\sum_j u_j(x) u_j(x') = N c$ for a square layer. What does $N = 2$ give?

# %% solution [markdown]
# Multiply $\sum_j u_j(x')^2 = N$ by $u_i(x)^2$ and take the mean: $\frac{N (1 + 2c^2)}{N+2} + (N-1) \frac{N(N+1-2c^2)}{(N-1)(N+2)} = \frac{N (N + 2)}{N+2} = N$, as it must be. Likewise $\frac{N(1+2c^2)}{N+2} + \frac{N(Nc^2 - 1)}{N+2} = \frac{N c^2 (N+2)}{N+2} = N c \cdot c$. For $N = 2$,
# $u = \sqrt2 (\cos\alpha, \sin\alpha)$ with uniform $\alpha$: $\mathbb E u_1^4 = 4 \cdot \frac38 = \frac32 = \frac{3 \cdot 2}{4}$.

# %% rubric [markdown]
# * 1 point: the identity from the sum of squares.
# * 1 point: the identity from the inner product.
# * 1 point: the case N = 2.
