# ---
# number: "7.1"
# title: "Orthogonal data, SGD"
# level: 2
# minutes: 25
# section: "7.6"
# objective: "Compute moments and stability of SGD on orthogonal data"
# points: 3
# ---

# %% prompt [markdown]
# Let $K = \kappa I$ and $S = 1$. Compute $\mathbb E z_i^2$ after $k$ steps of SGD, the threshold $\eta_\ast$, and the step size at which $\mathbb E |z|^2$ falls fastest. Compare with gradient descent and with [Proposition 7.1](#prp-7-1).

# %% solution [markdown]
# A step multiplies $z_i$ by $1 - \eta\kappa$ with probability $1/N$ and leaves it else. So $\mathbb E z_i^2 = z_i(0)^2 \bigl[1 - \frac1N (1 - (1 - \eta\kappa)^2)\bigr]^k$. It decays for $\eta\kappa < 2$, so $\eta_\ast = 2/\kappa$, as [Proposition 7.2](#prp-7-2) says, and
# fastest at $\eta = 1/\kappa$, where one visit fits an example exactly. Gradient descent is stable up to $2N/\kappa$: $N$ times farther, but each of its steps uses $N$ gradients. The SDE's second moment grows for
# $\eta > \frac{2}{\kappa} \frac{N}{N-1}$: here it is close to the truth. But almost surely it converges for all $\eta$, while SGD does so only for $\eta\kappa < 2$.

# %% rubric [markdown]
# * 1 point: the second moment.
# * 1 point: the threshold and the fastest step.
# * 1 point: the comparison.
