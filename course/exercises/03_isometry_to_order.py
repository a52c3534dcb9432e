# ---
# number: "3.1"
# title: "Isometry to order"
# level: 2
# minutes: 20
# section: "3.6"
# objective: "Choose a network that is isometric to a given order"
# points: 3
# ---

# %% prompt [markdown]
# A tanh network of 200 layers on the edge of chaos is to have (a) a bulk of condition number at most 2, (b) all singular values, the lost one included, between $\frac12$ and 2. Which $q$, and which $\sigma_b^2$?

# %% solution [markdown]
# (a) $\kappa_v = 2$ at $v \approx 0.12$ (section 3.6 prints it), so $q = \sqrt{0.12/1600} \approx 0.0087$ and $\sigma_b^2 = \frac43 q^3 \approx 9 \times 10^{-7}$. (b) $e^{-2q \cdot 199} \ge \frac12$ needs $q \le \frac{\log 2}{398} \approx 0.0017$, $\sigma_b^2 \approx 7 \times 10^{-9}$;
# then $v = 8 q^2 \cdot 199 \approx 0.005$ and the bulk is within $\pm 7$ %. The authors' pair has $q = 0.026$.

# %% rubric [markdown]
# * 1 point: part (a).
# * 1 point: part (b).
# * 1 point: the comparison with the authors' pair.
