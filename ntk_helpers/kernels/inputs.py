"""The first layer: variances and correlations of the inputs."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from ntk_helpers._precision import float64

NEAR = 1e-2  # below this gamma or 2 - gamma, the product of two directions is not accurate enough
# Standard deviation that stands for 0 (a zero input without bias). It is far below every other, and its
# fourth power is still a number. The direction of a zero input is 0, as no direction is singled out, but its
# derivative is there: that of x / SPECK.
SPECK = 2.0**-230


def directions(x, sigma_w, sigma_b):
    """q (m,) of the first layer, unit vectors (m, d + 1) whose products are its c, and whether q = 0."""
    bias = jnp.broadcast_to(sigma_b, (len(x), 1)).astype(x.dtype)
    terms = jnp.concatenate([sigma_w / math.sqrt(x.shape[1]) * x, bias], axis=1)
    scale = jax.lax.stop_gradient(jnp.max(jnp.abs(terms), axis=1, keepdims=True))
    zero = scale == 0
    scale = jnp.where(zero, 1.0, scale)  # inputs of very large or very small norm keep their digits
    terms = terms / scale
    length = jnp.where(zero, SPECK, jnp.sqrt(jnp.where(zero, 1.0, jnp.sum(terms**2, axis=1, keepdims=True))))
    return (length * scale)[:, 0] ** 2, terms / length, zero[:, 0]


def first_gamma(u1, u2, same):
    """gamma = 1 - c (m1, m2) of inputs with directions u1 and u2; 0 where both are the `same` input.

    Where c nearly is 1 or -1, 1 - u.v has lost its digits: gamma is |u - v|^2/2, or 2 - gamma |u + v|^2/2.
    """
    gamma = jnp.clip(1.0 - jnp.matmul(u1, u2.T, precision="highest"), 0.0, 2.0)  # clips rounding
    close = ((gamma < NEAR) | (gamma > 2.0 - NEAR)) & ~same

    def refine(u, gamma):
        far = gamma > 1.0
        half = 0.5 * jnp.sum((u + jnp.where(far, 1.0, -1.0)[:, None] * u2) ** 2, axis=1)
        return jnp.where(far, 2.0 - half, half)

    def refine_row(i, gamma):
        row = jax.lax.cond(close[i].any(), refine, lambda u, gamma: gamma, u1[i], gamma[i])
        return gamma.at[i].set(jnp.where(close[i], row, gamma[i]))

    def refine_rows():
        return jax.lax.fori_loop(0, len(u1), refine_row, gamma)

    return jnp.where(same, 0.0, jax.lax.cond(close.any(), refine_rows, lambda: gamma))


@functools.cache
@float64
def at_zero(activation):
    """phi(0)."""
    return 0.0 if activation.homogeneous else float(activation.phi(np.zeros(())))
