# ---
# number: "5.3"
# title: "Networks are not Lipschitz"
# level: 2
# minutes: 20
# section: "5.2"
# objective: "Apply a theorem whose hypothesis holds only near the path"
# points: 3
# ---

# %% prompt [markdown]
# Show that for $f(x) = a \tanh(b x)$ with squared loss the gradient of the loss in $(a, b)$ is not globally Lipschitz. Why does [Theorem 5.1](#thm-5-1) still apply?

# %% solution [markdown]
# $\partial_b \mathcal L$ holds the term $a^2 \tanh(bx)\, x / \cosh^2(bx)$, whose derivative in $b$ at $b = 0$ is $a^2 x^2$: unbounded in $a$. The theorem asks for the Lipschitz condition on a convex set that holds both paths. The loss does not increase along the flow, and $|\theta_t - \theta_0| \le \int_0^t |g| \le \sqrt{t\, \mathcal L(\theta_0)}$
# (Cauchy and Schwarz with $\int |g|^2 = \mathcal L(\theta_0) - \mathcal L(\theta_t)$). So the flow stays in a ball, on a larger ball $C$ is finite, and for small $\eta$ the bound itself keeps descent inside it. So the constant of a network depends on the start through $C$ too.

# %% rubric [markdown]
# * 1 point: the unbounded derivative.
# * 1 point: the flow stays in a ball.
# * 1 point: the bound keeps descent inside.
