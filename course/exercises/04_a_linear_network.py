# ---
# number: "4.4"
# title: "A linear network"
# level: 2
# minutes: 25
# section: "4.4"
# objective: "Compute the motion of the kernel in a linear network exactly"
# points: 3
# ---

# %% prompt [markdown]
# For $f = \sqrt{s/n} \sum_i a_i y_i$ with $y_i = (\sigma_w/\sqrt d)\, (W^1 x)_i$ show that $O = 4 q s f/n$ exactly, at all times and for both ensembles, and that $\Theta$ can only grow while $|f|$ does.

# %% solution [markdown]
# In the proof of [Proposition 4.3](#prp-4-3) put $\phi = y$, $\phi' = 1$, $\phi'' = 0$: $O = (s/n)^{3/2} \sum_i 4 q a_i y_i = \frac{4 q s}{n} f$. Hence $\dot\Theta = -\frac{4qs}{n} f r$ for one example, and $\dot f = -\Theta r$, so $\Theta \dot\Theta = \frac{4qs}{n} f \dot f$, or $\frac{d}{dt} \Theta^2 = \frac{4qs}{n} \frac{d}{dt} f^2$. The kernel changes by $\frac{2qs}{n\Theta} (f_t^2 - f_0^2)$ to leading order: of order $1/n$.

# %% rubric [markdown]
# * 1 point: the identity for O.
# * 1 point: the conservation law.
# * 1 point: the order 1/n.
