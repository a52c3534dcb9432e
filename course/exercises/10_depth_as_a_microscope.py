# ---
# number: "10.4"
# title: "Depth as a microscope"
# level: 1
# minutes: 15
# section: "10.3"
# objective: "Estimate the depth that separates two inputs"
# points: 2
# ---

# %% prompt [markdown]
# In the chaotic phase, after how many layers does the network tell apart two inputs at a small angle $\vartheta$? Compare with Figure 10.2.

# %% solution [markdown]
# $\gamma^1 \approx \vartheta^2/2$ grows by the factor $\chi$ until it is of order one: $l \approx \log(2/\vartheta^2)/\log\chi$. With $\chi = 1.449$, $\vartheta = 10^{-2}, 10^{-4}, 10^{-6}$ give $27$, $52$ and $76$ layers. The curves leave the diagonal there.

# %% rubric [markdown]
# * 1 point: the growth.
# * 1 point: the numbers.
