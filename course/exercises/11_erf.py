# ---
# number: "11.2"
# title: "erf"
# level: 3
# minutes: 40
# section: "11.4"
# objective: "Compute a second-order coefficient in closed form"
# points: 3
# ---

# %% prompt [markdown]
# For $\phi = \operatorname{erf}$ at variance $q$ put $r = \frac{2q}{1 + 2q}$ and $t = \frac{r^2}{1 - r^2}$. Show that on the edge $A = \frac t2$, $B = \frac16(t + 3t^2)$, and that the coefficient in [Theorem 11.3](#thm-11-3) is $-\frac13\bigl(1 + \frac{2}{3t}\bigr)$: negative for every bias.

# %% solution [markdown]
# By [Proposition 2.4](02_tangent_kernel.ipynb#prp-2-4), $f$ is a constant plus a multiple of $\arcsin(r c)$. With $w = 1 - r^2c^2$: $f' \propto r\, w^{-1/2}$, $f'' \propto r^3 c\, w^{-3/2}$, $f^{(3)} \propto r^3 w^{-3/2} + 3 r^5 c^2 w^{-5/2}$. Divide by $f'(1) = 1$:
# $f''(1) = t$, $f^{(3)}(1) = t + 3t^2$. So $\frac{B}{A^2} = \frac{2(t + 3t^2)}{3t^2} = 2 + \frac{2}{3t}$ and $\frac13(1 - \frac{B}{A^2}) = -\frac13(1 + \frac{2}{3t})$.

# %% rubric [markdown]
# * 1 point: the derivatives.
# * 1 point: A and B.
# * 1 point: the coefficient and its sign.
