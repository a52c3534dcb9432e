"""One layer of the recursion of the kernels.

Two numbers describe a pair of inputs at layer l besides the tangent kernel Theta^l(x, x'): the variances q_1,
q_2 of its pre-activations and their correlation c. In deep networks c tends to 1, so the recursions carry
gamma = 1 - c: computed from c, it would lose every digit to cancellation.

Both architectures are one recursion, with `skip` s = 0 (fully connected) or 1 (residual):

    q_i'    = s q_i + sigma_b^2 + sigma_w^2 E[phi(u_i)^2]
    Sigma'  = s Sigma + sigma_b^2 + sigma_w^2 E[phi(u_1) phi(u_2)]
    Theta'  = (s + sigma_w^2 E[phi'(u_1) phi'(u_2)]) Theta + sigma_b^2 + sigma_w^2 E[phi(u_1) phi(u_2)]
    gamma'  = 1 - Sigma' / sqrt(q_1' q_2')
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from ntk_helpers import _checks, activations
from ntk_helpers.activations.closed_forms import safe_root

SKIPS = {"fcn": 0.0, "residual": 1.0}
# From this ratio of two standard deviations on, gamma' is computed from E[phi(u_1) phi(u_2)].
UNEQUAL = 16.0


class Recursion(NamedTuple):
    """The recursion of a network: all of it but the inputs and the number of layers."""

    activation: activations.Activation
    skip: float
    sigma_w: float
    sigma_b: float


def recursion(activation, sigma_w, sigma_b, skip):
    """The `Recursion` of these arguments, checked where they are not traced."""
    sigmas = (
        sigma if isinstance(sigma, jax.core.Tracer) else _checks.standard_deviation(name, sigma)
        for name, sigma in (("sigma_w", sigma_w), ("sigma_b", sigma_b))
    )
    return Recursion(activations.get(activation), skip, *sigmas)


class Layer(NamedTuple):
    """What one layer makes of a pair: the new q_1, q_2, gamma, and (gain, source) of Theta and its diagonals.

    Theta' = (1 + gain) Theta + source.
    """

    q1: jax.Array
    q2: jax.Array
    gamma: jax.Array
    growth: tuple
    growth1: tuple
    growth2: tuple


def next_layer(recursion, q1, q2, gamma):
    """The `Layer` after a pair with variances q1 (m1,), q2 (m2,) and gamma (m1, m2); or all of them numbers.

    With G = E[(phi(u_1) - phi(u_2))^2]/2 from `Activation.gaps` and r_i = sqrt(q_i),

        sqrt(q_1' q_2') gamma' = s (r_1 r_2 gamma + (r_1 - r_2)^2/2) + sigma_w^2 G - (r_1' - r_2')^2/2,

    where each term is small when the inputs nearly agree. Of very different variances each is large, and
    gamma' comes from Sigma'.
    """
    activation, skip, sigma_w, sigma_b = recursion
    sw2, sb2 = sigma_w**2, sigma_b**2

    def growth(second, slope):
        """Gain and source of Theta."""
        return (skip - 1.0) + sw2 * slope, sb2 + sw2 * second

    variances = activation.variance(jnp.concatenate([jnp.ravel(q1), jnp.ravel(q2)]))
    cut, column = jnp.size(q1), (-1, 1) if jnp.ndim(q1) else ()
    second1, slope1 = (v[:cut].reshape(jnp.shape(q1)) for v in variances)
    second2, slope2 = (v[cut:].reshape(jnp.shape(q2)) for v in variances)
    growth1, growth2 = growth(second1, slope1), growth(second2, slope2)
    after1, after2 = skip * q1 + growth1[1], skip * q2 + growth2[1]

    q1, after_1, second1, slope1 = (v.reshape(column) for v in (q1, after1, second1, slope1))
    r1, r2, R1, R2 = (safe_root(q) for q in (q1, q2, after_1, after2))
    gap, slope_gap = activation.gaps(q1, q2, gamma)
    excess = skip * (r1 * r2 * gamma + half_square(r1, r2)) + sw2 * gap - half_square(R1, R2)
    # The maximum absorbs the rounding of a difference that is 0 in exact arithmetic.
    near = divide(jnp.maximum(excess, 0.0), R1 * R2)
    near = near, 0.5 * (second1 + second2) - gap, 0.5 * (slope1 + slope2) - slope_gap

    def of_unequal():
        second, slope = activation.moments(q1, q2, gamma)
        cosine = divide(skip * r1 * r2 * (1.0 - gamma) + sb2 + sw2 * second, R1 * R2)
        far = jnp.clip(1.0 - cosine, 0.0, 2.0), second, slope
        return tuple(jnp.where(apart, f, n) for f, n in zip(far, near, strict=True))

    ratios = (divide(*pair) for a, b in ((q1, q2), (after_1, after2)) for pair in ((a, b), (b, a)))
    apart = functools.reduce(jnp.maximum, ratios) > UNEQUAL**2
    gamma, second, slope = jax.lax.cond(apart.any(), of_unequal, lambda: near)
    return Layer(after1, after2, gamma, growth(second, slope), growth1, growth2)


def grow(theta, gain, source):
    """Theta after one layer that multiplies it by 1 + gain and adds source."""
    return theta + (gain * theta + source)


def grow_exactly(total, gain, source):
    """`grow` for a `total` that is the unevaluated sum (theta, lost) of two numbers.

    In a deep network on the edge of chaos Theta is large, and a layer adds to it the small term gain Theta
    and the source 1 - gamma. Rounded to a multiple of Theta's last digit, neither is rounded at random: from
    a million layers on, gamma is below that digit and is lost in every layer alike. So what the sum rounds
    away is carried to the next layer (Kahan, 1965).
    """
    theta, lost = total
    change = gain * theta + source + lost
    grown = theta + change
    return grown, jnp.where(jnp.isfinite(grown), change - (grown - theta), 0.0)


def half_square(a, b):
    """(a - b)^2 / 2."""
    return 0.5 * (a - b) ** 2


def divide(numerator, denominator):
    """numerator / denominator, and 0 where the denominator is 0 (a zero input without bias)."""
    positive = denominator > 0
    return jnp.where(positive, numerator / jnp.where(positive, denominator, 1.0), 0.0)
