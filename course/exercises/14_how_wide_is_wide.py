# ---
# number: "14.4"
# title: "How wide is wide"
# level: 3
# minutes: 30
# section: "14.5"
# objective: "Extrapolate in width and judge the extrapolation"
# points: 3
# ---

# %% prompt [markdown]
# Let the noise of [Proposition 14.5](#prp-14-5) have a power that falls like $1/n$. At which width does the kernel of ELU at depth 100 have half of the alignment of its limit, if $\nu = 2.6$ at width 300? And that of ReLU, with $\nu = 6.9$? What does its row at width 600 say about the assumption?

# %% solution [markdown]
# Half of the alignment is $\nu^2 = 3$, so $n = 300 \cdot 2.6^2/3 \approx 680$ for ELU and $300 \cdot 6.9^2/3 \approx 4800$ for ReLU. From 300 to 600 $\nu$ should fall to $6.9/\sqrt 2 = 4.9$, that is, to the alignment $0.62/5.0 = 0.125$. Measured is $0.103 \pm 0.007$. The row at width 300 has an error, too, which makes the prediction $0.125 \pm 0.011$: the two differ by 1.7 errors. That does not refute the assumption and does not support it; two rows that are this close cannot tell where the third one lies.

# %% rubric [markdown]
# * 1 point: both widths.
# * 1 point: the prediction at width 600.
# * 1 point: what the measured row says.
