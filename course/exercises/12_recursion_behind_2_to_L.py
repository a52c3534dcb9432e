# ---
# number: "12.3"
# title: "The recursion behind $2^L$"
# level: 4
# minutes: 45
# section: "12.5"
# objective: "Find the decay under a wrong normaliser"
# points: 3
# ---

# %% prompt [markdown]
# Let $K^l(x,x') = (2 - \vartheta^{l-1}/\pi)\, K^{l-1}(x,x') + \Sigma^l(x,x')$ and $\sigma_w < \sqrt 2$. Show that $K^L/2^L$ falls like $L^{-3/(2\kappa_w)}$ for $x \ne x'$ in different directions.

# %% solution [markdown]
# Let $k_l = K^l/2^l$: $k_l = (1 - \frac{\vartheta^{l-1}}{2\pi}) k_{l-1} + 2^{-l} \Sigma^l$. The source is of order $(g/2)^l$ with $g < 2$. By [Lemma 12.1](#lem-12-1) $\kappa_w\vartheta/\pi = \frac{3}{l}(1 + O(\frac{\log l}{l}))$, so
# $\log \prod_{m \le l} (1 - \frac{\vartheta^m}{2\pi}) = -\frac{3}{2\kappa_w} \log l + O(1)$. The solution is this product times $k_1 + \sum_m 2^{-m} \Sigma^m / \prod_{k \le m}(\cdot)$, and the sum converges, because an exponential beats a power. Unless
# the bracket happens to vanish, $k_L$ is of exact order $L^{-3/(2\kappa_w)}$: there is no $\lambda \in (0,1)$.

# %% rubric [markdown]
# * 1 point: the normalised recursion.
# * 1 point: the product.
# * 1 point: the convergent sum.
