# ---
# number: "15.4"
# title: "An exact scatter"
# level: 2
# minutes: 25
# section: "15.3"
# objective: "Test an estimate on a case that can be solved"
# points: 3
# ---

# %% prompt [markdown]
# Let $\delta = \varepsilon \bar K$ with $1 + \varepsilon$ Gamma distributed with mean 1 and variance $v$, and $h = e^{-x(1 + \varepsilon)}$. Compute $\mathbb E h$, compare with [Corollary 15.1](#cor-15-1), and say when the estimate fails.

# %% solution [markdown]
# $\mathbb E e^{-x(1 + \varepsilon)} = (1 + v x)^{-1/v} = \exp(-x + \frac12 v x^2 - \frac13 v^2 x^3 + \dots)$. The estimate $e^{-x}(1 + \frac12 v x^2)$ needs $v x^2 \ll 1$, not only $v x \ll 1$: at late times the mean is a power of $x$, made by the few slowest networks, and no expansion about the mean kernel gives it.

# %% rubric [markdown]
# * 1 point: the mean.
# * 1 point: the condition.
# * 1 point: late times.
