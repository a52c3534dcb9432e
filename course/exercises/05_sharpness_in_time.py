# ---
# number: "5.1"
# title: "Sharpness in $T$"
# level: 2
# minutes: 25
# section: "5.2"
# objective: "Show that a bound's exponential is needed"
# points: 3
# ---

# %% prompt [markdown]
# Show with $\mathcal L(\theta) = -\frac C2 \theta^2$ that the factor $e^{CT}$ in [(5.1)](#eq-5-1) cannot be removed for losses that are not convex, and compute the error to first order.

# %% solution [markdown]
# $\theta_t = e^{Ct} \theta_0$, $\hat\theta_k = (1 + x)^k \theta_0$ with $x = C\eta$. $(1 + x)^{s/x} = e^{s} (1 - \frac{s x}{2} + O(x^2))$, so the error at time $T$ is $\frac{\eta}{2}\, C^2 T e^{CT} |\theta_0| = \frac\eta2\, C T e^{CT} |\nabla \mathcal L(\theta_0)|$: it grows like
# $e^{CT}$. In [(5.1)](#eq-5-1), $G = e^{CT} |\nabla \mathcal L(\theta_0)|$ gives the bound $\frac\eta2 e^{CT} (e^{CT} - 1) |\nabla \mathcal L(\theta_0)|$; one of the two exponentials is lost by using the worst gradient at all times.

# %% rubric [markdown]
# * 1 point: both paths.
# * 1 point: the error to first order.
# * 1 point: the comparison with the bound.
