# ---
# number: "7.4"
# title: "Several outputs"
# level: 2
# minutes: 15
# section: "7.3"
# objective: "Extend a moment equation to several outputs"
# points: 2
# ---

# %% prompt [markdown]
# For $o$ outputs that share the kernel and the batches, what are the equations of the cross moments $\mathbb E[z^a (z^b)^\top]$? Are different outputs independent, given their starts?

# %% solution [markdown]
# [(7.5)](#eq-7-5) holds for each output with the same $D_B$. So $M^{ab} = \mathbb E[z^a (z^b)^\top]$ obeys [(7.7)](#eq-7-7) word for word: nothing in its proof used that both factors are equal. The outputs are uncorrelated only if
# the source $\operatorname{diag}(\bar z^a \bar z^b)/N - \bar z^a (\bar z^b)^\top/N^2$ vanishes, which it does not in general; they share the batches. The covariance within one output does not see the others, which is why `sgd_moments` treats them one by one.

# %% rubric [markdown]
# * 1 point: the equation.
# * 1 point: dependence through the batches.
