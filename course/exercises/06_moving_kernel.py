# ---
# number: "6.4"
# title: "The kernel moves as fast as $\\Gamma$"
# level: 3
# minutes: 35
# section: "6.4"
# objective: "Find the order of the kernel's velocity"
# points: 3
# ---

# %% prompt [markdown]
# For the network of [Theorem 6.3](#thm-6-3) without biases ($\sigma_b = 0$) show that $\nabla f(x_k) \cdot \nabla K(x_i, x_j) = \nabla f_k^\top\, \nabla^2 f_i\, \nabla f_j + \nabla f_k^\top\, \nabla^2 f_j\, \nabla f_i$, and conclude that at initialisation the velocity of the kernel is of order $1/n$.

# %% solution [markdown]
# $K(x_i, x_j) = \nabla f_i \cdot \nabla f_j$; the product rule along $\nabla f_k$ gives the two terms, for any network. Each is the centred sum in the proof of [Theorem 6.3](#thm-6-3), of root mean square $O(n^{-3/2} \sqrt n) = O(1/n)$. Under gradient flow $\dot K(x_i, x_j) = -\frac1N \sum_k c_k\, \nabla f_k \cdot \nabla K(x_i, x_j)$. A
# residual that holds the outputs is correlated with them, which adds a mean of the same order $1/n$: $f_k$ is a sum of $n$ terms $n^{-1/2} a_m \phi_k$, and only equal $m$ contribute.

# %% rubric [markdown]
# * 1 point: the product rule.
# * 1 point: the order of each term.
# * 1 point: the correlated residual.
