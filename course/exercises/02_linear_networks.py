# ---
# number: "2.1"
# title: "Linear networks"
# level: 1
# minutes: 15
# section: "2.4"
# objective: "Unroll the recursion of the tangent kernel"
# points: 3
# ---

# %% prompt [markdown]
# Let $\phi(x) = x$ and $\sigma_b = 0$. Find $\Sigma^L$ and $\Theta^L$. How much faster does gradient flow train the infinitely wide linear network of depth $L$ than linear regression with the same $\Sigma$, if $\sigma_w = 1$?

# %% solution [markdown]
# $\mathbb E[\phi\phi] = \Sigma^{l-1}$ and $\mathbb E[\phi'\phi'] = 1$. So $\Sigma^l = \sigma_w^{2l}\, x \cdot x'/d$. Unroll with [(2.12)](#eq-2-12): each of the $L$ terms is
# $\Sigma^l \sigma_w^{2(L-l)} = \sigma_w^{2L}\, x \cdot x'/d$. Hence $\Theta^L = L\, \sigma_w^{2L}\, x \cdot x'/d = L\, \Sigma^L$. For $\sigma_w = 1$ the
# solution [(2.3)](#eq-2-3) depends on $t \Theta$ only, so the deep network follows the same path $L$ times as fast: every layer contributes the same amount.

# %% rubric [markdown]
# * 1 point: the covariance.
# * 1 point: each layer's share.
# * 1 point: the factor L in the speed.
