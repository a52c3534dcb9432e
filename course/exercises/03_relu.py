# ---
# number: "3.4"
# title: "ReLU"
# level: 2
# minutes: 20
# section: "3.8"
# objective: "Show how far from isometry gates of slope 0 or 1 are"
# points: 3
# ---

# %% prompt [markdown]
# Show that for orthogonal weights and any activation of slope $0$ with probability $1 - p$ and slope $1$ with probability $p$, on its edge, $v_J = (L-1) \frac{1-p}{p}$. How near to $1$ must $p$ be for isometry at depth $L$?

# %% solution [markdown]
# $\mu_1 = \mu_2 = p$, so $v_\phi = \frac1p - 1$. One needs $(1 - p) L \ll 1$: the law is that of [Theorem 3.3](#thm-3-3)(b). Then the share $1 - p$ of exact zeros is small as well. A hard tanh has $1 - p = \mathbb P(|\sqrt q Z| > 1) \approx e^{-1/(2q)}$: there $q$ may be of order $1/\log L$.

# %% rubric [markdown]
# * 1 point: the two moments.
# * 1 point: the condition on p.
# * 1 point: the hard tanh.
