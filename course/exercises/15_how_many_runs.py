# ---
# number: "15.1"
# title: "How many runs"
# level: 1
# minutes: 15
# section: "15.5"
# objective: "Plan the number of runs for a given difference"
# points: 3
# ---

# %% prompt [markdown]
# The standard deviation of the authors' training loss at step 1,000 is 0.0141 for Gaussian and 0.0095 for orthogonal weights, at a mean of about 0.4. How many runs of each does it take to exclude a gap of 1% by three standard errors, if there is none?

# %% solution [markdown]
# $3 \sqrt{(0.0141^2 + 0.0095^2)/m} \le 0.004$ gives $m \ge (3 \cdot 0.0170/0.004)^2 \approx 163$. Paired runs need fewer, as far as the pairs are correlated.

# %% rubric [markdown]
# * 1 point: the standard error of a difference.
# * 1 point: the number.
# * 1 point: paired runs.
