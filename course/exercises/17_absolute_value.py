# ---
# number: "17.1"
# title: "The absolute value"
# level: 1
# minutes: 15
# section: "17.3"
# objective: "Read the constants of a two-slope activation"
# points: 3
# ---

# %% prompt [markdown]
# Let $\phi(y) = \lvert y \rvert$, $\sigma_w = 1$, $\sigma_b = 0$, square orthogonal weights. Show without [Theorem 17.2](#thm-17-2) that $\Theta(x, x)$ does not scatter at all. What of $\Theta(x, x')$?

# %% solution [markdown]
# $\lvert z^l \rvert = \lvert y^l \rvert$, and $W$ keeps lengths, so each $\hat K^l$ is fixed. $\phi'^2 = 1$, so $\lvert \delta^l \rvert$ is kept as well, and every share is. For two inputs the signs $\phi'(y) \phi'(y')$ are random, and $\Theta(x, x')$ scatters.

# %% rubric [markdown]
# * 1 point: forward.
# * 1 point: backward.
# * 1 point: the pair.
