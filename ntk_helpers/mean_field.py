"""Mean field theory of deep fully connected networks: fixed points, phases, depth scales, the edge of chaos.

Through the layers of an infinitely wide network the variance of a pre-activation follows q' = sigma_b^2 +
sigma_w^2 V(q), V(q) = E[phi(sqrt(q) Z)^2]. At a fixed point q of it, the correlation c of two inputs follows
a map with c = 1 as a fixed point, of slope

    chi_1 = sigma_w^2 E[phi'(sqrt(q) Z)^2].

chi_1 < 1 is the ordered phase, chi_1 > 1 the chaotic one, chi_1 = 1 the edge of chaos (Poole et al., 2016;
Schoenholz et al., 2017).
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from ntk_helpers import activations
from ntk_helpers._checks import standard_deviation
from ntk_helpers._fixed_points import (
    CRITICAL,
    POINTS,
    ROOT,
    FixedPoint,
    at_log,
    examined,
    fixed_point,
    fixed_points,
    limits_at_zero,
    stable_fixed_point,
)

__all__ = [
    "CorrelationFixedPoint", "DepthScales", "EdgeOfChaos", "FixedPoint", "chi", "correlation_fixed_point",
    "depth_scales", "edge_of_chaos", "fixed_point", "fixed_points", "phase",
]  # fmt: skip

SMALLEST_BIAS = 1e-5  # below, rounding hides an edge of chaos that tends to q = 0 with the bias


class CorrelationFixedPoint(NamedTuple):
    """The stable fixed point of the correlation.

    Attributes
    ----------
    c, one_minus_c : the correlation, and 1 - c, which keeps its digits near c = 1.
    slope : the slope of the correlation map there.
    """

    c: float
    one_minus_c: float
    slope: float


class DepthScales(NamedTuple):
    """Numbers of layers over which deviations from the fixed points fall by a factor e (inf: never).

    Attributes
    ----------
    xi_q, xi_c : of the variance, and of the correlation.
    """

    xi_q: float
    xi_c: float


class EdgeOfChaos(NamedTuple):
    """A point of the edge of chaos.

    Attributes
    ----------
    sigma_w : the standard deviation of the weights.
    q : the fixed point of the variance, where chi_1 = 1.
    """

    sigma_w: float
    q: float


def chi(activation, *, sigma_w, q):
    """chi_1 = sigma_w^2 E[phi'(sqrt(q) Z)^2], the slope at c = 1 of the correlation map of variance q.

    Parameters
    ----------
    activation, sigma_w : as in `fixed_points`.
    q : variance, not negative, number or array.

    Returns
    -------
    float, or an array of the shape of q.

    Raises
    ------
    ValueError
        If an argument has a wrong value.
    """
    activation = activations.get(activation)
    sw2 = standard_deviation("sigma_w", sigma_w) ** 2
    value = sw2 * activation.variance(q)[1]
    return float(value) if np.ndim(q) == 0 else value


def phase(activation, *, sigma_w, sigma_b):
    """The phase, by chi_1 at the stable fixed point of the variance: "ordered", "critical" or "chaotic".

    "critical" is |chi_1 - 1| <= 1e-10. Where the variance grows beyond bounds, chi_1 is its limit at large q.

    Parameters
    ----------
    activation, sigma_w, sigma_b : as in `fixed_points`.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If an argument has a wrong value.
    """
    activation = activations.get(activation)
    standard_deviation("sigma_b", sigma_b)
    if activation.homogeneous:
        q = 1.0  # chi_1 is the same everywhere
    elif any(point.stable for point in fixed_points(activation, sigma_w=sigma_w, sigma_b=sigma_b)):
        q = fixed_point(activation, sigma_w=sigma_w, sigma_b=sigma_b)
    else:
        q = examined(activation)[1]
    value = chi(activation, sigma_w=sigma_w, q=q)
    if abs(value - 1.0) <= CRITICAL:
        return "critical"
    return "ordered" if value < 1 else "chaotic"


def correlation_fixed_point(activation, *, sigma_w, sigma_b):
    """The correlation that two different inputs tend to, and the slope of the correlation map there.

    At the stable fixed point q of the variance, 1 - c follows gamma' = sigma_w^2 E[(phi(u) - phi(v))^2]/(2
    q). In the ordered and critical phases c tends to 1, with slope chi_1. In the chaotic phase it tends to
    the one c in [0, 1) that the map, a power series with coefficients >= 0, keeps, with slope sigma_w^2
    E[phi'(u) phi'(v)]. It is 0 for an odd activation without bias (but starts at -1 and 1 stay). A ReLU-like
    activation without bias, or whose variance grows, has c = 1 with slope 1.

    Parameters
    ----------
    activation, sigma_w, sigma_b : as in `fixed_points`.

    Returns
    -------
    CorrelationFixedPoint

    Raises
    ------
    ValueError
        If an argument has a wrong value or the variance has no stable, positive fixed point.
    """
    activation = activations.get(activation)
    sw2 = standard_deviation("sigma_w", sigma_w) ** 2
    if activation.homogeneous:
        growth = chi(activation, sigma_w=sigma_w, q=1.0)
        no_bias = standard_deviation("sigma_b", sigma_b) == 0
        return CorrelationFixedPoint(1.0, 0.0, 1.0 if no_bias else min(1.0, growth))
    q = fixed_point(activation, sigma_w=sigma_w, sigma_b=sigma_b)
    if q == 0:
        raise ValueError(
            f"sigma_w = {sigma_w:g} without bias takes the variance of {activation.name} to 0, where"
            " correlations do not move: use sigma_b > 0"
        )
    slope = chi(activation, sigma_w=sigma_w, q=q)
    if slope <= 1.0 + CRITICAL:
        return CorrelationFixedPoint(1.0, 0.0, slope)

    def excess(angle):
        """gamma'/gamma - 1."""
        gamma = 2.0 * math.sin(0.5 * angle) ** 2
        return sw2 * float(activation.gaps(q, q, gamma)[0]) / (q * gamma) - 1.0

    # c near 1 is at angle of order chi_1 - 1; c = 0 is at pi/2.
    low, high = 1e-3 * min(1.0, slope - 1.0), 0.5 * math.pi
    if not excess(low) > 0:
        raise ValueError(
            f"sigma_w = {sigma_w:g} is too near the edge of chaos of {activation.name} to resolve a c below 1"
        )
    uncorrelated = excess(high) >= 0
    gamma = 1.0 if uncorrelated else 2.0 * math.sin(0.5 * brentq(excess, low, high, **ROOT)) ** 2
    return CorrelationFixedPoint(1.0 - gamma, gamma, sw2 * float(activation.moments(q, q, gamma)[1]))


def depth_scales(activation, *, sigma_w, sigma_b):
    """Depth scales of the variance and of the correlation, xi = -1 / log(slope at the stable fixed point).

    Schoenholz et al. (2017), equations 7 to 9. A ReLU-like activation needs a stable fixed point, too.

    Parameters
    ----------
    activation, sigma_w, sigma_b : as in `fixed_points`.

    Returns
    -------
    DepthScales
        inf where the slope is 1, 0 where it is 0. Where the variance tends to 0, the network is linear in the
        end and correlations freeze: xi_c is inf.

    Raises
    ------
    ValueError
        As in `fixed_point`, or if the edge of chaos is too near to resolve the fixed point of c.
    """
    activation = activations.get(activation)
    point = stable_fixed_point(activation, sigma_w, sigma_b)
    if point.q == 0 and not activation.homogeneous:
        return DepthScales(_scale(point.slope), math.inf)
    correlation = correlation_fixed_point(activation, sigma_w=sigma_w, sigma_b=sigma_b)
    return DepthScales(_scale(point.slope), _scale(correlation.slope))


def _scale(slope):
    if abs(slope) >= 1:
        return math.inf
    return -1.0 / math.log(abs(slope)) if slope else 0.0


# The edge of chaos


def edge_of_chaos(activation, *, sigma_b):
    """The sigma_w, and the variance q, with q = sigma_b^2 + sigma_w^2 V(q) and chi_1 = 1.

    Eliminating sigma_w leaves one equation, F(q) = q - V(q) / W(q) = sigma_b^2 with V = E[phi^2] and W =
    E[phi'^2], and sigma_w = W(q)^(-1/2). For every activation here F has one root at most.

    * tanh, erf, ELU, SiLU, GELU: one for every sigma_b; sigma_b -> 0 gives q -> 0 and sigma_w -> 1/|phi'(0)|.
    * sigmoid: one for every sigma_b, far out: sigma_w > 10.
    * softplus: none, as q E[phi'^2] < E[phi^2] for every q (integration by parts): chi_1 < 1 at fixed points.
    * ReLU-like: only with sigma_b = 0, where every q is a fixed point: q is nan.

    The variance q need not be stable. It is for tanh, erf, ELU and sigmoid; for SiLU with sigma_b < 0.75 and
    GELU with sigma_b < 0.42 a smaller variance decays to an ordered fixed point and a larger one grows.

    Parameters
    ----------
    activation : a name or an `Activation`.
    sigma_b : standard deviation, finite and not negative.

    Returns
    -------
    EdgeOfChaos
        sigma_w to a relative 1e-12.

    Raises
    ------
    ValueError
        If an argument has a wrong value or there is no edge of chaos.
    """
    activation = activations.get(activation)
    sb2 = standard_deviation("sigma_b", sigma_b) ** 2
    if activation.homogeneous:
        if sb2 > 0:
            raise ValueError(
                f"sigma_b must be 0 on the edge of chaos of {activation.name}, got {sigma_b:g}: with a bias "
                "the variance grows by sigma_b^2 in each layer and has no fixed point"
            )
        return EdgeOfChaos(1.0 / math.sqrt(activation.variance(1.0)[1]), math.nan)
    at_zero, slope_at_zero = limits_at_zero(activation)
    if sb2 == 0 and at_zero == 0:
        return EdgeOfChaos(math.sqrt(1.0 / slope_at_zero), 0.0)
    if at_zero == 0 and sigma_b < SMALLEST_BIAS:
        raise ValueError(
            f"sigma_b must be 0 or {SMALLEST_BIAS:g} and more for {activation.name}, got {sigma_b:g}: below, "
            "rounding hides the edge of chaos; take 0, whose edge it tends to"
        )

    def balance(log_q):
        """0 where q = sigma_b^2 + V(q) / W(q), with V = E[phi^2] and W = E[phi'^2] = 1 / sigma_w^2."""
        q, V, W = at_log(activation, log_q)
        return (1.0 - sb2 / q) * W - V / q

    low, high = examined(activation)
    grid = np.linspace(math.log(low), math.log(high), POINTS)
    values = balance(grid)
    if not (values > 0).any():
        raise ValueError(
            f"{activation.name} has no edge of chaos at sigma_b = {sigma_b:g} up to q = {high:g}: (q - "
            "sigma_b^2) E[phi'^2] stays below E[phi^2], so chi_1 < 1 at every fixed point"
        )
    if (values > 0).all():
        raise ValueError(
            f"q_range of {activation.name} must reach below {low:g}, where its edge of chaos at sigma_b = "
            f"{sigma_b:g} lies"
        )
    # Above the root F exceeds sigma_b^2; far below it rounding decides the sign, so the last change counts.
    last = np.nonzero(values <= 0)[0][-1]
    q = math.exp(brentq(lambda x: float(balance(x)), grid[last], grid[last + 1], **ROOT))
    return EdgeOfChaos(1.0 / math.sqrt(activation.variance(q)[1]), q)
