# ---
# number: "17.3"
# title: "Other ensembles"
# level: 2
# minutes: 20
# section: "17.2"
# objective: "Check the hypotheses of a theorem"
# points: 3
# ---

# %% prompt [markdown]
# For which of these laws of a square $W$ does [Theorem 17.1](#thm-17-1) give an unbiased kernel of ReLU: independent uniform entries on $[-\sqrt 3, \sqrt 3]$; a random permutation matrix times $\sqrt n$; the same with a random sign for each row; $W = \lvert G \rvert$ with Gaussian $G$?

# %% solution [markdown]
# Uniform entries: yes, they are symmetric and independent, of variance 1, and no pre-activation vanishes. Permutation: no, its signs are not free; with positive inputs no gate ever closes. With a sign for each row: the law does not see signs and $W^\top W = n I$, but a closed gate passes a zero, and the next unit's pre-activation vanishes while $z \ne 0$: the hypothesis fails. $\lvert G \rvert$: no, its entries have a mean, and all gates are open after the first layer.

# %% rubric [markdown]
# * 1 point for two right answers with reasons, 2 for three, 3 for all four.
