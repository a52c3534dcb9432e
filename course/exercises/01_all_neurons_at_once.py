# ---
# number: "1.6"
# title: "All neurons at once"
# level: 3
# minutes: 30
# section: "1.4"
# objective: "Find the number of neurons up to which a layer is nearly Gaussian"
# points: 3
# ---

# %% prompt [markdown]
# [Theorem 1.1](#thm-1-1) is for a fixed number $r$ of neurons. Show that for one input and *all* $r = n = N$ neurons the total variation distance is one, and find from the bound which $r(N)$ are allowed for the distance to vanish.

# %% solution [markdown]
# $\sum_i u_i^2 = N$ has probability one under the corner and zero under the Gaussian law. The bound for one column, $(1 - \frac rN)^{-1/2} e^{1/(N-r-1)} - 1$, vanishes if $\frac rN \to 0$. This is sharp in order: with $r = \theta N$ the sum of squares has the standard deviations $\sqrt{2r}$ and, by [(1.8)](#eq-1-8), about $\sqrt{2r (1-\theta)}$, and two Gaussian laws with different variances have a distance that does not vanish.

# %% rubric [markdown]
# * 1 point: distance one for all neurons.
# * 1 point: the condition r/N to zero from the bound.
# * 1 point: why it is sharp in order.
