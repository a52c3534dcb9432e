# ---
# number: "8.3"
# title: "Dead layers"
# level: 2
# minutes: 20
# section: "8.2"
# objective: "Compute the probability of a vanishing kernel"
# points: 3
# ---

# %% prompt [markdown]
# Take a ReLU network without biases, of equal widths $n$. With which probability is $\Theta(x, x) = 0$? Compute it for $n = 10$, $L = 100$. The mean over all networks is exact, $Lq$. What is it over the networks whose kernel does not vanish?

# %% solution [markdown]
# By [Lemma 8.1](#lem-8-1) a layer is dead with probability $2^{-n}$, independently of the others. All shares vanish if one layer is dead, and none if no layer is. So $P = 1 - (1 - 2^{-n})^{L-1}$, which is $1 - (1 - 1/1024)^{99} = 9.2\,\%$. The mean of $R$ is $1$ with the dead layers counted as zero, so
# the mean of the living ones is $Lq/(1 - P)$: the average over all networks is right, that over living ones is too large.

# %% rubric [markdown]
# * 1 point: the probability.
# * 1 point: the number.
# * 1 point: the mean of the others, larger by the factor $1/(1 - P)$.
