# ---
# number: "16.1"
# title: "On the mark"
# level: 2
# minutes: 25
# section: "16.2"
# objective: "Solve a catapult map on its boundary"
# points: 3
# ---

# %% prompt [markdown]
# Let $\eta\lambda_0 = 4$ exactly in [Lemma 16.1](#lem-16-1). Show that $\eta\lambda$ stays 4, that $g \le 4$ always, and that $g \mapsto g (g - 3)^2$ maps $[0, 4]$ onto itself. Substitute $g = 4 \sin^2\varphi$.

# %% solution [markdown]
# $s' - s = (s - 4) g = 0$. By Cauchy and Schwarz $\lvert u \cdot v \rvert \le \frac12 (\lvert u \rvert^2 + \lvert v \rvert^2)$, so $4 g \le s^2 = 16$. With $g = 4 \sin^2\varphi$: $\; g (g - 3)^2 = 4 \sin^2\varphi\, (4 \sin^2\varphi - 3)^2 = 4 \sin^2 3\varphi$, because
# $\sin 3\varphi = 3 \sin\varphi - 4 \sin^3\varphi$. The map triples an angle: it is chaotic, and the loss neither dies nor grows.

# %% rubric [markdown]
# * 1 point: the invariance.
# * 1 point: the bound.
# * 1 point: the substitution and what it shows.
