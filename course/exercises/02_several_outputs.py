# ---
# number: "2.6"
# title: "Several outputs"
# level: 2
# minutes: 25
# section: "2.3"
# objective: "Compute the coupling of two outputs at finite width"
# points: 3
# ---

# %% prompt [markdown]
# For one hidden ReLU layer of width $n$, $\sigma_b = 0$, and two different outputs $k \ne k'$, compute mean and variance of the tangent kernel's element $\Theta(x, x)_{kk'}$. How wide must the network be for a standard deviation of 1% of $\Theta^2(x, x)$?

# %% solution [markdown]
# The last layer contributes $\delta_{kk'} \hat\Sigma^2 = 0$. The first contributes $\frac{\sigma_w^2}{n} \Sigma^1 \sum_i W_{ki} W_{k'i} \phi'(y_i)^2$. The terms have mean zero and variance
# $\mathbb E[\phi'^4] = \frac12$. So the mean is $0$ and the standard deviation is $\sigma_w^2\, \Sigma^1 / \sqrt{2n}$. From [(2.11)](#eq-2-11), $\Theta^2(x,x) = \frac{\sigma_w^2}2 \Sigma^1 + \frac{\sigma_w^2}{2} \Sigma^1 = \sigma_w^2 \Sigma^1$.
# The ratio is $(2n)^{-1/2}$, and 1% needs $n = 5000$. The outputs of an infinitely wide network train independently of each other; those of a finite one do not quite.

# %% rubric [markdown]
# * 1 point: mean zero.
# * 1 point: the variance.
# * 1 point: the width for 1 %.
