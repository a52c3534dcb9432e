# ---
# number: "6.3"
# title: "Itô or Stratonovich"
# level: 3
# minutes: 35
# section: "6.3"
# objective: "Convert an Itô equation to a Stratonovich one"
# points: 3
# ---

# %% prompt [markdown]
# Schemes of Heun's kind converge to the Stratonovich equation. Which drift must be given to them so that the solution is that of [Claim 6.1](#clm-6-1)? What is the correction for a linear $f$ with squared loss and $N = 1$?

# %% solution [markdown]
# With columns $b_k(\theta)$ of $J^\top B$, $\sqrt{\eta\nu}\, b_k \circ dw_k = \sqrt{\eta\nu}\, b_k\, dw_k + \frac{\eta\nu}{2} (\nabla b_k)\, b_k\, dt$, so the drift must be $-\nabla\mathcal L - \frac{\eta\nu}2 \sum_k (\nabla b_k)\, b_k$: $N$ derivatives of $b_k$ along itself. For $N = 1$ the projection $I - \frac1N \mathbf 1 \mathbf 1^\top$ is zero: one example
# has no noise, and no correction.

# %% rubric [markdown]
# * 1 point: the conversion.
# * 1 point: the drift.
# * 1 point: one example has no noise.
