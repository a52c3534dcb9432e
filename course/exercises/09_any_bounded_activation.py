# ---
# number: "9.5"
# title: "Any bounded activation"
# level: 2
# minutes: 25
# section: "9.5"
# objective: "Show that an activation has an edge of chaos"
# points: 3
# ---

# %% prompt [markdown]
# Use [Theorem 9.3](#thm-9-3) to show that the Gaussian bump $e^{-x^2}$ has an edge of chaos at every $\sigma_b$, though its mean degree is below 1 for small $q$.

# %% solution [markdown]
# It is bounded, $\phi(0) = 1 \ne 0$, and $\int \phi'^2 = \int 4x^2 e^{-2x^2} dx = \sqrt{\pi/2}$ is positive and finite: (b) applies. Explicitly $V = (1 + 4q)^{-1/2}$ and $W = 4q\, (1 + 4q)^{-3/2}$, so $M = 4q^2/(1 + 4q)$, which exceeds $1$ for $q > (1 + \sqrt 2)/2$ and grows without bound. At $\sigma_b = 0$: $q = 1.207$, $\sigma_w^2 = 1/W = q\,(1 + 4q)^{1/2} = 2.914$.

# %% rubric [markdown]
# * 1 point: the conditions of the theorem.
# * 1 point: the explicit mean degree.
# * 1 point: the edge without bias.
