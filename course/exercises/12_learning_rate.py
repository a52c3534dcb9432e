# ---
# number: "12.5"
# title: "The learning rate"
# level: 2
# minutes: 20
# section: "12.5"
# objective: "Compute the largest stable learning rate of a residual network"
# points: 3
# ---

# %% prompt [markdown]
# $N$ inputs with $|x_i|^2 = d$ in different directions. What is, for large $L$, the largest stable learning rate of gradient descent with squared loss? What is it for $\sigma_w = \sqrt 2$, $L = 50$ and large $N$?

# %% solution [markdown]
# The kernel matrix is near $\kappa_w \sigma_w^2 L g^{L-1} (\frac34 I + \frac14 U)$, with largest eigenvalue $\kappa_w\sigma_w^2 L g^{L-1} \frac{N + 3}{4}$. So $\eta < \frac{2N}{\lambda_{\max}} = \frac{8N}{(N+3)\, \kappa_w\sigma_w^2 L g^{L-1}}$. With $\kappa_w = \frac12$, $\sigma_w^2 = 2$ and $L = 50$ this is about
# $8/(50 \cdot 2^{49}) = 2.8 \cdot 10^{-16}$. The condition number, on the other hand, is $(N + 3)/3$, at every depth.

# %% rubric [markdown]
# * 1 point: the largest eigenvalue.
# * 1 point: the rate.
# * 1 point: the number.
