# ---
# number: "11.5"
# title: "Digits of $\\sigma_w$"
# level: 2
# minutes: 20
# section: "11.1"
# objective: "Decide how many digits of a critical parameter a depth needs"
# points: 2
# ---

# %% prompt [markdown]
# $\chi$ is to be within $\epsilon/L$ of $1$. How many decimals of $\sigma_w$ does depth $L = 300$ need for $\epsilon = 0.02$, if the variance follows $\sigma_w$ to its new fixed point? Use the numbers of section 11.1.

# %% solution [markdown]
# For ELU a change of $1.227 - 1.22925 = -0.00225$ in $\sigma_w$ changes $\chi$ by $-0.00133$: a slope of $0.59$. (With the variance held fixed it would be $2/\sigma_w = 1.63$; ELU bends more at the larger variance.) $\epsilon/L = 6.7 \times 10^{-5}$ allows $1.1 \times 10^{-4}$ in $\sigma_w$: four decimals, since rounding to three may err by $5 \times 10^{-4}$.

# %% rubric [markdown]
# * 1 point: the slope at the moving fixed point.
# * 1 point: the number of decimals.
