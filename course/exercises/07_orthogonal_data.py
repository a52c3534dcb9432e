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
# Let $K = \lambda I$ and $S = 1$. Compute $\mathbb E z_i^2$ after $k$ steps of SGD, the threshold $\eta_\ast$, and the step size at which $\mathbb E |z|^2$ falls fastest. Compare with gradient descent and with [Proposition 7.1](#prp-7-1).

# %% solution [markdown]
# A step multiplies $z_i$ by $1 - \eta\lambda$ with probability $1/N$ and leaves it else. So $\mathbb E z_i^2 = z_i(0)^2 \bigl[1 - \frac1N (1 - (1 - \eta\lambda)^2)\bigr]^k$. It decays for $\eta\lambda < 2$, so $\eta_\ast = 2/\lambda$, as [Proposition 7.2](#prp-7-2) says, and
# fastest at $\eta = 1/\lambda$, where one visit fits an example exactly. Gradient descent is stable up to $2N/\lambda$: $N$ times farther, but each of its steps uses $N$ gradients. The SDE's second moment grows for
# $\eta > \frac{2}{\lambda} \frac{N}{N-1}$: here it is close to the truth. But almost surely it converges for all $\eta$, while SGD does so only for $\eta\lambda < 2$.

# %% rubric [markdown]
# * 1 point: the second moment.
# * 1 point: the threshold and the fastest step.
# * 1 point: the comparison.
