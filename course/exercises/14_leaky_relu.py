# ---
# number: "14.1"
# title: "Leaky ReLU"
# level: 2
# minutes: 25
# section: "14.4"
# objective: "Compute how fast the norm of a network walks"
# points: 3
# ---

# %% prompt [markdown]
# Compute the variance of $\log \hat q^L$ for leaky ReLU of slope $\beta$ on its edge, $\sigma_w^2 = \frac{2}{1 + \beta^2}$. What do $\beta = 0.03$ and PReLU's $0.25$ gain over ReLU? What is left at $\beta = 1$?

# %% solution [markdown]
# $\sigma_w^2 \phi^2$ has the mean $q$ and the second moment $\sigma_w^4\, \frac{1 + \beta^4}{2}\, 3 q^2 = \frac{6 (1 + \beta^4)}{(1 + \beta^2)^2} q^2$. So the variance a layer is $\frac1n \bigl(\frac{6(1 + \beta^4)}{(1+\beta^2)^2} - 1\bigr)$: $\frac{5}{n}$ at $\beta = 0$, $\frac{4.99}{n}$ at $0.03$, $\frac{4.34}{n}$ at $0.25$, and $\frac2n$ at $\beta = 1$, where the network is linear. The small slopes of the table change nothing. The slopes of PReLU help the walk a little. Its lead at depth 100 (section 14.7) is larger than that, and has another cause besides.

# %% rubric [markdown]
# * 1 point: the moments.
# * 1 point: the variance a layer.
# * 1 point: the numbers.
