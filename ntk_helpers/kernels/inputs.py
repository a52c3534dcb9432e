"""The first layer: variances and correlations of the inputs."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from ntk_helpers._precision import any_traced, float64

NEAR = 1e-2  # below this gamma or 2 - gamma, the product of two directions is not accurate enough
# Standard deviation that stands for 0 (a zero input without bias). It is far below every other, and its
# fourth power is still a number. The direction of a zero input is 0, as no direction is singled out, but its
# derivative is there: that of x / SPECK.
SPECK = 2.0**-230


def directions(x, sigma_w, sigma_b):
    """q (m,) of the first layer, unit vectors (m, d + 1) whose products are its c, and whether q = 0."""
    xp = namespace(x, sigma_w, sigma_b)
    bias = xp.broadcast_to(sigma_b, (len(x), 1)).astype(x.dtype)
    terms = xp.concatenate([sigma_w / math.sqrt(x.shape[1]) * x, bias], axis=1)
    scale = xp.max(xp.abs(terms), axis=1, keepdims=True)
    if xp is jnp:
        scale = jax.lax.stop_gradient(scale)
    zero = scale == 0
    scale = xp.where(zero, 1.0, scale)  # inputs of very large or very small norm keep their digits
    terms = terms / scale
    length = xp.where(zero, SPECK, xp.sqrt(xp.where(zero, 1.0, xp.sum(terms**2, axis=1, keepdims=True))))
    return (length * scale)[:, 0] ** 2, terms / length, zero[:, 0]


def first_gamma(u1, u2, same):
    """gamma = 1 - c (m1, m2) of inputs with directions u1 and u2; 0 where both are the `same` input.

    Where c nearly is 1 or -1, 1 - u.v has lost its digits: gamma is |u - v|^2/2, or 2 - gamma |u + v|^2/2.
    """
    xp = namespace(u1, u2)
    if xp is np:
        gamma = np.clip(1.0 - u1 @ u2.T, 0.0, 2.0)  # clips rounding
        close = ((gamma < NEAR) | (gamma > 2.0 - NEAR)) & xp.logical_not(same)
        for i in np.flatnonzero(close.any(axis=1)):
            gamma[i, close[i]] = _refined(u1[i], u2[close[i]], gamma[i, close[i]])
        gamma[same] = 0.0
        return gamma
    gamma = jnp.clip(1.0 - jnp.matmul(u1, u2.T, precision="highest"), 0.0, 2.0)
    close = ((gamma < NEAR) | (gamma > 2.0 - NEAR)) & xp.logical_not(same)

    def refine_row(i, gamma):
        row, near = gamma[i], close[i]
        row = jax.lax.cond(near.any(), lambda: jnp.where(near, _refined(u1[i], u2, row), row), lambda: row)
        return gamma.at[i].set(row)

    def refine_rows():
        return jax.lax.fori_loop(0, len(u1), refine_row, gamma)

    return jnp.where(same, 0.0, jax.lax.cond(close.any(), refine_rows, lambda: gamma))


def _refined(u, others, gamma):
    """gamma (m,) of a direction u (d,) and others (m, d) that are nearly equal or opposite."""
    xp = namespace(u, others, gamma)
    far = gamma > 1.0
    half = 0.5 * xp.sum((u + xp.where(far, 1.0, -1.0)[:, None] * others) ** 2, axis=1)
    return xp.where(far, 2.0 - half, half)


def namespace(*values):
    """jax.numpy where one of the values is traced, numpy where all are numbers, which compiles nothing."""
    return jnp if any_traced(*values) else np


@functools.cache
@float64
def at_zero(activation):
    """phi(0)."""
    return 0.0 if activation.homogeneous else float(activation.phi(np.zeros(())))
