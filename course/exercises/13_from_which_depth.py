# ---
# number: "13.3"
# title: "From which depth on?"
# level: 1
# minutes: 10
# section: "13.5"
# objective: "Evaluate an exponential factor"
# points: 2
# ---

# %% prompt [markdown]
# Thresholds $0$ and $\Delta\sqrt q$, ReLU. From which depth on does the exponential factor in [(13.10)](#eq-13-10) lie below $e^{-10}$, for $\Delta = 0.1$?

# %% solution [markdown]
# $\Delta^2/(4\gamma_L) = \Delta^2 L^2/(18\pi^2) = 10$ gives $L = \pi\sqrt{180}/\Delta \approx 42.15/\Delta$, that is 422 layers.

# %% rubric [markdown]
# * 1 point: the equation.
# * 1 point: the depth.
