"""The activations as functions, and their derivatives, which do not cancel in the tails."""

import math

import jax
import jax.numpy as jnp


def identity(x):
    return x


def one(x):
    return jnp.ones_like(x)


def erf_slope(x):
    return (2.0 / math.sqrt(math.pi)) * jnp.exp(-x * x)


def tanh_slope(x):
    e = jnp.exp(-2.0 * jnp.abs(x))
    return 4.0 * e / (1.0 + e) ** 2


def sigmoid_slope(x):
    return 0.25 * tanh_slope(0.5 * x)


def softplus(x):
    return jnp.maximum(x, 0.0) + jnp.log1p(jnp.exp(-jnp.abs(x)))


def silu(x):
    return x * jax.nn.sigmoid(x)


def silu_slope(x):
    return jax.nn.sigmoid(x) + x * sigmoid_slope(x)


def normal_distribution(x):
    return 0.5 * jax.lax.erfc(-x / math.sqrt(2.0))


def gelu(x):
    return x * normal_distribution(x)


def gelu_slope(x):
    return normal_distribution(x) + x * jnp.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


def minus_sine(x):
    return -jnp.sin(x)


def elu_value(x):
    return jnp.where(x > 0.0, x, jnp.expm1(jnp.minimum(x, 0.0)))


def elu_slope(x):
    return jnp.exp(jnp.minimum(x, 0.0))
