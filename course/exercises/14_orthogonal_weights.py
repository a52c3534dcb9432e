# ---
# number: "14.2"
# title: "Orthogonal weights"
# level: 3
# minutes: 35
# section: "14.4"
# objective: "Find what orthogonal weights leave of the walk"
# points: 3
# ---

# %% prompt [markdown]
# What becomes of [Proposition 14.4](#prp-14-4) (a) if the square weight matrices are orthogonal times $\sigma_w$?

# %% solution [markdown]
# An orthogonal matrix keeps the norm: $|y^{l+1}|^2 = \sigma_w^2 |\phi(y^l)|^2$. The fluctuation of $\chi^2_n/n$ is gone, but the share of the squared norm that lies on positive coordinates still fluctuates. For $y$ uniform on a sphere of radius $\sqrt{nq}$, $\frac2n \sum_j \max(y_j, 0)^2$ has the variance of the Gaussian sum, $5q^2/n$, less the part due to the norm: the sum is the squared norm over $n$ times an independent share of mean 1, and $\operatorname{Var}(|y|^2/n) = 2q^2/n$. So $3/n$ a layer is left in place of $5/n$, to leading order. For a linear network nothing is left ([chapter 3](03_dynamical_isometry.ipynb)).

# %% rubric [markdown]
# * 1 point: what vanishes.
# * 1 point: the share of the norm.
# * 1 point: the constant.
