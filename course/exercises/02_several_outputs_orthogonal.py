# ---
# number: "2.7"
# title: "Several outputs, orthogonal"
# level: 4
# minutes: 45
# section: "2.9"
# objective: "Repeat a finite-width computation with orthogonal weights"
# points: 3
# ---

# %% prompt [markdown]
# Repeat [Exercise 2.6](02_tangent_kernel.ipynb#ex-2-6) for orthogonal weights with $n \ge n_L \ge 2$, $d \ge n$. Is the coupling of two outputs smaller?

# %% solution [markdown]
# $\Theta_{kk'} = \frac{\sigma_w^2}{n} \Sigma^1 \sum_i W_{ki} W_{k'i} \psi_i$ with $\psi_i = \phi'(y_i)^2 \in \{0, 1\}$, and now $\sum_i W_{ki} W_{k'i} = 0$. By the formula for $k \ne k'$ in the proof of [Lemma 2.3](#lem-2-3), with $N = n$ and $M = \operatorname{diag}(\psi)$, the sum has mean square
# $\frac{n}{(n-1)(n+2)} \bigl[n \sum_i \psi_i - (\sum_i \psi_i)^2\bigr]$. The signs of the $y_i$ are independent, so $\mathbb E(\sum \psi)^2 = \frac{n^2 + n}{4}$, and the mean square is $\frac{n}{(n-1)(n+2)} \cdot \frac{n(n-1)}{4} = \frac{n^2}{4 (n+2)}$: about half of the Gaussian $\frac n2$. The standard deviation is smaller by $\sqrt2$, because the
# part of $\psi$ that is the same for all neurons, its mean, no longer couples the outputs. For a linear network nothing is left.

# %% rubric [markdown]
# * 1 point: what vanishes by orthogonality.
# * 1 point: the mean square.
# * 1 point: the factor and its reason.
