# ---
# number: "9.2"
# title: "ReLU as a branching process"
# level: 2
# minutes: 25
# section: "9.2"
# objective: "Read a correlation map as a branching process"
# points: 3
# ---

# %% prompt [markdown]
# Compute the first coefficients $b_k$ of ReLU at $\sigma_w = \sqrt 2$, $\sigma_b = 0$. What is the mean number of children, and what the variance?

# %% solution [markdown]
# $f(c) = \tfrac1\pi \bigl(\sqrt{1 - c^2} + c\, (\pi - \arccos c)\bigr) = \tfrac1\pi + \tfrac12 c + \tfrac1{2\pi} c^2 + \tfrac{1}{24\pi} c^4 + \dots$: no child with probability $0.318$, one with $1/2$, two with $0.159$. The mean is $f'(1) = 1$. The variance is infinite, because $f''(c) = \tfrac1\pi (1 - c^2)^{-1/2}$:
# $b_k$ decays like $k^{-5/2}$. That is why $1 - c^l$ falls like $l^{-2}$ for ReLU and like $l^{-1}$ for tanh ([chapter 11](11_on_the_edge.ipynb)): the probability to survive $l$ generations of a critical process is $2/(f''(1)\, l)$ only if $f''(1)$ is finite.

# %% rubric [markdown]
# * 1 point: the coefficients.
# * 1 point: the mean.
# * 1 point: the infinite variance and what it causes.
