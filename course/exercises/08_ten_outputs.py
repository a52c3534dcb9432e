# ---
# number: "8.4"
# title: "Ten outputs"
# level: 3
# minutes: 30
# section: "8.2"
# objective: "See what a mean over outputs does to the scatter"
# points: 3
# ---

# %% prompt [markdown]
# Take $o$ outputs and the mean over outputs of the diagonal, $\frac1o \sum_k \Theta_{kk}(x,x)$. Show that its mean is still exact, and that the backward factor of the last hidden layer has the variance $\frac1n (1 + \frac4o)$ instead of $\frac5n$. Why does this not help much in a deep network?

# %% solution [markdown]
# Each $\Theta_{kk}$ is the kernel of a network with one output, so the mean is exact. The factor is $\frac2n \sum_i D_i \frac1o \sum_k W_{ki}^2$, and $\mathbb E \bigl(\frac1o \sum_k W_{ki}^2\bigr)^2 = 1 + \frac2o$. So its variance is $\frac4n \bigl( \frac12 (1 + \frac2o) - \frac14 \bigr) = \frac1n (1 + \frac4o)$. Farther down the
# $o$ back-propagated vectors pass through the same matrices and gates. Each layer still multiplies all of them by random factors, which are more and more alike as the vectors turn towards the leading directions of the product of matrices. The forward factors are the same for all outputs.

# %% rubric [markdown]
# * 1 point: the exact mean.
# * 1 point: the variance of the last factor.
# * 1 point: why it helps little in depth.
