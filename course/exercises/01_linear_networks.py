# ---
# number: "1.3"
# title: "Linear networks"
# level: 2
# minutes: 20
# section: "1.6"
# objective: "Compute the excess kurtosis of a linear network for both ensembles"
# points: 3
# ---

# %% prompt [markdown]
# Find the excess kurtosis of an output of a linear network, $\phi(y) = y$, $\sigma_b = 0$, of depth $L$ with all widths $n$ (also $d = n$), for both ensembles. How does each depend on the depth?

# %% solution [markdown]
# Gaussian: $S^l = \sigma_w^2 S^{l-1} \chi^2_n/n$, so $\mathbb E (S^{L-1})^2/(\mathbb E S^{L-1})^2 = (1 + \frac2n)^{L-1}$ and the excess kurtosis is $3 (1 + \frac2n)^{L-1} - 3$. Orthogonal: $S^l = \sigma_w^2 S^{l-1}$ exactly, the product of orthogonal matrices is orthogonal, and the excess kurtosis is $-\frac{6}{n+2}$ at every depth: it comes from the one rotation that the product is.

# %% rubric [markdown]
# * 1 point: the Gaussian recursion.
# * 1 point: the orthogonal product is orthogonal.
# * 1 point: the comparison.
