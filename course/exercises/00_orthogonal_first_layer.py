# ---
# number: "0.4"
# title: "The same with orthogonal weights"
# level: 3
# minutes: 30
# section: "0.4"
# objective: "Say where a proof for Gaussian weights fails for orthogonal ones"
# points: 3
# ---

# %% prompt [markdown]
# Replace the first layer's weights in [Proposition 0.2](#prp-0-2) by $W^1 = \sqrt n\, Q$ with $Q$ uniform on the $n \times d$ matrices with orthonormal columns, $n \ge d$, and let $\sigma_b = 0$. Which step of the proof fails? Compute $\mathbb E[y_i^4]$ for a hidden pre-activation $y_i$ and compare it with the Gaussian value.

# %% solution [markdown]
# The pairs $(y_i(x), y_i(x'))$ still have covariance $\Sigma^1$, but they are not Gaussian, so that the mean of $\phi(y_i)\phi(y_i')$ is not the Gaussian one. The vector $Q x / |x|$ is uniform on the unit sphere of $\mathbb R^n$, and its coordinates $u_i$ have $\mathbb E[u_i^2] = 1/n$ and $\mathbb E[u_i^4] = 3 / (n (n+2))$. With $y_i = \sigma_w \sqrt{n/d}\; |x|\, u_i$ and $q = \sigma_w^2 |x|^2 / d$,
#
# $$ \mathbb E[y_i^4] = \frac{3 n}{n + 2}\, q^2 , $$
#
# against $3 q^2$. The difference is of order $1/n$, like the bias that it causes. At $n = 8$ the value is $2.4\, q^2$. Chapter 1 continues from here.

# %% rubric [markdown]
# * 1 point: the step that fails: the pre-activations are not Gaussian.
# * 1 point: the fourth moment of a coordinate on the sphere.
# * 1 point: the comparison with the Gaussian value, of order 1/n.
