"""Mean field theory of deep fully connected networks: fixed points, phases, depth scales, the edge of chaos.

Through the layers of an infinitely wide network the variance of a pre-activation follows q' = sigma_b^2 +
sigma_w^2 V(q), V(q) = E[phi(sqrt(q) Z)^2]. At a fixed point q of it, the correlation c of two inputs follows
a map with c = 1 as a fixed point, of slope

    chi_1 = sigma_w^2 E[phi'(sqrt(q) Z)^2].

chi_1 < 1 is the ordered phase, chi_1 > 1 the chaotic one, chi_1 = 1 the edge of chaos (Poole et al., 2016;
Schoenholz et al., 2017).
"""

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
SMALLEST_BIAS = 1e-5  # below, rounding hides an edge of chaos that tends to q = 0 with the bias
_ROOT = {"xtol": 1e-300, "rtol": 4 * np.finfo(float).eps}


class FixedPoint(NamedTuple):
    """A fixed point of the variance."""

    q: float
    slope: float  # derivative of q' with respect to q
    stable: bool


class CorrelationFixedPoint(NamedTuple):
    """The stable fixed point c = 1 - one_minus_c of the correlation, and the slope of its map there."""

    c: float
    one_minus_c: float
    slope: float


class DepthScales(NamedTuple):
    """Numbers of layers over which deviations from the fixed points fall by a factor e (inf: never)."""

    xi_q: float
    xi_c: float


class EdgeOfChaos(NamedTuple):
    """A point of the edge of chaos."""

    sigma_w: float
    q: float


@partial(jax.jit, static_argnums=0)
def _second_derivative(activation, q):
    return jax.grad(lambda q: activation.variance(q)[0])(q)


@float64
def _at_zero(activation):
    """(phi(0), phi'(0)^2), the limits of the expectations for q -> 0."""
    zero = np.zeros(())
    return float(activation.phi(zero)), float(activation.dphi(zero)) ** 2


def _examined(activation):
    """The smallest and largest q to look at: where the activation's expectations are accurate."""
    low, high = activation.q_range
    return max(SMALLEST, low), min(LARGEST, high)


def _at(activation, log_q):
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
    tuple of FixedPoint (q, slope, stable) : empty where every variance grows beyond bounds.

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
        q, second, _ = _at(activation, log_q)
        return (sb2 + sw2 * second) / q - 1.0

    low, high = _examined(activation)
    grid = np.linspace(math.log(low), math.log(high), POINTS)
    at_zero, slope_at_zero = _at_zero(activation)
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
        brentq(lambda x: float(function(x)), a, b, **_ROOT)
        for (a, at_a), (b, at_b) in itertools.pairwise(nodes)
        if at_a * at_b < 0 or (at_b == 0 and at_a != 0)
    ]


@float64
def _fixed_point(activation, sw2, q):
    slope = sw2 * float(_second_derivative(activation, np.float64(q)))
    return FixedPoint(q, slope, abs(slope) < 1)


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

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument has a wrong value, there is no stable fixed point (the variance grows beyond bounds),
        or every q is one (ReLU-like without bias on the edge of chaos).
    """
    activation = activations.get(activation)
    points = fixed_points(activation, sigma_w=sigma_w, sigma_b=sigma_b)
    stable = [point.q for point in points if point.stable]
    if not stable:
        raise ValueError(
            f"the variance has no stable fixed point for {activation.name}, sigma_w = {sigma_w:g}, sigma_b = "
            f"{sigma_b:g}, up to q = {_examined(activation)[1]:g}: there it grows; take a smaller sigma_w"
        )
    if len(stable) == 1:
        return stable[0]
    unstable = [point.q for point in points if not point.stable]
    low = max((q for q in unstable if q < 1), default=-math.inf)
    high = min((q for q in unstable if q > 1), default=math.inf)
    return next((q for q in stable if low <= q <= high), stable[0])


def chi(activation, *, sigma_w, q):
    """chi_1 = sigma_w^2 E[phi'(sqrt(q) Z)^2], the slope at c = 1 of the correlation map of variance q.

    q : variance, not negative, number or array; the result has its shape (a float for a number).
    """
    activation = activations.get(activation)
    sw2 = standard_deviation("sigma_w", sigma_w) ** 2
    value = sw2 * activation.variance(q)[1]
    return float(value) if np.ndim(q) == 0 else value


def _chi_of_phase(activation, sigma_w, sigma_b):
    """chi_1 where the variance ends: at the stable fixed point or, where it grows beyond bounds, far out."""
    standard_deviation("sigma_b", sigma_b)
    if activation.homogeneous:
        return chi(activation, sigma_w=sigma_w, q=1.0)
    points = fixed_points(activation, sigma_w=sigma_w, sigma_b=sigma_b)
    if any(point.stable for point in points):
        return chi(activation, sigma_w=sigma_w, q=fixed_point(activation, sigma_w=sigma_w, sigma_b=sigma_b))
    return chi(activation, sigma_w=sigma_w, q=_examined(activation)[1])


def phase(activation, *, sigma_w, sigma_b):
    """The phase, by chi_1 at the stable fixed point of the variance: "ordered", "critical" or "chaotic".

    "critical" is |chi_1 - 1| <= 1e-10. Where the variance grows beyond bounds, chi_1 is its limit at large q.
    """
    activation = activations.get(activation)
    value = _chi_of_phase(activation, sigma_w, sigma_b)
    if abs(value - 1.0) <= CRITICAL:
        return "critical"
    return "ordered" if value < 1 else "chaotic"


def correlation_fixed_point(activation, *, sigma_w, sigma_b):
    """The correlation that two different inputs tend to, and the slope of the correlation map there.

    At the stable fixed point q of the variance, 1 - c follows gamma' = sigma_w^2 E[(phi(u) - phi(v))^2]/(2
    q). In the ordered and critical phases c tends to 1, with slope chi_1. In the chaotic phase it tends to
    the one c in [0, 1) that the map keeps, with slope sigma_w^2 E[phi'(u) phi'(v)]: there is one, as the map
    is a power series in c with coefficients >= 0. It is 0 for an odd activation without bias (from all
    starts but -1 and 1, which stay). A ReLU-like activation whose variance grows has c = 1, with
    slope 1: bias and norms lose their weight (and c = 1 with slope 1 whenever sigma_b = 0).

    Returns
    -------
    CorrelationFixedPoint (c, one_minus_c, slope)

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
    gamma = 1.0 if uncorrelated else 2.0 * math.sin(0.5 * brentq(excess, low, high, **_ROOT)) ** 2
    return CorrelationFixedPoint(1.0 - gamma, gamma, sw2 * float(activation.moments(q, q, gamma)[1]))


def depth_scales(activation, *, sigma_w, sigma_b):
    """Depth scales of the variance and of the correlation, xi = -1 / log(slope at the stable fixed point).

    Schoenholz et al. (2017), equations 7 to 9. A ReLU-like activation needs a stable fixed point, too.

    Returns
    -------
    DepthScales (xi_q, xi_c) : inf where the slope is 1, 0 where it is 0. Where the variance tends to 0, the
        network is linear in the end and correlations freeze: xi_c is inf.
    """
    activation = activations.get(activation)
    q = fixed_point(activation, sigma_w=sigma_w, sigma_b=sigma_b)
    slope = next(
        point.slope for point in fixed_points(activation, sigma_w=sigma_w, sigma_b=sigma_b) if point.q == q
    )
    frozen = q == 0 and not activation.homogeneous
    correlation = (
        1.0 if frozen else correlation_fixed_point(activation, sigma_w=sigma_w, sigma_b=sigma_b).slope
    )
    return DepthScales(_scale(slope), _scale(correlation))


def _scale(slope):
    size = abs(slope)
    if size == 0:
        return 0.0
    return math.inf if size >= 1 else -1.0 / math.log(size)


# The edge of chaos


def edge_of_chaos(activation, *, sigma_b):
    """The sigma_w, and the variance q, with q = sigma_b^2 + sigma_w^2 V(q) and chi_1 = 1.

    Eliminating sigma_w leaves one equation, F(q) = q - E[phi^2] / E[phi'^2] = sigma_b^2, and sigma_w =
    E[phi'^2]^(-1/2). For every activation here F has one root at most.

    * tanh, erf, ELU, SiLU, GELU: one for every sigma_b; sigma_b -> 0 gives q -> 0 and sigma_w -> 1/|phi'(0)|.
    * sigmoid: one for every sigma_b, far out: sigma_w > 10. A sigmoid layer is a tanh layer with a bias of
      the size of its weights, and tanh has an edge at every bias.
    * softplus: none. Integration by parts gives q E[phi'^2] = E[u phi'] - q E[phi phi''], of phi = softplus
      with phi'' > 0 and u phi'(u) < phi(u); so q E[phi'^2] < E[phi^2] and F < 0: chi_1 < 1 at every fixed
      point.
    * ReLU-like: chi_1 does not depend on q, and with a bias the variance has no finite fixed point on the
      edge. With sigma_b = 0 every q is one: q is nan.

    The variance q need not be stable. It is for tanh, erf, ELU and sigmoid; for SiLU with sigma_b < 0.75 and
    GELU with sigma_b < 0.42 it is not, as `fixed_points` shows: a smaller variance decays to an ordered fixed
    point and a larger one grows, so deep networks do not stay on this edge.

    Returns
    -------
    EdgeOfChaos (sigma_w, q) : sigma_w to a relative 1e-12.

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
    at_zero, slope_at_zero = _at_zero(activation)
    if sb2 == 0 and at_zero == 0:
        return EdgeOfChaos(math.sqrt(1.0 / slope_at_zero), 0.0)
    if at_zero == 0 and sigma_b < SMALLEST_BIAS:
        raise ValueError(
            f"sigma_b must be 0 or {SMALLEST_BIAS:g} and more for {activation.name}, got {sigma_b:g}: below, "
            "rounding hides the edge of chaos; take 0, whose edge it tends to"
        )

    def balance(log_q):
        """(F(q) - sigma_b^2) E[phi'^2] / q."""
        q, second, slope = _at(activation, log_q)
        return (1.0 - sb2 / q) * slope - second / q

    low, high = _examined(activation)
    grid = np.linspace(math.log(low), math.log(high), POINTS)
    values = balance(grid)
    if not (values > 0).any():
        raise ValueError(
            f"{activation.name} has no edge of chaos at sigma_b = {sigma_b:g} up to q = "
            f"{high:g}: (q - sigma_b^2) E[phi'^2] stays below E[phi^2], so chi_1 < 1 at "
            "every fixed point"
        )
    if (values > 0).all():
        raise ValueError(
            f"q_range of {activation.name} must reach below {low:g}, where its edge of chaos at sigma_b = "
            f"{sigma_b:g} lies"
        )
    # Above the root F exceeds sigma_b^2; far below it rounding decides the sign, so the last change counts.
    last = np.nonzero(values <= 0)[0][-1]
    q = math.exp(brentq(lambda x: float(balance(x)), grid[last], grid[last + 1], **_ROOT))
    return EdgeOfChaos(1.0 / math.sqrt(activation.variance(q)[1]), q)
