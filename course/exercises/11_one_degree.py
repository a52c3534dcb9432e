# ---
# number: "11.4"
# title: "One degree"
# level: 2
# minutes: 15
# section: "11.4"
# objective: "Use the limit of the kernel for a pair of close inputs"
# points: 2
# ---

# %% prompt [markdown]
# Two inputs of a ReLU network on the edge differ by one degree. At which depth is $\Theta^L/(qL) = \frac12$?

# %% solution [markdown]
# By [Proposition 11.3](#prp-11-3) with $\alpha = 3$ one needs $\frac{(1+t)^4 - t^4}{4(1+t)^3} = \frac12$, that is, $t \approx 1.19$. With $s = \frac{3\pi}{\pi/180} = 540$ layers, $L = s/t \approx 450$.

# %% rubric [markdown]
# * 1 point: the equation in t.
# * 1 point: the depth.
