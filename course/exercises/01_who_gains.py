# ---
# number: "1.5"
# title: "Who gains"
# level: 3
# minutes: 30
# section: "1.7"
# objective: "Compute which share of a kernel's variance orthogonal weights remove"
# points: 3
# ---

# %% prompt [markdown]
# What share of $\operatorname{Var}(\hat\Sigma^2(x, x))$ does a square orthogonal layer remove, for $\sigma_b = 0$ and $\phi(y) = y^k$ with $k = 1, 2, 3$, and for ReLU? And for an activation that is bounded, as $\Sigma^1 \to \infty$?

# %% solution [markdown]
# The share is $2 (q e')^2/v$ by [(1.17)](#eq-1-17). For $y^k$, $e = (2k-1)!!\, q^k$, $q e' = k\, e$ and $v = \bigl((4k-1)!! - (2k-1)!!^2\bigr) q^{2k}$. Hence $\frac22 = 1$, $\frac{2 \cdot 4 \cdot 9}{105 - 9} = \frac34$ and $\frac{2 \cdot 9 \cdot 225}{10395 - 225} = 0.398$. ReLU: $e = \frac q2$, $v = \frac54 q^2$, share $\frac{1/2}{5/4} = 0.4$.
# For a bounded activation, like tanh, $\phi^2 \to 1$ except near $y = 0$, in a window of probability of order $q^{-1/2}$. There $v \sim q^{-1/2}$, while $1 - e \sim q^{-1/2}$ gives $q e' \sim q^{-1/2}$: the share goes to zero like $q^{-1/2}$.

# %% rubric [markdown]
# * 1 point: the formula applied to powers.
# * 1 point: ReLU.
# * 1 point: the bounded activation and its rate.
