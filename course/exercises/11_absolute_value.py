# ---
# number: "11.1"
# title: "Absolute value"
# level: 1
# minutes: 15
# section: "11.3"
# objective: "Treat a case that a theorem excludes"
# points: 3
# ---

# %% prompt [markdown]
# Take $\phi(x) = |x|$ on the edge. What are $k_\phi$, $\sigma_w$, and the limit of $\Theta^L/(qL)$ for two antipodal inputs? Why does [Theorem 11.2](#thm-11-2) exclude them?

# %% solution [markdown]
# $a = 1$, $b = -1$: $k_\phi = \frac{4}{2\pi} = \frac2\pi$ and $\sigma_w = 1$. At $\vartheta = \pi$: $f = -1 + \frac2\pi \cdot \pi = 1$. After one layer the two inputs agree, as they must, since $|-x| = |x|$. From then on
# $f' = 1$, so $\Theta^L/(qL) \to 1$ and not $\frac14$: $c = 1$ is reached, not approached.

# %% rubric [markdown]
# * 1 point: the constants.
# * 1 point: what happens at angle pi.
# * 1 point: the limit.
