# ---
# number: "7.5"
# title: "Where the SDE's threshold lies"
# level: 3
# minutes: 30
# section: "7.6"
# objective: "Compare the stability of SGD and of its SDE"
# points: 3
# ---

# %% prompt [markdown]
# Show that the SDE is mean-square stable for $\eta < 2S/K_{\max}$, and that for $N = 1$ it is stable at every step size. Conclude that for $S > S_c$ there are step sizes at which the SDE converges and SGD does not.

# %% solution [markdown]
# As in [Proposition 7.2](#prp-7-2): $\frac{d}{dt} \mathbb E |\theta|^2 = -\frac2N \mathbb E|z|^2 + \frac\eta S \mathbb E \operatorname{Tr} \Sigma$, and $\operatorname{Tr} \Sigma = \frac1N \sum_i K_{ii} z_i^2 - \frac1{N^2} z^\top K z \le \frac{K_{\max}}{N} |z|^2$. So it decreases for
# $\eta K_{\max}/S < 2$. For $N = 1$, $C(z) = z^2 - z^2 = 0$: there is no noise, and the flow is stable. SGD diverges for $\eta > 2N/\lambda_{\max}$, and $2S/K_{\max}$ exceeds this as soon as $S > N K_{\max}/\lambda_{\max} = S_c$. (SDE and SGD agree for $\eta \to 0$ only.)

# %% rubric [markdown]
# * 1 point: the SDE's bound.
# * 1 point: one example.
# * 1 point: the conclusion for large batches.
