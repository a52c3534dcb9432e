# ---
# number: "2.2"
# title: "ReLU by hand"
# level: 2
# minutes: 30
# section: "2.5"
# objective: "Evaluate the recursion for ReLU by hand"
# points: 4
# ---

# %% prompt [markdown]
# ReLU, $\sigma_w^2 = 2$, $\sigma_b = 0$, $|x|^2 = d$. (a) Show $\Sigma^l(x, x) = 2$ for all $l$ and $\Theta^L(x, x) = 2L$. (b) Compute $\Sigma^2, \Theta^2, \Sigma^3, \Theta^3$ at $(x, -x)$. (c) Show that near angle zero $\Theta^2(x, x')$ has a corner: its derivative in the angle $\vartheta$ at $0^+$ is $-2/\pi$, and that of $\Sigma^2$ is $0$.

# %% solution [markdown]
# (a) $\Sigma^1(x,x) = 2$. At $c = 1$, [(2.14)](#eq-2-14) gives $\mathbb E\phi^2 = q/2$ and $\mathbb E\phi'^2 = 1/2$. So $\Sigma^l = 2 \cdot q/2 = q = 2$, and
# $\Theta^l = 2 + 2 \cdot \frac12 \Theta^{l-1}$, that is $\Theta^L = 2L$.
#
# (b) $c = -1$: both means in [(2.14)](#eq-2-14) are zero. So $\Sigma^2 = 0$ and $\Theta^2 = 0 + 0 \cdot \Theta^1 = 0$. Next $c = 0$: $\mathbb E[\phi\phi] = 2/(2\pi) = 1/\pi$, so
# $\Sigma^3 = 2/\pi$, and $\Theta^3 = 2/\pi + 2 \cdot \frac14 \cdot 0 = 2/\pi$.
#
# (c) With $c = \cos\vartheta$, $\Sigma^1 = 2\cos\vartheta$, $\Sigma^2 = \frac2\pi (\sin\vartheta + (\pi - \vartheta)\cos\vartheta)$, whose derivative is
# $-\frac2\pi (\pi - \vartheta) \sin\vartheta$, zero at $0$. And $\Theta^2 = \Sigma^2 + 2 \cdot \frac{\pi - \vartheta}{2\pi} \cdot 2\cos\vartheta$. The derivative of the second
# term at $0^+$ is $-\frac{2}{\pi}$. The corner comes from $\phi'$, which jumps. It is what Figure 2.1 shows on the right.

# %% rubric [markdown]
# * 1 point: part (a).
# * 1 point: part (b).
# * 1 point: the derivative of the covariance in (c).
# * 1 point: the corner of the kernel in (c).
