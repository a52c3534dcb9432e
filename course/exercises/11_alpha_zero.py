# ---
# number: "11.3"
# title: "$\\alpha = 0$"
# level: 3
# minutes: 35
# section: "11.2"
# objective: "Extend a lemma on sequences to its boundary"
# points: 3
# ---

# %% prompt [markdown]
# What does [Claim 11.4](#clm-11-4), Lemma 4 of paper S, become for $\alpha = 0$? To which order in $l$ does $a_l/l$ come near its limit then?

# %% solution [markdown]
# In [(11.3)](#eq-11-3), $s_l = q\kappa \frac{\log l}{l} + O(\frac1l)$, and $r_l = \lambda_l r_{l-1} + s_l$ with $\lambda_l = 1 + O(\frac{\log l}{l^2})$. Nothing damps the sum: $r_l = \frac{q\kappa}{2} \log^2 l + O(\log l)$, and
# $\frac{a_l}{l} = q + \frac{q\kappa}{2} \frac{\log^2 l}{l} + O(\frac{\log l}{l})$: the distance to the limit is of order $\frac{\log^2 l}{l}$, one logarithm more than in the claim.

# %% rubric [markdown]
# * 1 point: the source.
# * 1 point: the undamped sum.
# * 1 point: the conclusion.
