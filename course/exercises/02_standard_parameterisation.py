# ---
# number: "2.3"
# title: "The standard parameterisation"
# level: 2
# minutes: 30
# section: "2.3"
# objective: "Derive the tangent kernel of the standard parameterisation"
# points: 3
# ---

# %% prompt [markdown]
# Let instead $y^l = W^l \phi(y^{l-1}) + b^l$ with $W^l_{ij} \sim \mathcal N(0, \sigma_w^2/n_{l-1})$ and $b^l_i \sim \mathcal N(0, \sigma_b^2)$, and train these $W$ and $b$. What replaces [(2.7)](#eq-2-7)? Which parts grow with the width, and which learning rate for each layer gives the kernel of this chapter back?

# %% solution [markdown]
# The function at initialisation has the same law. Only $\partial y_i / \partial W_{ij} = z_j$ and $\partial y_i / \partial b_i = 1$ have lost their factors, so
# $\Theta = \sum_l (\sum_j z^{l}_j(x) z^{l}_j(x') + 1)\, B^{l,L}(x, x')$, with $z^1 = x$ and $z^l = \phi(y^{l-1})$. The sum over $j$ has $n_{l-1}$ terms of order one, so
# the weights' share of layer $l \ge 2$ grows like $n_{l-1}$. The first layer's share and those of the biases stay bounded. With learning rate
# $\eta\, \sigma_w^2/n_{l-1}$ for $W^l$ ($n_0 = d$) and $\eta\, \sigma_b^2$ for $b^l$ each share is multiplied by just the missing factor.

# %% rubric [markdown]
# * 1 point: the derivatives without their factors.
# * 1 point: which shares grow with the width.
# * 1 point: the learning rate of each layer.
