"""The activations as functions, and their derivatives, which do not cancel in the tails."""

import math

import jax
import jax.numpy as jnp


def identity(x):
    """The linear activation."""
    return x


def one(x):
    """The derivative of the linear activation."""
    return jnp.ones_like(x)


def erf_slope(x):
    """The derivative of erf."""
    return (2.0 / math.sqrt(math.pi)) * jnp.exp(-x * x)


def tanh_slope(x):
    """The derivative of tanh."""
    e = jnp.exp(-2.0 * jnp.abs(x))
    return 4.0 * e / (1.0 + e) ** 2


def sigmoid_slope(x):
    """The derivative of the logistic function."""
    return 0.25 * tanh_slope(0.5 * x)


def softplus(x):
    """log(1 + exp(x))."""
    return jnp.maximum(x, 0.0) + jnp.log1p(jnp.exp(-jnp.abs(x)))


def silu(x):
    """x / (1 + exp(-x))."""
    return x * jax.nn.sigmoid(x)


def silu_slope(x):
    """The derivative of SiLU."""
    return jax.nn.sigmoid(x) + x * sigmoid_slope(x)


def normal_distribution(x):
    """The Gaussian distribution function."""
    return 0.5 * jax.lax.erfc(-x / math.sqrt(2.0))


def gelu(x):
    """x times the Gaussian distribution function of x."""
    return x * normal_distribution(x)


def gelu_slope(x):
    """The derivative of GELU."""
    return normal_distribution(x) + x * jnp.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


def minus_sine(x):
    """The derivative of the cosine."""
    return -jnp.sin(x)


def elu_value(x):
    """x for x > 0, exp(x) - 1 for x < 0."""
    return jnp.where(x > 0.0, x, jnp.expm1(jnp.minimum(x, 0.0)))


def elu_slope(x):
    """The derivative of ELU."""
    return jnp.exp(jnp.minimum(x, 0.0))
