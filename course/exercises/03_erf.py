# ---
# number: "3.3"
# title: "erf"
# level: 3
# minutes: 35
# section: "3.7"
# objective: "Compute how near to an isometry an activation is"
# points: 3
# ---

# %% prompt [markdown]
# Compute $v_\phi$ to leading order and the rate $G$ of [Proposition 3.2](#prp-3-2) for $\phi = \operatorname{erf}(\frac{\sqrt\pi}{2} x)$, which has slope one at zero. Is it nearer to an isometry than tanh at equal $q$?

# %% solution [markdown]
# $\phi' = e^{-\pi x^2/4}$, $\phi'^2 = e^{-\pi x^2/2}$. With $\mathbb E e^{-a u^2} = (1 + 2aq)^{-1/2}$: $\frac{\mu_2}{\mu_1^2} = \frac{1 + \pi q}{\sqrt{1 + 2\pi q}} = 1 + \frac{\pi^2 q^2}{2} + \dots$. So $v_\phi \approx 4.93\, q^2$ against $8 q^2$. $\phi'' = -\frac\pi2 x \phi'$ gives $G = 1 + \frac\pi2\, \mathbb E\bigl[u \frac{\phi}{\phi'}\bigr]$, and the first form
# of $G$ says $\mathbb E[u\phi/\phi'] = q G$. So $G = 1/(1 - \frac\pi2 q)$: $1 + 1.57 q$ against $1 + 2q$. Yes, because its third derivative at zero is $-\frac\pi2$ and that of tanh is $-2$. (For $q \ge 2/\pi$ the expectation is infinite.)

# %% rubric [markdown]
# * 1 point: the moments of the slope.
# * 1 point: the leading order of v.
# * 1 point: the rate along the signal.
