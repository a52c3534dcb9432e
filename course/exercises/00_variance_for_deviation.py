# ---
# number: "0.2"
# title: "A variance for a standard deviation"
# level: 1
# minutes: 10
# section: "0.1"
# objective: "Tell a variance from a standard deviation in a library's arguments"
# points: 2
# ---

# %% prompt [markdown]
# Someone reads $\sigma_w^2 = 2$ for a ReLU network without biases and passes `W_std=2.0`. By which factor are $\Sigma^L$ and $\Theta^L$ wrong? Is the correlation wrong, too?

# %% solution [markdown]
# ReLU is homogeneous, and without biases each layer multiplies the output by $\sigma_w$: $\Sigma^L$ and $\Theta^L$ are proportional to $\sigma_w^{2L}$. With $\sigma_w = 2$ in place of $\sqrt 2$ the factor is $(4/2)^L = 2^L$, about $1.1 \times 10^{15}$ at $L = 50$. The correlation does not change, nor does the ratio $\Theta^L / \Sigma^L$. A result that looks sensible at $L = 3$ (a factor of 8) need not be right.

# %% rubric [markdown]
# * 1 point: the factor 2 to the power L.
# * 1 point: the correlation does not change, with the reason.
