# ---
# number: "12.2"
# title: "With bias"
# level: 2
# minutes: 30
# section: "12.3"
# objective: "Solve the residual recursion with biases"
# points: 3
# ---

# %% prompt [markdown]
# ReLU, $\sigma_b > 0$. Find $q^L$ and $\Theta^L(x, x)$. To which value does $\Theta^L(x,x)/(L g^{L-1})$ tend, and what does the bias do to inputs of different norms?

# %% solution [markdown]
# $q^l = g q^{l-1} + \sigma_b^2$, so $q^l + \sigma_b^2/a = g^{l-1} (q^1 + \sigma_b^2/a)$ and $q^l - q^{l-1} = g^{l-2} (a q^1 + \sigma_b^2)$. By [(12.2)](#eq-12-2) $\Theta^l = g\, \Theta^{l-1} + q^l - q^{l-1}$, hence
# $\Theta^L(x,x) = g^{L-1} \bigl(q^1 + \frac{L-1}{g} (a q^1 + \sigma_b^2)\bigr)$. The limit is $(a q^1 + \sigma_b^2)/g$: the normaliser stays, and every input gets the same extra $\sigma_b^2/g$.

# %% rubric [markdown]
# * 1 point: the variance.
# * 1 point: the kernel.
# * 1 point: the limit and what the bias does.
