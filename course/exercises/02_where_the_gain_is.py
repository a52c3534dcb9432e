# ---
# number: "2.8"
# title: "Where the gain is"
# level: 3
# minutes: 30
# section: "2.10"
# objective: "Compute the share of variance that orthogonal weights remove"
# points: 3
# ---

# %% prompt [markdown]
# At the inputs of Figure 1, pairs of different inputs are nearly orthogonal, $c \approx 0$. For $\sigma_b = 0$, equal lengths $q$, ReLU, $n \gg d$: which share of the variance do orthogonal weights remove from an off-diagonal element of $\hat\Sigma^2$ at $c = 0$, and from a diagonal element of $\hat\Sigma^2$ and of $\Theta$?

# %% solution [markdown]
# At $c = 0$: $m_1 = \frac{q}{2\pi}$, $m_2 = \frac{q^2}{4}$, $D_{11} = D_{22} = \frac1{2\pi}$, $D_{12} = \frac14$, $\Sigma_w = q I$. The share is $\frac{\frac12 (2 \cdot \frac{1}{4\pi^2} + 2 \cdot \frac1{16})}{\frac14 - \frac1{4\pi^2}} = 0.391$. Diagonal of $\hat\Sigma^2$: $\frac{1/2}{5/4} = 0.4$. Diagonal of $\Theta$, in units of $q^2$: the
# Gaussian variance is $\frac32 + 2 \cdot \frac12 + 3 \cdot \frac12 - 1 = 3$; the read-out removes $2 \cdot \frac14 = \frac12$, the first layer $\frac12 H^2$ with $H = 2 q \partial_q (\frac q2) = q$, again $\frac12$. Together one third.

# %% rubric [markdown]
# * 1 point: the off-diagonal element.
# * 1 point: the diagonal of the covariance.
# * 1 point: the diagonal of the tangent kernel.
