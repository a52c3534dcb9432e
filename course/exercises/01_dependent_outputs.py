# ---
# number: "1.4"
# title: "Dependent outputs"
# level: 2
# minutes: 20
# section: "1.6"
# objective: "Decide the sign of the correlation of two squared outputs"
# points: 2
# ---

# %% prompt [markdown]
# For ReLU, $\sigma_b = 0$, equal widths $n$: is the correlation of $f_1^2$ and $f_2^2$ positive or negative, for each ensemble and depth?

# %% solution [markdown]
# By [(1.18)](#eq-1-18) the sign is that of $(1 + \frac5n)^{L-1} - 1$ for Gaussian weights: zero for $L = 1$, positive otherwise. All outputs share the same $S^{L-1}$. For orthogonal weights it is that of $(1 + \frac5n)^{L-1} (\frac{n}{n+2})^L - 1 \approx \frac{5(L-1) - 2L}{n}$: negative for $L = 1$, where the squares compete for a fixed sum, and positive from $L = 2$ on, at $L = 2$ for $n > 4$.

# %% rubric [markdown]
# * 1 point: the sign for Gaussian weights.
# * 1 point: the sign for orthogonal weights at depth one and beyond.
