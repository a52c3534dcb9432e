# ---
# number: "4.1"
# title: "Other shapes"
# level: 2
# minutes: 20
# section: "4.2"
# objective: "Scale the motion of weights with the shape of the network"
# points: 3
# ---

# %% prompt [markdown]
# (a) Let the first hidden layer have width $n$ and the second width $n^2$. With which power of $n$ does the relative change of each weight matrix fall, at depth 3? (b) Why does the last matrix of a network with $o = n$ outputs change by $1/n$, and what happens to [Theorem 4.1](#thm-4-1)?

# %% solution [markdown]
# (a) Each matrix moves by a finite distance. The norms are $\sqrt{nd}$, $\sqrt{n^2 n}$ and $\sqrt{o\, n^2}$: the powers are $-\frac12$, $-\frac32$, $-1$. (b) The norm is $\sqrt{o n} = n$, if the distance stays finite: [(4.2)](#eq-4-2) is then a sum over $n$ outputs, so it does so only if the residual vector of an example stays finite, not each of its entries. The theorem
# treats $o$ as fixed; with $o$ growing, $\|J\|_F^2$ grows like $o$ and the entries of $\Theta$ between different outputs, each of order $n^{-1/2}$, add up.

# %% rubric [markdown]
# * 1 point: the norms in (a).
# * 1 point: the powers in (a).
# * 1 point: part (b).
