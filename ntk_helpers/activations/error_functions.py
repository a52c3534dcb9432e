"""Gaussian expectations of sums of error functions: erf, GELU, and the logistic family.

(u, v) is a centred Gaussian pair with variances q1, q2 and correlation c = 1 - gamma, and C = c sqrt(q1 q2).

Error functions. With A = a + q1, B = b + q2, R = sqrt(A B - C^2) and alpha = atan2(C, R) (Williams 1997)

    E[erf(u / sqrt(2a)) erf(v / sqrt(2b))] = (2/pi) alpha,

and from it, by integration by parts and by d/dC E[f(u) g(v)] = E[f'(u) g'(v)] (Price's theorem), the same for
|.| smoothed by Gaussian noise (Cho and Saul 2009 with inflated variances) and for x erf(x / sqrt(2a)).

Logistic functions. The logistic distribution is a scale mixture of Gaussians, 2 K Z with K of Kolmogorov's
distribution (Andrews and Mallows 1974; Stefanski 1991), so sigmoid(x) = E_K[Phi(x / 2K)] and tanh(x) =
E_K[erf(x / (sqrt(2) K))]. A Gauss rule for the law of log K makes of it a finite sum: tanh, sigmoid, softplus
and SiLU are sums of the closed forms above, with an error that does not depend on q.

Gaps. E[(f(u) - f(v))^2] / 2 is (M(P) + M(Q))/2 - (M(S) + M(T))/2, where M is the moment of the terms a and b
at four corners: P = both variances q1, Q = both q2 (correlation 1), S = (q1 with a, q2 with b) and T = (q2
with a, q1 with b) (correlation c). All four nearly agree where u and v do, so `Corners` carries their
differences beside their means.
"""

import functools
import math
import operator
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from ntk_helpers.activations.closed_forms import Expectations, half_mean_square_difference, safe_root

# Gauss rule with 14 points for the law of log K, K of Kolmogorov's distribution: pairs (K, weight). It
# integrates K^p to 1e-16 for -5 <= p <= 2; tests/oracle/test_activations.py derives it again.
_KOLMOGOROV = np.array((
    (0.258003460842714184, 6.07756261040465423e-7), (0.309344004863990258, 0.0000883218117465255726),
    (0.367983811563261969, 0.00225469577633161943), (0.438916318968693133, 0.0199963665627934297),
    (0.526972452792944022, 0.082395070724233213), (0.637659268362095278, 0.186426976249145423),
    (0.777031266471615377, 0.258606900227663244), (0.95079501596443711, 0.235829442810546954),
    (1.16285036055352443, 0.144172902086270509), (1.41508567382378369, 0.0563004716620342942),
    (1.70966186376231643, 0.0125416751762452374), (2.05192337186301597, 0.00133576241139945492),
    (2.45540468613311035, 0.0000504665885626582877), (2.96099581824495024, 3.40156766396664478e-7),
))  # fmt: skip


class Mixture(NamedTuple):
    """T(x) = sum of weights * erf(x / sqrt(2 widths)), the widths being variances."""

    widths: np.ndarray
    weights: np.ndarray


ERF = Mixture(np.array([0.5]), np.array([1.0]))  # erf(x)
NORMAL = Mixture(np.array([1.0]), np.array([1.0]))  # erf(x / sqrt 2) = 2 Phi(x) - 1
TANH = Mixture(_KOLMOGOROV[:, 0] ** 2, _KOLMOGOROV[:, 1])  # tanh(x)
HALF_TANH = Mixture(4.0 * _KOLMOGOROV[:, 0] ** 2, _KOLMOGOROV[:, 1])  # tanh(x / 2) = 2 sigmoid(x) - 1


class Corners(NamedTuple):
    """A quantity at corners P, Q (outer) and S, T (inner): means, half differences, outer - inner mean."""

    outer: object
    outer_half: object
    inner: object
    inner_half: object
    drop: object

    def __mul__(self, other):
        return Corners(
            self.outer * other.outer + self.outer_half * other.outer_half,
            self.outer * other.outer_half + self.outer_half * other.outer,
            self.inner * other.inner + self.inner_half * other.inner_half,
            self.inner * other.inner_half + self.inner_half * other.inner,
            self.drop * other.outer
            + self.inner * other.drop
            + self.outer_half * other.outer_half
            - self.inner_half * other.inner_half,
        )


class _Terms(NamedTuple):
    """What the expectations are made of: C, alpha, R, 1/R, the a/A + b/B and N of the module's formulas.

    N = q1 q2 - C^2 + C^2 (a/A + b/B). The fields are arrays (for moments) or `Corners` (for gaps).
    """

    covariance: object
    alpha: object
    root: object
    inverse: object
    shares: object
    numerator: object


def _moment_terms(a, b, q1, q2, gamma):
    w = gamma * (2.0 - gamma)  # 1 - c^2
    c = 1.0 - gamma
    covariance = c * safe_root(q1) * safe_root(q2)
    root = jnp.sqrt(a * b + a * q2 + b * q1 + q1 * q2 * w)
    shares = a / (a + q1) + b / (b + q2)
    numerator = q1 * q2 * (w + c * c * shares)
    return _Terms(covariance, jnp.arctan2(covariance, root), root, 1.0 / root, shares, numerator)


def _gap_terms(a, b, q1, q2, gamma):
    w, c = gamma * (2.0 - gamma), 1.0 - gamma
    delta, mean, product = q1 - q2, 0.5 * (q1 + q2), q1 * q2
    s = safe_root(q1) * safe_root(q2)
    zero = jnp.zeros_like(c * s)
    covariance = Corners(mean, 0.5 * delta, c * s, zero, half_mean_square_difference(q1, q2, gamma))

    # R^2 at the corners: P, Q = outer +- half difference, S, T = inner +- half difference
    outer = a * b + (a + b) * mean
    outer_half, inner_half = 0.5 * (a + b) * delta, 0.5 * (b - a) * delta
    rp, rq = jnp.sqrt(a * b + (a + b) * q1), jnp.sqrt(a * b + (a + b) * q2)
    rs = jnp.sqrt(a * b + a * q2 + b * q1 + product * w)
    rt = jnp.sqrt(a * b + a * q1 + b * q2 + product * w)
    sum_outer, sum_inner = rp + rq, rs + rt
    product_outer, product_inner = rp * rq, rs * rt
    # (R_S R_T)^2 - (R_P R_Q)^2, both terms positive
    excess = product * w * (2.0 * outer + product * w) + a * b * delta**2
    excess = excess / (product_outer + product_inner)  # R_S R_T - R_P R_Q
    drop = -(product * w + excess) / (sum_outer + sum_inner)
    root = Corners(0.5 * sum_outer, outer_half / sum_outer, 0.5 * sum_inner, inner_half / sum_inner, drop)
    inverse = Corners(
        root.outer / product_outer,
        -root.outer_half / product_outer,
        root.inner / product_inner,
        -root.inner_half / product_inner,
        (drop * product_inner + root.inner * excess) / (product_outer * product_inner),
    )

    # With z = R + i C, alpha = arg z, and o = z_P z_Q and i = z_S z_T lie on one circle about 0. Half the
    # angle between them has the tangent (Re i - Re o) / (Im o + Im i) = (Im o - Im i) / (Re o + Re i).
    lift, lift_inner = q1 * rq + q2 * rp, c * s * sum_inner  # imaginary parts
    flat = product_outer + product_inner - product * (1.0 + c * c)  # sum of the real parts
    ahead = c > 0.0
    alpha_drop = jnp.arctan2(
        jnp.where(ahead, excess + product * w, lift - lift_inner), jnp.where(ahead, lift + lift_inner, flat)
    )
    ap, aq = jnp.arctan2(q1, rp), jnp.arctan2(q2, rq)
    alpha_outer_half = 0.5 * jnp.arctan2(
        delta * (2.0 * a * b * mean + product * (a + b)) / jnp.where(lift > 0.0, lift, 1.0),
        product_outer + product,
    )
    as_, at = jnp.arctan2(c * s, rs), jnp.arctan2(c * s, rt)
    alpha_inner_half = 0.5 * jnp.arctan2(
        -2.0 * c * s * inner_half / sum_inner, product_inner + c * c * product
    )
    alpha = Corners(0.5 * (ap + aq), alpha_outer_half, 0.5 * (as_ + at), alpha_inner_half, alpha_drop)

    # a/A + b/B, and N: q1 (y_a(q1) + y_b(q1)) at P, q1 q2 w + c^2 (q2 y_a(q1) + q1 y_b(q2)) at S, y_a(q) = a
    # q/(a + q)
    share_a1, share_a2, share_b1, share_b2 = a / (a + q1), a / (a + q2), b / (b + q1), b / (b + q2)
    fall_a = -delta * a / ((a + q1) * (a + q2))  # share_a1 - share_a2
    fall_b = -delta * b / ((b + q1) * (b + q2))
    total = share_a1 + share_a2 + share_b1 + share_b2
    shares = Corners(0.5 * total, 0.5 * (fall_a + fall_b), 0.5 * total, 0.5 * (fall_a - fall_b), zero)
    y1, y2 = q1 * (share_a1 + share_b1), q2 * (share_a2 + share_b2)
    y_difference = delta * (share_a1 * share_a2 + share_b1 * share_b2)  # y1 - y2
    inner_y = 0.5 * (q2 * y1 + q1 * y2)
    numerator = Corners(
        0.5 * (q1 * y1 + q2 * y2),
        0.25 * delta * (y1 + y2) + 0.5 * mean * y_difference,
        product * w + c * c * inner_y,
        0.5 * c * c * product * (fall_a - fall_b),
        0.5 * delta * y_difference + w * product * (0.5 * total - 1.0),
    )
    return _Terms(covariance, alpha, root, inverse, shares, numerator)


# Each kind: the values f -> E[f f] and E[f' f'] as sums of products of terms, for f built from one mixture T.
# A sum is a list of (coefficient, tuple of factors).


def _odd(t):
    """f = T."""
    return [(2.0 / math.pi, (t.alpha,))], [(2.0 / math.pi, (t.inverse,))]


def _ramp(t):
    """f = integral of T / 2, up to the constant that makes f(x) - |x|/2 vanish at infinity."""
    first = [(0.5 / math.pi, (t.root,)), (0.5 / math.pi, (t.covariance, t.alpha))]
    return first, [(0.5 / math.pi, (t.alpha,))]


def _gated(t):
    """f = x T / 2."""
    # In this order the intermediate products stay small, which matters where q1 and q2 differ greatly.
    gain, share = t.covariance * t.inverse, t.numerator * t.inverse
    first = [(0.5 / math.pi, (t.covariance, t.alpha)), (0.5 / math.pi, (share,))]
    second = [(0.5 / math.pi, (t.alpha,)), (-0.5 / math.pi, (gain,)), (1.0 / math.pi, (t.shares, gain))]
    return first, [*second, (0.5 / math.pi, (share, gain, t.inverse))]


def _pairs(mixture, ndim, distinct):
    """Widths a, b, on a leading axis, and weights of the pairs of terms; unordered pairs if `distinct`."""
    n = len(mixture.widths)
    j, k = np.triu_indices(n) if distinct else (g.ravel() for g in np.indices((n, n)))
    weights = mixture.weights[j] * mixture.weights[k] * (np.where(j == k, 1.0, 2.0) if distinct else 1.0)
    shape = (-1,) + (1,) * ndim
    return mixture.widths[j].reshape(shape), mixture.widths[k].reshape(shape), weights


def mixture(kind, terms, *, scale=1.0, linear=0.0, constant=0.0):
    """Expectations of phi(x) = constant + linear x + scale f(x).

    f is `_odd`, `_ramp` or `_gated` of the mixture `terms`; at most one of `constant` (f odd) and `linear` (f
    even) is not zero, so that the parts are uncorrelated.
    """

    def total(sums, weights, read=lambda x: x):
        value = sum(weight * read(functools.reduce(operator.mul, factors)) for weight, factors in sums)
        return scale**2 * jnp.tensordot(weights, value, axes=1)

    def products(q1, q2, gamma, covariance, distinct):
        a, b, weights = _pairs(terms, jnp.broadcast_arrays(q1, q2, gamma)[0].ndim, distinct)
        first, second = kind(_moment_terms(a, b, q1, q2, gamma))
        level = constant**2 + linear**2 * covariance
        return level + total(first, weights), linear**2 + total(second, weights)

    def moments(q1, q2, gamma):
        return products(q1, q2, gamma, (1.0 - gamma) * safe_root(q1) * safe_root(q2), distinct=False)

    def variance(q):
        return products(q, q, jnp.zeros_like(q), q, distinct=True)

    def gaps(q1, q2, gamma):
        a, b, weights = _pairs(terms, jnp.broadcast_arrays(q1, q2, gamma)[0].ndim, distinct=True)
        first, second = kind(_gap_terms(a, b, q1, q2, gamma))
        value, slope = (total(sums, weights, lambda x: x.drop) for sums in (first, second))
        near = linear**2 * half_mean_square_difference(q1, q2, gamma) + value, slope
        if kind is not _gated:
            return near
        # The products of `_gated` lose digits where variances are large and the pair is not nearly equal.
        # There nothing cancels in the difference of the moments.
        unequal = (jnp.abs(q1 - q2) > 0.5 * (q1 + q2)) | (gamma > 0.01)
        far = unequal & (jnp.maximum(q1, q2) > 1.0)
        parts = zip(near, variance(q1), variance(q2), moments(q1, q2, gamma), strict=True)
        return tuple(jnp.where(far, 0.5 * (v1 + v2) - m, gap) for gap, v1, v2, m in parts)

    return Expectations(moments, variance, gaps)


EXPECTATIONS = {
    "erf": mixture(_odd, ERF),
    "tanh": mixture(_odd, TANH),
    "sigmoid": mixture(_odd, HALF_TANH, scale=0.5, constant=0.5),  # (1 + tanh(x/2)) / 2
    "softplus": mixture(_ramp, HALF_TANH, linear=0.5),  # log(1 + exp(x)) = x/2 + log(2 cosh(x/2))
    "gelu": mixture(_gated, NORMAL, linear=0.5),  # x Phi(x) = x/2 + x erf(x / sqrt 2) / 2
    "silu": mixture(_gated, HALF_TANH, linear=0.5),  # x / (1 + exp(-x)) = x/2 + x tanh(x/2) / 2
}
