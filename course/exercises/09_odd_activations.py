# ---
# number: "9.3"
# title: "Odd activations without bias"
# level: 2
# minutes: 20
# section: "9.2"
# objective: "Find the fixed points for odd activations"
# points: 3
# ---

# %% prompt [markdown]
# Let $\phi$ be odd and $\sigma_b = 0$. Show that $c = 0$ and $c = -1$ are fixed points. To what do correlations tend in the chaotic phase, and what is $\lim \Theta^L(x, x')$?

# %% solution [markdown]
# The coefficients $a_k$ with even $k$ vanish, so $f$ is odd: $f(0) = 0$ and $f(-1) = -f(1) = -1$. If $\chi > 1$, $c^\ast = 0$ by uniqueness in [Theorem 9.2](#thm-9-2): all inputs but $\pm x$ become uncorrelated, at the rate $b_1 = f'(0)$. By [(9.7)](#eq-9-7) $\Theta^L(x, x') \to 0$ while the diagonal grows.

# %% rubric [markdown]
# * 1 point: the fixed points.
# * 1 point: the limit of the correlation.
# * 1 point: the limit of the kernel.
