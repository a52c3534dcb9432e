# ---
# number: "12.4"
# title: "Branches that know the depth"
# level: 3
# minutes: 40
# section: "12.2"
# objective: "Take the limit of small branches"
# points: 3
# ---

# %% prompt [markdown]
# Keep the first layer and let $\sigma_w^2 = 2t/L$ in the others, $t$ fixed. What are the limits of variance, correlation and kernel for $L \to \infty$?

# %% solution [markdown]
# Now $a = t/L$, $g^{L-1} \to e^t$ and $\kappa_w \approx t/L$. In the variable $\tau = l/L$ the recursions [(12.6)](#eq-12-6) and [(12.10)](#eq-12-10) become
# $\gamma' = -\frac t\pi (\sin\vartheta - \vartheta\cos\vartheta)$ and $r' = t\, \bigl(F(c) - \frac{\vartheta}{\pi} r\bigr)$ on $[0, 1]$, from $\gamma^1$ and $r = c^1$. The diagonal ends at $r = 1 + t$. Nothing blows up or vanishes, the angle is still there at the output,
# and no normaliser is needed: it is the choice of $\sigma_w$, not the skip connection alone, that makes depth harmless.

# %% rubric [markdown]
# * 1 point: the scaling.
# * 1 point: the equations.
# * 1 point: the diagonal.
