# ---
# number: "3.5"
# title: "Exponential growth"
# level: 3
# minutes: 30
# section: "3.10"
# objective: "Take a joint limit of depth and width"
# points: 3
# ---

# %% prompt [markdown]
# Put $L = a n$ with $n \to \infty$ in [(3.15)](#eq-3-15). What is the limit of the relative variance?

# %% solution [markdown]
# $(1 + \frac2n)^{L - 1 - h} \to e^{2a(1 - t)}$ with $h = tL$, and $b_{h} \to \frac13 e^{2at} + \frac23 e^{-at}$. The first term of [(3.15)](#eq-3-15) vanishes like $1/L$. So the second moment tends to $2 \int_0^1 (1 - t)\, e^{2a(1-t)} \bigl[\frac13 e^{2at} + \frac23 e^{-at}\bigr] dt = \frac{e^{2a}}3 + \frac{4}{3} e^{2a} \int_0^1 (1 - t) e^{-3at} dt$, with
# $\int_0^1 (1-t) e^{-3at} dt = \frac{1}{3a} - \frac{1 - e^{-3a}}{9a^2}$. The relative variance is this less one. For small $a$ the second moment is $1 + \frac43 a + \dots$, as it must be; for large $a$ it grows like $\frac13 e^{2a}$.

# %% rubric [markdown]
# * 1 point: the limits of the factors.
# * 1 point: the integral.
# * 1 point: both limits in a.
