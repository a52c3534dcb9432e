"""Gaussian expectations of ELU (x for x > 0, exp(x) - 1 for x < 0), by one-dimensional quadrature.

In polar coordinates, u = s1 r sin(e) and v = s2 r sin(e + theta) where both have one sign, the radial
integrals are functions of one variable, such as m_k(b) = integral of r^k exp(-r^2/2 - b r) over r > 0. Only
the integral over the angle is left, which is smooth inside each sector of constant signs and varies on the
scale 1/s near the sector's edges.
"""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from ntk_helpers.activations.closed_forms import (
    Expectations,
    angles,
    flat,
    half_mean_square_difference,
    safe_root,
    sine_excess,
)
from ntk_helpers.activations.quadrature import legendre

NODES = 22  # of the integral over the angle
_CENTRE = 3.0  # maps b in [0, inf) to (b - centre) / (b + centre) in [-1, 1)
_DEGREE = 28


@functools.cache
def _radial_rule():
    """Nodes and weights on r > 0 for exp(-r^2/2) times a function that varies on any scale above 1e-4."""
    edges = np.concatenate([[0.0], 9.6 * 2.0 ** np.arange(-18.0, 1.0)])
    t, w = legendre(24)
    width = np.diff(edges)[:, None]
    r = (edges[:-1, None] + t * width).ravel()
    return r, (w * width).ravel() * np.exp(-0.5 * r * r)


# What is approximated: name -> (integrand of exp(-r^2/2) dr with its powers of b divided out, decay power).
# -expm1(-b r) / b and the like keep their accuracy as b -> 0.
def _lag(b, r):
    return np.where(b * r > 1e-300, -np.expm1(-b * r) / np.where(b > 0, b, 1.0), r)


def _second_lag(b, r):
    """(b r - 1 + exp(-b r)) / b^2, from its series where that cancels."""
    x = b * r
    series = r * r * sum((-x) ** k / math.factorial(k + 2) for k in range(14))
    return np.where(x < 0.5, series, (x + np.expm1(-x)) / np.where(b > 0, b, 1.0) ** 2)


_INTEGRANDS = {
    "m0": (lambda b, r: np.exp(-b * r), 1),
    "m1": (lambda b, r: r * np.exp(-b * r), 2),
    "m3": (lambda b, r: r**3 * np.exp(-b * r), 4),
    "lag2": (lambda b, r: r**2 * _lag(b, r), 1),  # (m_2(0) - m_2(b)) / b
    "square0": (lambda b, r: _lag(b, r) ** 2, 2),
    "square1": (lambda b, r: r * _lag(b, r) ** 2, 2),
    "bend1": (lambda b, r: r * _second_lag(b, r), 1),  # (m_1(b) - 1 + b m_2(0)) / b^2
}


@functools.cache
def _coefficients(name):
    integrand, power = _INTEGRANDS[name]
    n = _DEGREE + 1
    t = np.cos(math.pi * (np.arange(n) + 0.5) / n)
    b = (_CENTRE * (1.0 + t) / (1.0 - t))[:, None]
    r, w = _radial_rule()
    values = (integrand(b, r) @ w) * (b[:, 0] + _CENTRE) ** power
    return np.polynomial.chebyshev.chebfit(t, values, _DEGREE)


def _radial(**arguments):
    """Radial integrals by name: each at its array of b >= 0, on a leading axis (Chebyshev sums, by Clenshaw).

    All are evaluated at once, which keeps the compiled program small.
    """
    lengths = [len(b) for b in arguments.values()]
    b = jnp.concatenate(list(arguments.values()))
    coefficients = np.repeat(np.stack([_coefficients(name) for name in arguments], 1), lengths, 1)
    coefficients = coefficients.reshape(_DEGREE + 1, len(b), *(1,) * (b.ndim - 1))
    scale = 1.0 / (b + _CENTRE)
    t2 = 2.0 * (b - _CENTRE) * scale
    first, second = jnp.zeros_like(b), jnp.zeros_like(b)
    for c in coefficients[:0:-1]:
        first, second = t2 * first - second + c, first
    # The barrier keeps the sum over nodes out of this loop, which the compiler then vectorises.
    value = jax.lax.optimization_barrier(0.5 * t2 * first - second + coefficients[0])
    parts, scales = (jnp.split(x, np.cumsum(lengths)[:-1]) for x in (value, scale))
    return [part * s ** _INTEGRANDS[name][1] for name, part, s in zip(arguments, parts, scales, strict=True)]


def _angles(width, s):
    """Nodes (on a leading axis) and weights / (2 pi) on [0, width], graded to resolve 1/s at 0."""
    x, w = (rule.reshape((-1,) + (1,) * jnp.ndim(width)) for rule in legendre(NODES))
    w = 0.5 * w / math.pi
    scale = 1.0 / (0.1 + s)
    top = jnp.arcsinh(width / scale)
    return scale * jnp.sinh(x * top), w * top * scale * jnp.cosh(x * top)


def _same_sign(q1, q2, gamma):
    """Nodes of the sector u, v < 0: weights, b1 = -u/r, b2 = -v/r and b1 - b2."""
    s1, s2 = safe_root(q1), safe_root(q2)
    theta, other = angles(gamma)
    e, weight = _angles(0.5 * other, jnp.maximum(s1, s2))
    near, far = jnp.sin(e), jnp.sin(e + theta)
    mean = 0.5 * (near + far)
    lift = safe_root(0.5 * gamma) * jnp.cos(e + 0.5 * theta)  # (far - near) / 2
    total = s1 + s2
    step = (q1 - q2) / jnp.where(total > 0.0, total, 1.0) * mean
    half = (
        (weight, s1 * near, s2 * far, step - total * lift),  # from the edge u = 0
        (weight, s1 * far, s2 * near, step + total * lift),  # from the edge v = 0
    )
    return tuple(jnp.concatenate(parts) for parts in zip(*half, strict=True))


def _opposite_sign(q1, q2, gamma):
    """Nodes where u, v differ in sign: weights, a = positive one / r, b = -negative one / r."""
    (theta, _), parts = angles(gamma), []
    s1, s2 = safe_root(q1), safe_root(q2)
    for up, down in ((s1, s2), (s2, s1)):
        e, weight = _angles(0.5 * theta, down)
        near, far = jnp.sin(e), jnp.sin(theta - e)
        parts += [(weight, up * far, down * near), (weight, up * near, down * far)]
    return tuple(jnp.concatenate(x) for x in zip(*parts, strict=True))


@flat
def moments(q1, q2, gamma):
    """E[phi phi], E[phi' phi'] as ReLU's plus what the exponential branch adds."""
    _, other = angles(gamma)
    weight, b1, b2, _ = _same_sign(q1, q2, gamma)
    mixed, a, b = _opposite_sign(q1, q2, gamma)
    both = b1 + b2
    bend, fall, lag = _radial(bend1=jnp.concatenate([both, b1, b2]), m1=jnp.concatenate([both, b]), lag2=b)
    n = len(weight)
    bend = both**2 * bend[:n] - b1**2 * bend[n : 2 * n] - b2**2 * bend[2 * n :]
    first = jnp.sum(weight * bend, axis=0) - jnp.sum(mixed * a * b * lag, axis=0)
    second = jnp.sum(jnp.concatenate([weight, mixed]) * fall, axis=0)
    positive = safe_root(q1) * safe_root(q2) * sine_excess(other), other
    return first + positive[0] / (2.0 * math.pi), second + positive[1] / (2.0 * math.pi)


@flat
def variance(q):
    """E[phi^2] and E[phi'^2]."""
    s = safe_root(q)[None]
    norm = 1.0 / math.sqrt(2.0 * math.pi)
    square, fall = _radial(square0=s, m0=2.0 * s)
    return 0.5 * q + norm * q * square[0], 0.5 + norm * fall[0]


@flat
def gaps(q1, q2, gamma):
    """E[(phi(u) - phi(v))^2] / 2 and the same for phi', as sums over the sectors."""
    theta, _ = angles(gamma)
    # u, v > 0: half of what the sectors of opposite signs leave of E[(u - v)^2] / 2
    excess = sine_excess(theta)
    wedge = theta * gamma * (2.0 - gamma) - (1.0 - gamma) * excess  # theta - sin(theta) cos(theta)
    opposite = ((q1 + q2) * wedge + 2.0 * safe_root(q1) * safe_root(q2) * excess) / (4.0 * math.pi)
    linear = 0.5 * half_mean_square_difference(q1, q2, gamma) - opposite

    weight, b1, b2, h = _same_sign(q1, q2, gamma)
    mixed, a, b = _opposite_sign(q1, q2, gamma)
    t, tent = legendre(5)
    tent = tent * (1.0 - t)
    short = jnp.abs(h) < 0.2
    k, middle = jnp.where(short, h, 0.0), b1 + b2
    bend, fall, lag, square = _radial(
        m3=jnp.concatenate([middle + ti * k for ti in (*t, *-t)]),
        m1=jnp.concatenate([2.0 * b1, 2.0 * b2, middle]),
        lag2=b,
        square1=b,
    )
    # u, v < 0: the integral of r (exp(-b1 r) - exp(-b2 r))^2 / 2, that is m_1(2 b1)/2 + m_1(2 b2)/2 - m_1(b1
    # + b2), where b1 and b2 are close from m_1'' = m_3
    n = len(weight)
    stable = sum(0.5 * w * bend[i * n : (i + 1) * n] for i, w in enumerate((*tent, *tent)))
    direct = 0.5 * (fall[:n] + fall[n : 2 * n]) - fall[2 * n :]
    exponential = jnp.sum(weight * jnp.where(short, k * k * stable, direct), axis=0)
    # Opposite signs: (a r + 1 - exp(-b r))^2 / 2, and (1 - exp(-b r))^2 / 2 for the derivatives
    jump = jnp.sum(mixed * 0.5 * b * b * square, axis=0)
    crossing = jnp.sum(mixed * a * (a + b * lag), axis=0)
    return linear + exponential + crossing + jump, exponential + jump


EXPECTATIONS = Expectations(moments, variance, gaps)
