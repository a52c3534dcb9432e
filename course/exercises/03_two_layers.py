# ---
# number: "3.2"
# title: "Two layers"
# level: 1
# minutes: 15
# section: "3.4"
# objective: "Find the singular values of a network of two layers"
# points: 2
# ---

# %% prompt [markdown]
# Show that for $L = 2$ and orthogonal weights the singular values are $\sigma_w^2 |\phi'(y_i)|$ at every width, and that [(3.6)](#eq-3-6) says the same.

# %% solution [markdown]
# $J = \sigma_w^2 Q^2 D^1 Q^1$ with rotations $Q$: the singular values are those of $D^1$. With $L = 2$, $\iota = 1$: $x = \sigma_w^4 s$ and $x \rho = -\frac1\pi \operatorname{Im} M(s)$, Stieltjes' inversion for the law of $d$.

# %% rubric [markdown]
# * 1 point: the product with rotations.
# * 1 point: the agreement with the equation.
