# ---
# number: "9.1"
# title: "Variance at small bias"
# level: 3
# minutes: 35
# section: "9.5"
# objective: "Expand the edge of chaos at small bias"
# points: 3
# ---

# %% prompt [markdown]
# For tanh and small $q$ show that $q W - V = \tfrac43 q^3 + O(q^4)$. Conclude that the edge of chaos leaves $(\sigma_w, \sigma_b) = (1, 0)$ like $\sigma_w \approx 1 + (3/4)^{1/3} \sigma_b^{2/3}$. What does erf give?

# %% solution [markdown]
# $\tanh^2 u = u^2 - \tfrac23 u^4 + \tfrac{17}{45} u^6 - \dots$ and $\tanh'(u)^2 = (1 - \tanh^2 u)^2 = 1 - 2u^2 + \tfrac73 u^4 - \dots$ With $\mathbb E u^2 = q$, $\mathbb E u^4 = 3q^2$, $\mathbb E u^6 = 15 q^3$:
# $V = q - 2q^2 + \tfrac{17}{3} q^3$, $W = 1 - 2q + 7q^2$, so $qW - V = (7 - \tfrac{17}{3}) q^3 = \tfrac43 q^3$.
#
# On the edge $\sigma_b^2 = (qW - V)/W \approx \tfrac43 q^3$, so $q \approx (\tfrac34 \sigma_b^2)^{1/3}$, and $\sigma_w = W^{-1/2} \approx 1 + q$. For erf $M = \tan\psi/\psi \approx 1 + \psi^2/3$ with $\psi \approx 2q$: again $\sigma_b^2 \approx \tfrac43 q^3$, and $\sigma_w \approx \tfrac{\sqrt\pi}{2} (1 + q)$. A bias of $0.2$ moves the edge by $30\,\%$: the edge is steep at its end.

# %% rubric [markdown]
# * 1 point: the expansions.
# * 1 point: the edge.
# * 1 point: erf.
