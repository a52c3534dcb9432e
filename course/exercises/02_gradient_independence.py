# ---
# number: "2.5"
# title: "Where gradient independence fails"
# level: 3
# minutes: 45
# section: "2.4"
# objective: "Show where the argument with an independent copy of the weights fails"
# points: 3
# ---

# %% prompt [markdown]
# Let $z \in \mathbb R^n$ with $|z|^2/n \to q$, $y = W z/\sqrt n$ with $W$ a Gaussian $n \times n$ matrix, and the *fixed* read-out $f = \frac1n \sum_i \phi(y_i)$. Compare the true limit of $n |\partial f/\partial z|^2$ with what one gets by pretending that the $W$ of the backward pass is a fresh, independent copy. What is the error for ReLU, and for tanh?

# %% solution [markdown]
# $\partial f/\partial z_j = n^{-3/2} \sum_i W_{ij} \phi'(y_i)$. With an independent copy of $W$ the sum has mean zero and variance $\sum_i \phi'(y_i)^2$, so
# $n |\partial f / \partial z|^2 \to \mathbb E[\phi'(y)^2]$ with $y \sim \mathcal N(0, q)$.
#
# In truth $W_{ij}$ and $y_i$ are correlated, with covariance $z_j/\sqrt n$, so by integration by parts $\mathbb E[W_{ij} \phi'(y_i)] = \frac{z_j}{\sqrt n} \mathbb E[\phi''(y)]$. The sum over the $n$ neurons has the mean
# $\sqrt n\, z_j\, \mathbb E\phi''$, the same order as its standard deviation, $\sqrt n$. Therefore
# $n |\partial f/\partial z|^2 \to \mathbb E[\phi'(y)^2] + q\, (\mathbb E[\phi''(y)])^2$.
# For tanh, $\phi''$ is odd and the extra term vanishes: the wrong argument gives the right answer. For ReLU, $\phi''$ is a unit mass at zero, $\mathbb E\phi'' = (2\pi q)^{-1/2}$, and
# the limit is $\frac12 + \frac1{2\pi} = 0.659$ instead of $0.5$. A random read-out of mean zero, independent of all else, makes the extra term vanish; that is the case
# of [Theorem 2.2](#thm-2-2). In the chapter the cell below measures it. (Counter-examples of this kind are due to [Yang (2020)](../book/references.md#yang-2020).)

# %% rubric [markdown]
# * 1 point: the value with the copy.
# * 1 point: integration by parts for the true value.
# * 1 point: tanh and ReLU.
