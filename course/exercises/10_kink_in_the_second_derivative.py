# ---
# number: "10.5"
# title: "A kink in the second derivative"
# level: 3
# minutes: 30
# section: "10.2"
# objective: "Find the remainder where the second derivative jumps"
# points: 2
# ---

# %% prompt [markdown]
# ELU has $D < \infty$, but $\phi''$ jumps. Why does (c) of [Theorem 10.2](#thm-10-2) hold for it, and how fast does the remainder vanish? Explain the last digit of ELU in the table.

# %% solution [markdown]
# A jump of $\phi''$ gives $\mathbb E[\phi'\phi']$ a term in $\gamma^{3/2}$ beside $\chi - D\gamma$: two terms of the expansion suffice for (c). The relative remainder is $\sqrt\gamma$ and not $\gamma$. At the smaller of the two depths $\gamma \approx 10^{-6}$; summed over the layers from there on, this leaves a relative $10^{-4}$ in the slope.

# %% rubric [markdown]
# * 1 point: the additional term.
# * 1 point: the size of the remainder.
