# ---
# number: "13.1"
# title: "The other interpolation"
# level: 2
# minutes: 30
# section: "13.2"
# objective: "See why a proof needs its interpolation"
# points: 3
# ---

# %% prompt [markdown]
# Replace $Z_u$ by $uX + (1-u)Y$ in [Theorem 13.1](#thm-13-1). What becomes of the formula?

# %% solution [markdown]
# $\psi'(u) = \sum_i \mathbb E[\partial_i g(Z_u)(X_i - Y_i)]$ and integration by parts gives $\sum_{ij} (u A_{ij} - (1-u) B_{ij})\, \mathbb E[\partial_{ij} g(Z_u)]$. There is no factor $\frac12$, and the integrand has no sign when $A \ge B$ entrywise:
# Slepian's inequality cannot be read off. Check with $g(x) = x^2$: $\int_0^1 2(uA - (1-u)B)\, du = A - B$.

# %% rubric [markdown]
# * 1 point: the derivative.
# * 1 point: no sign.
# * 1 point: the check.
