# ---
# number: "6.1"
# title: "Batches of random size"
# level: 2
# minutes: 20
# section: "6.1"
# objective: "Compute the covariance of a sampling scheme"
# points: 3
# ---

# %% prompt [markdown]
# Put each example into the batch independently with probability $S/N$, and let $\hat g = \frac1S \sum_{i \in B} G_i$. Compute mean and covariance. Where is the uncentred second moment right?

# %% solution [markdown]
# With independent indicators $\beta_i$ of mean $q = S/N$ and variance $q(1-q)$, $\mathbb E \hat g = \frac qS \sum_i G_i = g$ and $\operatorname{Cov} \hat g = \frac{q(1-q)}{S^2} \sum_i G_i G_i^\top = \frac1S \bigl(1 - \frac SN\bigr) \cdot \frac1N \sum_i G_i G_i^\top$. So here the uncentred matrix is the
# exact one, at every $S$: the size of the batch fluctuates, and with it the length of the step along $g$. This is the sampling of differentially private SGD.

# %% rubric [markdown]
# * 1 point: mean.
# * 1 point: covariance.
# * 1 point: why the uncentred moment is right here.
