# ---
# number: "10.3"
# title: "Steps"
# level: 2
# minutes: 25
# section: "10.5"
# objective: "Estimate the number of steps that depth costs"
# points: 3
# ---

# %% prompt [markdown]
# How many steps of gradient descent, at the largest stable learning rate, does the ordered network of depth $L$ need to learn more than the mean label? Evaluate the order for erf (1, 1) at $L = 100$. And the chaotic one?

# %% solution [markdown]
# Stability needs $\eta < 2N/(N\lambda) = 2/\lambda$. The time is $N/(\mu L \chi^L)$, with $\mu$ an eigenvalue of $-(q + \lambda D/\chi)\, G$ on the vectors orthogonal to $\mathbf 1$, which is at most of order $N$. So the steps are at least of order $\lambda \chi^{-L}/L$: with $\chi = 0.475$ and $L = 100$, some $10^{30}$. In the chaotic phase
# the condition number tends to $1$: a few steps, at the learning rate $N (\chi - 1)/(q \chi^L)$.

# %% rubric [markdown]
# * 1 point: the stable step.
# * 1 point: the time and the number.
# * 1 point: the chaotic phase.
