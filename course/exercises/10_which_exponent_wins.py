# ---
# number: "10.2"
# title: "Which exponent wins"
# level: 2
# minutes: 25
# section: "10.2"
# objective: "Compare two exponents of the ordered phase"
# points: 3
# ---

# %% prompt [markdown]
# Show that $\chi_\parallel < \chi$ for tanh and erf, and $\chi_\parallel > \chi$ for softplus. What does this mean for inputs of different norms?

# %% solution [markdown]
# $\chi_\parallel - \chi = \sigma_w^2\, \mathbb E[\phi\phi'']$. For tanh and erf $\phi$ and $\phi''$ have opposite signs everywhere; for softplus both are positive. For tanh differences of norm die faster than differences of direction, and the rate stays $L\chi^L$. For softplus the difference of norms is what
# survives longest: $e^L \approx A\, \frac{\chi_\parallel + \lambda\chi'(q)}{\chi_\parallel - \chi}\, \chi_\parallel^L$, on the diagonal and, with the mean of the two $A$, off it.

# %% rubric [markdown]
# * 1 point: the difference as an expectation.
# * 1 point: the signs.
# * 1 point: inputs of different norms.
