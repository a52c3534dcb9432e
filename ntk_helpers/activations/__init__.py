"""Activations and their Gaussian expectations, in float64 and as functions of gamma = 1 - c.

(u, v) is a centred Gaussian pair with variances q1, q2 and correlation c = 1 - gamma. In deep networks gamma
becomes small, and so do the quantities that matter, so expectations take gamma instead of c and come with
their gaps.

| names                               | expectations                                                    |
|-------------------------------------|-----------------------------------------------------------------|
| linear, relu, leaky_relu            | closed form, and so for every activation with two slopes        |
| sin, cos, erf, gelu                 | closed form                                                     |
| tanh, sigmoid, softplus, silu       | finite sums of closed forms (105 terms; truncation below 1e-14) |
| elu                                 | closed form in the radius, quadrature in the angle (132 points) |
| your own                            | quadrature over the plane (14,000 points without kinks), in the |
|                                     | range of variances in which a finer rule agrees with it         |

`erf` is phi(x) = erf(x), `gelu` is x Phi(x) with the Gaussian distribution function Phi, `leaky_relu` has
slope 0.01.
"""

from ntk_helpers.activations.activation import Activation, first_jump
from ntk_helpers.activations.catalogue import get, leaky_relu

__all__ = ["Activation", "first_jump", "get", "leaky_relu"]
