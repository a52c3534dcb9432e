"""An interpolant of the layer's map where both variances have converged to one fixed point."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.polynomial import chebyshev

from ntk_helpers import activations
from ntk_helpers.activations.closed_forms import safe_root
from ntk_helpers.kernels.layer import grow_exactly
from ntk_helpers.kernels.relu import ANGLE, polynomial

PIECE_TERMS, MAX_PIECES = 16, 512
EPS = np.finfo(np.float64).eps


class ConvergedMap(NamedTuple):
    """gamma' and E[phi' phi'] as functions of the angle theta, at one variance q of both inputs.

    E[(phi(u) - phi(v))^2]/2 = q gamma (slope - theta^p J(theta)) and E[phi' phi'] = slope - theta^p K(theta),
    with J and K polynomials on equal pieces of [0, pi].
    """

    slope: float  # E[phi'(u)^2]
    power: int  # p: 1 if phi' jumps, else 2
    pieces: np.ndarray  # (pieces, PIECE_TERMS, 2): powers of the local variable in [-1, 1], highest first


def converged_map(activation, q):
    """The `ConvergedMap` of an activation at variance q.

    In theta the expectations are analytic on [0, pi], where in c they have singularities at c = 1 and -1.
    Many layers on the edge of chaos need the departures from slope to full relative accuracy at theta -> 0,
    so these are tabled over theta^p, the order at which they vanish. E[phi' phi'] departs by its gap. The
    other departure is the mean of this one, by Price's theorem, dE[phi phi]/dc = q E[phi' phi'], and a sum of
    positive terms:

        gamma theta^p J(theta) = integral of t^p K(t) sin(t) over t from 0 to theta.
    """
    slope = float(activation.variance(q)[1])
    power = 1 if activations.first_jump(activation) <= 1 else 2
    nodes, count = chebyshev.chebpts1(PIECE_TERMS), 8
    while count <= MAX_PIECES:
        left, width = math.pi / count * np.arange(count), math.pi / count
        theta = left + width * 0.5 * (1.0 + nodes[:, None])  # (PIECE_TERMS, count)
        gap = activation.gaps(q, q, _one_minus_cos(theta))[1]
        K = gap / theta**power
        series = chebyshev.chebfit(nodes, K, PIECE_TERMS - 1)
        scale = np.abs(K).max(axis=0) + slope / math.pi**power
        if (np.abs(series[-2:]) <= 128 * EPS * scale).all():
            break
        count *= 2
    else:
        raise ValueError(
            f"no interpolant of {activation.name} is accurate at q = {q:g}: choose a smaller sigma_w"
        )

    r, weights = np.polynomial.legendre.leggauss(PIECE_TERMS)

    def integral(end):
        """Of t^p K(t) sin(t), in each piece, from its left end to the local variable `end` (..., 1)."""
        x = 0.5 * (1.0 + r) * (1.0 + end) - 1.0  # (..., PIECE_TERMS)
        t = left + width * 0.5 * (1.0 + x[..., None])  # (..., PIECE_TERMS, count)
        values = np.moveaxis(chebyshev.chebval(x, series), 0, -1)
        mean = np.einsum("k,...kc->...c", weights, t**power * np.sin(t) * values)
        return 0.25 * width * (1.0 + end) * mean

    whole = integral(np.array([1.0]))
    J = (np.cumsum(whole) - whole + integral(nodes[:, None])) / (_one_minus_cos(theta) * theta**power)
    both = np.stack([chebyshev.chebfit(nodes, J, PIECE_TERMS - 1), series], axis=-1)  # (., count, 2)
    powers = np.zeros((PIECE_TERMS, PIECE_TERMS))
    for k, row in enumerate(np.eye(PIECE_TERMS)):
        powers[k, : k + 1] = chebyshev.cheb2poly(row)[: k + 1]
    pieces = np.einsum("kp,kcm->cpm", powers, both)[:, ::-1]
    return ConvergedMap(slope, power, np.ascontiguousarray(pieces))


def _one_minus_cos(theta):
    return 2.0 * np.sin(0.5 * theta) ** 2


def converged_layer(table, sw2, state):
    """One layer at a fixed point q of the variance: gamma' q = sigma_w^2 E[(phi(u) - phi(v))^2]/2."""
    q1, q2, gamma, theta, theta1, theta2 = state
    t = 0.5 * gamma
    far = t > 0.5
    s = jnp.where(far, 1.0 - t, t)
    angle = safe_root(s) * polynomial(ANGLE, s)
    angle = jnp.where(far, math.pi - angle, angle)
    count = len(table.pieces)
    place = angle * (count / math.pi)
    piece = jnp.minimum(place.astype(int), count - 1)
    chord, slope_chord = angle**table.power * polynomial(table.pieces[piece], 2.0 * (place - piece) - 1.0)
    after = sw2 * (table.slope - chord) * gamma
    gain = sw2 * table.slope - 1.0
    theta = grow_exactly(theta, gain - sw2 * slope_chord, jnp.sqrt(q1) * jnp.sqrt(q2) * (1.0 - after))
    return q1, q2, after, theta, grow_exactly(theta1, gain, q1), grow_exactly(theta2, gain, q2)


@jax.jit
def advance_converged(table, sw2, layers, state):
    """Take `layers` layers as `converged_layer` takes one."""
    return jax.lax.fori_loop(0, layers, lambda _, s: converged_layer(table, sw2, s), state)
