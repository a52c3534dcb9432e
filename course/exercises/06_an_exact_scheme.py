# ---
# number: "6.2"
# title: "A scheme that is exact"
# level: 3
# minutes: 35
# section: "6.2"
# objective: "Show that a scheme has the moments of SGD"
# points: 3
# ---

# %% prompt [markdown]
# Let $f$ be linear in $\theta$ and the loss squared. Show that the Euler-Maruyama scheme [(6.5)](#eq-6-5) has the same mean and the same second moment of the outputs as SGD, after any number of steps and at any step size. Why does this not contradict [Theorem 6.1](#thm-6-1)?

# %% solution [markdown]
# The residual moves by $z_+ = z - \frac\eta N K z + \eta\sqrt\nu\, K B(z)\, \xi$, so $\mathbb E[z_+ \mid z] = (I - \frac\eta N K) z$ and $\operatorname{Cov}[z_+ \mid z] = \eta^2 \nu K C(z) K$, as for SGD. $C$ is quadratic in $z$, so $\mathbb E z$ and $\mathbb E z z^\top$ obey the closed recursion [(7.7)](07_squared_loss.ipynb#eq-7-7) in both cases.
# In [(6.6)](#eq-6-6) the error holds $\nabla^3 u_s$, and for $\varphi$ quadratic in $\theta$ and a linear flow $u_s$ is quadratic: it vanishes. Cubic functions see a difference.

# %% rubric [markdown]
# * 1 point: the conditional mean.
# * 1 point: the conditional covariance.
# * 1 point: why the theorem is not contradicted.
