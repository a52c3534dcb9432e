"""The fixed points of the variance of a pre-activation, q' = sigma_b^2 + sigma_w^2 V(q)."""

import itertools
import math
from functools import partial
from typing import NamedTuple

import jax
import numpy as np
from scipy.optimize import brentq, minimize_scalar

from ntk_helpers import activations
from ntk_helpers._checks import standard_deviation
from ntk_helpers._precision import float64

SMALLEST = 1e-12  # positive fixed points are looked for from here on, or from where the first can be
LARGEST = 1e12  # and up to here, or to the end of the range of the activation's expectations
POINTS = 400
CRITICAL = 1e-10  # |chi_1 - 1| up to here is called critical
ROOT = {"xtol": 1e-300, "rtol": 4 * np.finfo(float).eps}


class FixedPoint(NamedTuple):
    """A fixed point of the variance.

    Attributes
    ----------
    q : the variance.
    slope : the derivative of q' with respect to q there.
    stable : whether variances on both sides tend to it.
    """

    q: float
    slope: float
    stable: bool


@float64
def limits_at_zero(activation):
    """(phi(0), phi'(0)^2), the limits of the expectations for q -> 0."""
    zero = np.zeros(())
    return float(activation.phi(zero)), float(activation.dphi(zero)) ** 2


def examined(activation):
    """The smallest and largest q to look at: where the activation's expectations are accurate."""
    low, high = activation.q_range
    return max(SMALLEST, low), min(LARGEST, high)


def at_log(activation, log_q):
    """q = exp(log_q), which its rounding does not take out of the range, E[phi^2] and E[phi'^2]."""
    q = np.clip(np.exp(log_q), *activation.q_range)
    return q, *activation.variance(q)


def fixed_points(activation, *, sigma_w, sigma_b):
    """All fixed points of q' = sigma_b^2 + sigma_w^2 E[phi(sqrt(q) Z)^2], in increasing order.

    They are bracketed on a logarithmic grid of q and then solved to rounding; q = 0 is one where sigma_b = 0
    and phi(0) = 0. A stable one attracts variances on both sides (q = 0: from above).

    Parameters
    ----------
    activation : a name or an `Activation`.
    sigma_w, sigma_b : standard deviations, finite and not negative.

    Returns
    -------
    tuple of FixedPoint
        Empty where every variance grows beyond bounds.

    Raises
    ------
    ValueError
        If an argument has a wrong value, every q is a fixed point (ReLU-like without bias on the edge of
        chaos), or variances fall below the range of the activation's expectations.
    """
    activation = activations.get(activation)
    sw2, sb2 = standard_deviation("sigma_w", sigma_w) ** 2, standard_deviation("sigma_b", sigma_b) ** 2
    if activation.homogeneous:
        return _homogeneous_fixed_points(activation, sw2, sb2)
    if sw2 == 0:
        return (FixedPoint(sb2, 0.0, True),)

    def excess(log_q):
        """q'/q - 1."""
        q, V, _ = at_log(activation, log_q)
        return (sb2 + sw2 * V) / q - 1.0

    low, high = examined(activation)
    grid = np.linspace(math.log(low), math.log(high), POINTS)
    at_zero, slope_at_zero = limits_at_zero(activation)
    first = 0.5 * (sb2 + sw2 * at_zero**2)  # below it q' > q
    if activation.q_range[0] < first < low:
        grid = np.concatenate([[math.log(first)], grid])
    values = excess(grid)
    if activation.q_range[0] > 0 and values[0] < 0:
        raise ValueError(
            f"q_range of {activation.name} must reach below {low:g}: at sigma_w = {sigma_w:g}, sigma_b = "
            f"{sigma_b:g} the variance falls out of it"
        )
    points = [_fixed_point(activation, sw2, math.exp(root)) for root in _roots(excess, grid, values)]
    if sb2 == 0 and at_zero == 0:
        # On the edge, where the slope is 1, the next order decides.
        points.insert(0, FixedPoint(0.0, sw2 * slope_at_zero, bool(values[0] < 0)))
    return tuple(points)


def _roots(function, grid, values):
    """Roots of a function of one variable: sign changes on the grid, and those that a turning point hides."""
    nodes = list(zip(grid, values, strict=True))
    for k in range(1, len(grid) - 1):
        sign = np.sign(values[k])
        if sign * values[k] <= min(sign * values[k - 1], sign * values[k + 1]):
            turn = minimize_scalar(
                lambda x, sign=sign: sign * float(function(x)),
                bounds=(grid[k - 1], grid[k + 1]),
                method="bounded",
            )
            if turn.fun < 0:
                nodes.append((turn.x, sign * turn.fun))
    nodes.sort()
    return [
        brentq(lambda x: float(function(x)), a, b, **ROOT)
        for (a, at_a), (b, at_b) in itertools.pairwise(nodes)
        if at_a * at_b < 0 or (at_b == 0 and at_a != 0)
    ]


@float64
def _fixed_point(activation, sw2, q):
    slope = sw2 * float(_derivative_of_second_moment(activation, np.float64(q)))
    return FixedPoint(q, slope, abs(slope) < 1)


@partial(jax.jit, static_argnums=0)
def _derivative_of_second_moment(activation, q):
    return jax.grad(lambda q: activation.variance(q)[0])(q)


def _homogeneous_fixed_points(activation, sw2, sb2):
    growth = sw2 * float(activation.variance(1.0)[0])
    if sb2 == 0:
        if abs(growth - 1) <= CRITICAL:
            raise ValueError(
                f"sigma_w is on the edge of chaos of {activation.name} and sigma_b is 0: every q is a fixed "
                "point"
            )
        return (FixedPoint(0.0, growth, growth < 1),)
    return (FixedPoint(sb2 / (1.0 - growth), growth, True),) if growth < 1 else ()


def fixed_point(activation, *, sigma_w, sigma_b):
    """The stable fixed point q of the variance.

    Where there are several, it is the one that variances near 1 tend to; `fixed_points` has them all.

    Parameters
    ----------
    activation, sigma_w, sigma_b : as in `fixed_points`.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument has a wrong value, there is no stable fixed point (the variance grows beyond bounds),
        or every q is one (ReLU-like without bias on the edge of chaos).
    """
    return stable_fixed_point(activation, sigma_w, sigma_b).q


def stable_fixed_point(activation, sigma_w, sigma_b):
    """The `FixedPoint` of `fixed_point`."""
    activation = activations.get(activation)
    points = fixed_points(activation, sigma_w=sigma_w, sigma_b=sigma_b)
    stable = [point for point in points if point.stable]
    if not stable:
        raise ValueError(
            f"the variance has no stable fixed point for {activation.name}, sigma_w = {sigma_w:g}, sigma_b = "
            f"{sigma_b:g}, up to q = {examined(activation)[1]:g}: there it grows; take a smaller sigma_w"
        )
    unstable = [point.q for point in points if not point.stable]
    low = max((q for q in unstable if q < 1), default=-math.inf)
    high = min((q for q in unstable if q > 1), default=math.inf)
    return next((point for point in stable if low <= point.q <= high), stable[0])
