"""Gaussian expectations in closed form, and what they all are made of: ReLU-like activations, sine, cosine.

(u, v) is a centred Gaussian pair with variances q1, q2 and correlation c = 1 - gamma.
"""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp


class Expectations(NamedTuple):
    """Gaussian expectations of one activation: functions of float64 jax arrays, each giving a pair of arrays.

    moments(q1, q2, gamma), variance(q) and gaps(q1, q2, gamma) as in `ntk_helpers.activations.Activation`.
    """

    moments: Callable
    variance: Callable
    gaps: Callable


def flat(function):
    """Makes a function of flat arrays of one length broadcast: compilers do best with one long axis."""

    @functools.wraps(function)
    def broadcast(*arguments):
        arguments = jnp.broadcast_arrays(*arguments)
        return tuple(x.reshape(arguments[0].shape) for x in function(*(x.reshape(-1) for x in arguments)))

    return broadcast


def safe_root(x):
    """sqrt(x), with derivative 0 at x = 0: the symmetric derivative there of |z| = sqrt(z^2)."""
    positive = x > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1.0)), 0.0)


def angles(gamma):
    """The angle theta with cos(theta) = 1 - gamma, and pi - theta, both accurate at gamma = 0 and 2."""
    near, far = safe_root(gamma), safe_root(2.0 - gamma)
    return 2.0 * jnp.arctan2(near, far), 2.0 * jnp.arctan2(far, near)


def half_mean_square_difference(q1, q2, gamma):
    """E[(u - v)^2] / 2 = (s1 - s2)^2 / 2 + s1 s2 gamma, with s = sqrt(q)."""
    s1, s2 = safe_root(q1), safe_root(q2)
    total = s1 + s2
    difference = (q1 - q2) / jnp.where(total > 0.0, total, 1.0)
    return 0.5 * difference**2 + s1 * s2 * gamma


# ReLU-like


def sine_excess(theta):
    """sin(theta) - theta cos(theta), from its series where the two terms cancel."""
    small = theta < 0.7
    x = jnp.where(small, theta, 0.0)
    series, term = 0.0, x
    for k in range(1, 11):  # sum of (-1)^(k+1) 2k theta^(2k+1) / (2k+1)!; the next term is below 1e-22
        term = -term * x * x / ((2 * k) * (2 * k + 1))
        series = series - 2 * k * term
    return jnp.where(small, series, jnp.sin(theta) - theta * jnp.cos(theta))


def two_slopes(a, b):
    """Expectations of x -> a x for x > 0, b x for x < 0 (Cho and Saul 2009).

    E[phi phi] = s1 s2 [a b c + (a - b)^2 (sin(theta) + (pi - theta) cos(theta)) / (2 pi)].
    """
    product, rest = a * b, (a - b) ** 2 / (2.0 * math.pi)
    half = 0.5 * (a * a + b * b)

    def moments(q1, q2, gamma):
        s = safe_root(q1) * safe_root(q2)
        _, other = angles(gamma)  # pi - theta, and sin(theta) + (pi - theta) cos(theta) is its sine excess
        value = s * (product * (1.0 - gamma) + rest * sine_excess(other))
        return value, product + rest * other + jnp.zeros_like(value)

    def variance(q):
        return half * q, half + jnp.zeros_like(q)

    def gaps(q1, q2, gamma):
        s = safe_root(q1) * safe_root(q2)
        theta, other = angles(gamma)
        near = half * half_mean_square_difference(q1, q2, gamma) - rest * s * sine_excess(theta)
        if product < 0.0:
            # The same, rearranged for c near -1, where the two terms cancel if b is near -a.
            far = half * half_mean_square_difference(q1, q2, jnp.zeros_like(gamma)) + s * (
                0.5 * (a + b) ** 2 - product * (2.0 - gamma) - rest * sine_excess(other)
            )
            near = jnp.where(gamma > 1.0, far, near)
        return near, rest * theta + jnp.zeros_like(near)

    return Expectations(moments, variance, gaps)


# Sine and cosine: with h = E[(u - v)^2]/2 and k = E[(u + v)^2]/2, E[exp(i u) exp(-+ i v)] = exp(-h), exp(-k)


def _waves(q1, q2, gamma):
    """E[sin(u) sin(v)] and E[cos(u) cos(v)]."""
    h, k = (half_mean_square_difference(q1, q2, g) for g in (gamma, 2.0 - gamma))
    twice = 2.0 * safe_root(q1) * safe_root(q2) * jnp.abs(1.0 - gamma)  # |h - k|
    sines = jnp.sign(1.0 - gamma) * -0.5 * jnp.exp(-jnp.minimum(h, k)) * jnp.expm1(-twice)
    return sines, 0.5 * (jnp.exp(-h) + jnp.exp(-k))


def _wave_gaps(q1, q2, gamma):
    """E[(sin(u) - sin(v))^2]/2 and E[(cos(u) - cos(v))^2]/2."""
    h, k = (half_mean_square_difference(q1, q2, g) for g in (gamma, 2.0 - gamma))
    apart = 0.5 * jnp.exp(-2.0 * jnp.minimum(q1, q2)) * jnp.expm1(-jnp.abs(q1 - q2)) ** 2
    near = -jnp.expm1(-h)
    return 0.5 * (near * (1.0 + jnp.exp(-k)) - apart), 0.5 * (near * -jnp.expm1(-k) + apart)


def _wave_variances(q):
    """E[sin(u)^2] and E[cos(u)^2]."""
    return -0.5 * jnp.expm1(-2.0 * q), 0.5 * (1.0 + jnp.exp(-2.0 * q))


SIN = Expectations(_waves, _wave_variances, _wave_gaps)
COS = Expectations(*(lambda *q, f=f: f(*q)[::-1] for f in SIN))
