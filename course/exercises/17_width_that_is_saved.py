# ---
# number: "17.2"
# title: "The width that is saved"
# level: 1
# minutes: 15
# section: "17.3"
# objective: "Turn slopes into a width"
# points: 2
# ---

# %% prompt [markdown]
# A ReLU network of 50 layers and width 1,000 with Gaussian weights has a certain relative variance of the kernel on the diagonal. To first order, which width gives it with orthogonal weights? And which for a leaky ReLU of slope $\frac12$, with orthogonal weights?

# %% solution [markdown]
# The variance is $v_L/n$, and for large depths $v_L$ is $\frac{11}{3} L$ and $\frac73 L$: the width is $1000 \cdot \frac{7}{11} \approx 640$. For slope $\frac12$ one has $\kappa_\phi = 2 \cdot \frac{17}{16} / \frac{25}{16} = 1.36$, the slope $\frac73 \cdot 0.36 = 0.84$, and the width 230.

# %% rubric [markdown]
# * 1 point: 640.
# * 1 point: 230.
