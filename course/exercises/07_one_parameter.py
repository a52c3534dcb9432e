# ---
# number: "7.2"
# title: "One parameter"
# level: 2
# minutes: 30
# section: "7.6"
# objective: "Compute the stationary noise of one parameter"
# points: 3
# ---

# %% prompt [markdown]
# Let $K = a\, \mathbf 1 \mathbf 1^\top$ (all inputs equal). Show that $\eta_\ast = 2/a = 2N/\lambda_{\max}$ for every batch size, so that both bounds of [(7.12)](#eq-7-12) agree. What does SGD converge to, and with what covariance?

# %% solution [markdown]
# $\lambda_{\max} = aN$ and $K_{\max} = a$, so the left bound is $2/(\nu a + (1-\nu) a) = 2/a$, the right one $2N/(aN) = 2/a$. The range of $K$ is spanned by $\mathbf 1$; the output tends in the mean to the average label. $e = z_0 - \bar z_0 \mathbf 1$ is what
# cannot be fitted, with mean square $s^2$. For the common value $u$, $u_+ = (1 - \eta a) u - \eta a\, \xi$ with $\xi$ the batch mean of $e$, of variance $\nu s^2$. So $\operatorname{Var} u = \frac{\eta a\, \nu s^2}{2 - \eta a}$. Here
# the noise is additive. To leading order this is the floor of [Theorem 7.7](#thm-7-7): $\frac12 \operatorname{Var} u \approx \frac{\nu\eta}{4} a s^2$.

# %% rubric [markdown]
# * 1 point: both bounds.
# * 1 point: the limit in the mean.
# * 1 point: the variance.
