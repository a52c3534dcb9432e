# ---
# number: "12.1"
# title: "Linear branches"
# level: 1
# minutes: 20
# section: "12.3"
# objective: "Solve the residual recursion of linear branches"
# points: 3
# ---

# %% prompt [markdown]
# Let $\phi(x) = x$ and $\sigma_b = 0$. Find $\Theta^L(x, x')$ for all pairs. What is the off-diagonal limit now?

# %% solution [markdown]
# $\mathbb E[\phi\phi] = \Sigma^{l-1}$ and $\mathbb E[\phi'\phi'] = 1$, so with $G = 1 + \sigma_w^2$: $\Sigma^l = G \Sigma^{l-1}$ and $\Theta^l = G\, \Theta^{l-1} + \sigma_w^2 \Sigma^{l-1}$. As in
# [Theorem 12.2](#thm-12-2), $\Theta^L = \Sigma^1 G^{L-1} (1 + (L-1) \sigma_w^2/G) = \Sigma^1\, G^{L-2} (1 + \sigma_w^2 L)$. The correlation stays $c^1$, and so does the ratio of off-diagonal
# to diagonal. The loss of the angles is the work of the kink.

# %% rubric [markdown]
# * 1 point: the covariance.
# * 1 point: the kernel.
# * 1 point: the ratio off the diagonal.
