# ---
# number: "0.3"
# title: "The largest stable step"
# level: 2
# minutes: 20
# section: "0.3"
# objective: "Compute the largest stable step in both parameterisations"
# points: 3
# ---

# %% prompt [markdown]
# Gradient descent on a constant kernel is stable for $\eta < 2N / \lambda_{\max}$. Compute this bound for the network of section 0.1 with both hidden widths equal to $n = 64, 256, 1024, 4096$, in both parameterisations. What happens to the bound times $n$?

# %% solution [markdown]
# ```python
# for n in (64, 256, 1024, 4096):
#     for parameterization in ("ntk", "standard"):
#         kernel = describe((n, n, 1), stax.Erf(), sigma_w, sigma_b, parameterization)[2]
#         largest = np.linalg.eigvalsh(np.asarray(kernel(X, None, "ntk")))[-1]
#         print(n, parameterization, 2 * len(X) / largest)
# ```
#
# In the NTK parameterisation the bound is 1.613 at every width. In the standard one it is 0.0716, 0.0185, 0.00467 and 0.00117; times $n$ this is 4.58, 4.74, 4.78 and 4.79, which tends to a constant because $K^L / n$ tends to $\sum_{l \ge 2} F^{l-1} B^l$ by [(0.3)](#eq-0-3).

# %% rubric [markdown]
# * 1 point: the bound from the largest eigenvalue.
# * 1 point: a constant in the NTK parameterisation.
# * 1 point: the limit of the bound times the width, with its reason.
