"""The layer of ReLU-like activations phi(x) = a x (x > 0), b x (x < 0), without square roots of variances.

With k = (a - b)^2/(2 pi), g = s + sigma_w^2 (a^2 + b^2)/2 and cos(theta) = 1 - gamma, without bias

    gamma_0 = gamma - sigma_w^2 k/g (sin(theta) - theta cos(theta)),
    s + sigma_w^2 E[phi' phi'] = g - sigma_w^2 k theta

(Cho and Saul, 2009). For c < 0 both are written in 2 - gamma and pi - theta, where they do not cancel either.
The coefficient of gamma is 1 exactly: a rounding of it would add up over the layers.

A bias adds one coordinate: with cos(a_i) = sqrt(g q_i/q_i') and sin(a_i) = sigma_b/sqrt(q_i'),

    gamma' = cos(a_1) cos(a_2) gamma_0 + (1 - cos(a_1 - a_2)).
"""

import math
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from ntk_helpers.activations.closed_forms import safe_root
from ntk_helpers.kernels.layer import half_square

TINY = np.finfo(np.float64).tiny

# theta/sqrt(t) and (sin(theta) - theta cos(theta))/t^(3/2) as polynomials in t = sin^2(theta/2) on [0, 1/2],
# highest power first: mpmath.chebyfit with 20 and 19 terms, relative errors 4e-18 and 2e-18. Library arcsines
# cost four times as much, and the second combination cancels when it is computed from sines and cosines.
ANGLE = (
    2.2528385757615017, -8.877633384133878, 16.64996705889382, -19.339318797101246, 15.536330749110016,
    -9.07158360564591, 4.003208221858309, -1.3282472605098823, 0.361914924182213, -0.05263264910467765,
    0.03018359005716673, 0.02185869812982474, 0.02803834408013932, 0.03469862065431639, 0.04474462634497161,
    0.06076387976334679, 0.08928571445039567, 0.14999999999843205, 0.33333333333333925, 2.0,
)  # fmt: skip
LUNE = (
    0.13562081833841125, -0.49408507840869326, 0.8630607609425247, -0.9288105281041379, 0.6907166883722825,
    -0.36861586305266997, 0.15013277875291267, -0.04258875759914789, 0.013290595138962497,
    0.0018974993755190102, 0.005105142618584343, 0.006547959577044505, 0.009256499967550243,
    0.013767398176619932, 0.022095962378004076, 0.03968253962674129, 0.08571428571487523, 0.2666666666666642,
    2.6666666666666665,
)  # fmt: skip


def polynomial(coefficients, t):
    """The polynomial in t with these coefficients, highest power first."""
    value = coefficients[0]
    for coefficient in coefficients[1:]:
        value = value * t + coefficient
    return value


class ReluMap(NamedTuple):
    """The numbers in one layer."""

    growth: float  # g
    sb2: float
    skip: float  # s/g
    kink: float  # sigma_w^2 k/g
    opposite: float  # gamma_0 at c = -1
    slope: float  # of gamma_0 in 2 - gamma there: -(s + sigma_w^2 a b)/g
    fall: float  # 1 + slope, from c = 1 to c = -1, of (s + sigma_w^2 E[phi' phi'])/g


def relu_map(recursion):
    """The `ReluMap` of a recursion."""
    activation, skip, sigma_w, sigma_b = recursion
    a, b = activation.slopes
    sw2 = sigma_w**2
    growth = skip + sw2 * (0.5 * (a * a + b * b))
    share = 1.0 / (growth + (growth == 0))
    slope = -share * (skip + sw2 * a * b)
    return ReluMap(
        growth,
        sigma_b**2,
        share * skip,
        share * sw2 * (a - b) ** 2 / (2 * math.pi),
        share * (2.0 * skip + sw2 * (0.5 * (a + b) ** 2)),
        slope,
        1.0 + slope,
    )


def next_variance(layer, q):
    """(q', cos(a), sin(a)) with cos(a) = sqrt(g q/q') and sin(a) = sigma_b/sqrt(q')."""
    grown = layer.growth * q
    after = grown + layer.sb2
    positive = jnp.maximum(after, TINY)  # a zero input without bias stays one
    return after, safe_root(grown / positive), safe_root(layer.sb2 / positive)


def next_gamma(layer, cos1, sin1, cos2, sin2, gamma):
    """gamma after one layer, and the gain and source of Theta/sqrt(q_1 q_2).

    As sqrt(q_1' q_2') cos(a_1) cos(a_2) = g sqrt(q_1 q_2), the tangent kernel, divided by sqrt(q_1 q_2),
    needs no variances: its source is Sigma' - s Sigma.
    """
    far = gamma > 1.0
    near = jnp.where(far, 2.0 - gamma, gamma)
    t = 0.5 * near
    s = safe_root(t)
    straight = jnp.where(far, layer.opposite, 0.0) + jnp.where(far, layer.slope, 1.0) * near
    cosines = cos1 * cos2
    apart = half_square(cos1, cos2) + half_square(sin1, sin2)  # 1 - cos(a_1 - a_2)
    after = cosines * (straight - layer.kink * (s * t * polynomial(LUNE, t))) + apart
    angle = layer.kink * (s * polynomial(ANGLE, t))
    # cosines - 1 = -(apart + sin1 sin2)
    gain = -(apart + sin1 * sin2) - cosines * jnp.where(far, layer.fall - angle, angle)
    return after, gain, (1.0 - after) - cosines * (layer.skip * (1.0 - gamma))
