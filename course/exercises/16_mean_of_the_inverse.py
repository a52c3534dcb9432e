# ---
# number: "16.2"
# title: "The mean of the inverse"
# level: 2
# minutes: 25
# section: "16.3"
# objective: "Compute the mean of an inverse kernel"
# points: 3
# ---

# %% prompt [markdown]
# In the network of [Proposition 16.2](#prp-16-2) train the first layer alone. Compute $\mathbb E\, 1/\Theta$ exactly for Gaussian weights with $n > 2$, and compare with the orthogonal network at $L = 50$, $n = 400$.

# %% solution [markdown]
# Now $\Theta = \frac1n \lvert x \rvert^2 \lvert \delta^1 \rvert^2$, a product of $L - 1$ independent $\chi^2_n / n$. Since $\mathbb E\, n/\chi^2_n = n/(n - 2)$, the mean inverse is larger than that of the orthogonal network by the factor $(1 - 2/n)^{-(L-1)} \approx e^{2L/n}$: 1.28 at $L = 50$, $n = 400$.
# Averaging over layers, as the full kernel does, brings $2L/n$ down to $4L/(3n)$.

# %% rubric [markdown]
# * 1 point: the distribution.
# * 1 point: the mean inverse.
# * 1 point: the number.
