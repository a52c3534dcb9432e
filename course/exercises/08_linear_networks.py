# ---
# number: "8.1"
# title: "Linear networks"
# level: 3
# minutes: 40
# section: "8.2"
# objective: "Repeat an exact moment computation for another activation"
# points: 4
# ---

# %% prompt [markdown]
# Let $\phi(x) = x$ and $\sigma_w = 1$. Find $a$, $b$ and the recursion that replaces [(8.3)](#eq-8-3), and show that the relative variance is $\frac43 \frac Ln$ to first order for deep networks. Why is it smaller than for ReLU?

# %% solution [markdown]
# Without gates $R = |g|^2/n$ and $\mathbb E R^2 = 1 + \frac2n$. With $n^{-2}$ for $(\frac2n)^2$ and all gates open, $\mathbb E \lVert VA \rVert_F^4 = n^2 (\operatorname{Tr} C)^2 + 2n \operatorname{Tr} C^2$ and
# $\mathbb E \operatorname{Tr} (U C U^\top)^2 = n (\operatorname{Tr} C)^2 + n(n+1) \operatorname{Tr} C^2$. So the matrix is $I + \frac1n \begin{pmatrix} 0 & 2 \\ 1 & 1 \end{pmatrix}$, with eigenvalues $a = 1 + \frac2n$ for $(1, 1)$ and $b = 1 - \frac1n$ for $(2, -1)$. The start is $A = I$, that is
# $(p_1, r_1) = (1, \frac1n)$, the image of $(1, 0)$. So $p_j = \frac13 a^j + \frac23 b^j$ as before, and the limit is $e^{2\beta} [\frac13 + \frac43 h(3\beta)] - 1 = (2 - \frac23) \beta + \cdots$. A gate that is open half of the time makes the noise of one unit larger: $\operatorname{Var}(D g^2)/(\mathbb E D g^2)^2 = 5$ instead of $2$.

# %% rubric [markdown]
# * 1 point: the matrix.
# * 1 point: its eigenvalues and the start.
# * 1 point: the first order.
# * 1 point: why ReLU's is larger.
