# ---
# number: "4.2"
# title: "Gradient descent"
# level: 3
# minutes: 40
# section: "4.3"
# objective: "Carry lazy training from flow to steps"
# points: 3
# ---

# %% prompt [markdown]
# Let $k$ be fixed and $\theta_k$ gradient descent of any fixed step $\eta$. Show by induction that $|\theta_k - \theta_0| \le C_k$ and $\|\Theta_k - \Theta_0\|_F \le C_k \sqrt{\log(n)/n}$ with high probability, and that $r_{k+1} = (I - \frac\eta N \Theta_k)\, r_k + o(1)$. Where does $\eta < 2N/\lambda_{\max}$ come in?

# %% solution [markdown]
# $|\theta_{k+1} - \theta_k| = \frac\eta N |J_k^\top r_k| \le \frac\eta N C |r_k|$, and [Lemma 4.2](#lem-4-2) with the radius $C_{k+1}$ gives the kernel. On the segment from $\theta_k$ to $\theta_{k+1}$ the Jacobian differs from $J_k$ by at most $C \sqrt{\log(n)/n}$, so $r_{k+1} - r_k = \int_0^1 J(\theta_k + s (\theta_{k+1} - \theta_k))\, ds\, (\theta_{k+1} - \theta_k) = -\frac\eta N \Theta_k r_k + O(\sqrt{\log(n)/n})$. For finitely many steps the step size plays no part, only $C_k$
# depends on it. It matters for *all* steps at once: then $C_k$ must not grow with $k$, and $|I - \frac\eta N \Theta^L| < 1$ makes the residuals summable.

# %% rubric [markdown]
# * 1 point: the induction.
# * 1 point: the recursion of the residual.
# * 1 point: where the stable step matters.
