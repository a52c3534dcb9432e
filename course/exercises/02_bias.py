# ---
# number: "2.4"
# title: "Bias"
# level: 3
# minutes: 40
# section: "2.8"
# objective: "Find the bias of an estimated kernel to order 1/n"
# points: 4
# ---

# %% prompt [markdown]
# (a) Show that $\mathbb E \hat\Sigma^3 \ne \Sigma^3$ in general, and find the leading term of the bias in $1/n_1$ in terms of $F(S) = \sigma_b^2 + \sigma_w^2\, \mathbb E_{(u,v) \sim \mathcal N(0,S)}[\phi(u)\phi(v)]$. (b) For ReLU the diagonal is unbiased all the same. Why? (c) What is the root mean square error of the average over $M$ networks, for $M \to \infty$ at fixed $n$?

# %% solution [markdown]
# (a) Given the first layer, the neurons of the second are independent with covariance $\hat\Sigma^2$, so $\mathbb E[\hat\Sigma^3 \mid W^1, b^1] = F(\hat\Sigma^2)$, whatever $n_2$. Now $\hat\Sigma^2$
# has mean $\Sigma^2$ and fluctuations of size $n_1^{-1/2}$. Expand to second order:
# $\mathbb E \hat\Sigma^3 - \Sigma^3 = \frac{1}{2 n_1} \sum_{a,b} C_{ab}\, \partial_a \partial_b F(\Sigma^2) + O(n_1^{-2})$, where $a, b$ run over the three entries
# $(x,x), (x,x'), (x',x')$ and $C = n_1 \operatorname{Cov}(\hat\Sigma^2)$ is the covariance of the $s_j$ of one neuron. The bias is of order $1/n$ unless $F$ is affine.
#
# (b) On the diagonal $F(q) = \sigma_b^2 + \sigma_w^2 q/2$ for ReLU: affine.
#
# (c) The variance falls as $1/M$, the bias does not. The error tends to the norm of the bias, which is of order $1/n$. So the curves of Figure 2.2 for a deep network bend for large $M$, from
# $V^{1/2} (nM)^{-1/2}$ to a floor of order $1/n$; the bend is where $M$ is of order $n$.

# %% rubric [markdown]
# * 1 point: the conditional mean.
# * 1 point: the expansion to second order.
# * 1 point: ReLU's diagonal.
# * 1 point: the floor for many networks.
