# ---
# number: "4.3"
# title: "Lazy by scale"
# level: 2
# minutes: 25
# section: "4.4"
# objective: "Compare lazy training by scale and by width"
# points: 3
# ---

# %% prompt [markdown]
# Train $\alpha f$ instead of $f$ on the loss divided by $\alpha^2$, at fixed width, with $f_{\theta_0}(X) = 0$. Show that the relative change of the kernel is of order $1/\alpha$, and compare with the width.

# %% solution [markdown]
# With $h = \alpha f$ the gradient of $\frac{1}{2N\alpha^2} |h - Y|^2$ is $\frac{1}{N\alpha} J^\top (h - Y)$, where $J$ is the Jacobian of $f$. So $\dot h = -\frac1N \Theta (h - Y)$ as before, while $|\dot\theta| \le \frac{1}{N\alpha} \|J\|\, |h - Y|$: the parameters move by $O(1/\alpha)$, and the kernel with them, as $J$ is smooth ([Chizat et al. (2019)](../book/references.md#chizat-2019)). In a wide network the parameters move by a finite
# distance, and what shrinks is the curvature: the Lipschitz constant of $J$ is $n^{-1/2}$. So for the Jacobian $\alpha$ acts like $\sqrt n$. The kernel changes by $1/\alpha$ as well, not by $1/\alpha^2$: at fixed width nothing makes $\Delta J$ orthogonal to $J$.

# %% rubric [markdown]
# * 1 point: the flow of the outputs.
# * 1 point: the motion of the parameters.
# * 1 point: the comparison with the width.
