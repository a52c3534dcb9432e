# ---
# number: "5.2"
# title: "The modified loss"
# level: 2
# minutes: 30
# section: "5.3"
# objective: "Find the modified loss that descent follows to second order"
# points: 3
# ---

# %% prompt [markdown]
# Show that the flow of $\mathcal L_\eta = \mathcal L + \frac\eta4 |\nabla \mathcal L|^2$ stays within $O(\eta^2)$ of gradient descent with step $\eta$ up to a fixed time, and find $\mathcal L_\eta$ for $\mathcal L = \frac\lambda2 \theta^2$. To which order does its rate agree with $-\frac1\eta \log(1 - \eta\lambda)$?

# %% solution [markdown]
# The flow of $\mathcal L_\eta$ is $\dot\vartheta = -g - \frac\eta2 H g$. Put $\vartheta = \theta + \eta \delta + O(\eta^2)$: the first order is $\dot\delta = -H\delta - \frac12 H g$, which is [(5.4)](#eq-5-4); so $\vartheta_{k\eta}$ and $\hat\theta_k$ share the
# first order. For the quadratic $\mathcal L_\eta = (\frac\lambda2 + \frac{\eta\lambda^2}{4})\, \theta^2$, with rate $\lambda + \frac{\eta\lambda^2}{2}$, and $-\frac1\eta \log(1 - \eta\lambda) = \lambda + \frac{\eta\lambda^2}{2} + \frac{\eta^2 \lambda^3}{3} + \dots$: they agree up to and with the first order in $\eta$.

# %% rubric [markdown]
# * 1 point: the expansion.
# * 1 point: the agreement with the first order.
# * 1 point: the quadratic loss and its rate.
