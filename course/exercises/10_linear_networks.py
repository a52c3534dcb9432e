# ---
# number: "10.1"
# title: "Linear networks"
# level: 1
# minutes: 20
# section: "10.2"
# objective: "Solve the ordered phase of a linear network exactly"
# points: 3
# ---

# %% prompt [markdown]
# $\phi(x) = x$, $\sigma_w < 1$, $\sigma_b > 0$. Find $q$, $\chi$, $\lambda$ and $\Theta^L(x, x') - \lambda$ exactly. Is the error on and off the diagonal of the same order?

# %% solution [markdown]
# $\chi = \sigma_w^2$, $q = \sigma_b^2/(1 - \chi)$, $\lambda = q/(1 - \chi)$. The covariance obeys $\Sigma^l = \sigma_b^2 + \chi\, \Sigma^{l-1}$, so $\Sigma^l - q = \chi^{l-1} (\Sigma^1 - q)$, on and off the diagonal, and $\Theta^L - \lambda = \chi^{L-1} \bigl(\Sigma^1 - \lambda + (L-1)(\Sigma^1 - q)\bigr)$ as in [Theorem 10.2](#thm-10-2) (a).
# The same order $L \chi^L$ everywhere, except where $\Sigma^1(x, x') = q$.

# %% rubric [markdown]
# * 1 point: the constants.
# * 1 point: the kernel.
# * 1 point: the orders on and off the diagonal.
