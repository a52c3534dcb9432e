"""The activations with names, and their derivatives, which do not cancel in the tails."""

import functools
import math

import jax
import jax.numpy as jnp

from ntk_helpers import _checks
from ntk_helpers.activations import closed_forms, elu
from ntk_helpers.activations.activation import ANY_RANGE, Activation, two_slopes
from ntk_helpers.activations.error_functions import EXPECTATIONS

# Variances for which the expectations are accurate; tests/oracle/test_activations.py measures at both ends.
CLOSED_RANGE = (0.0, 1e4)
BOUNDED_RANGE = (0.0, 1e12)  # of erf, tanh and sigmoid


def leaky_relu(slope):
    """The activation phi(x) = x for x > 0, slope x for x < 0: the same object for the same slope.

    Parameters
    ----------
    slope : a number.

    Returns
    -------
    Activation

    Raises
    ------
    ValueError
        If the slope is not a finite number.
    """
    return _leaky_relu(_checks.finite("slope", slope))


@functools.cache
def _leaky_relu(slope):
    name = {1.0: "linear", 0.0: "relu"}.get(slope, f"leaky_relu({slope:g})")
    slopes, expectations = (1.0, slope), two_slopes(1.0, slope)
    if slope == 1.0:
        return Activation(name, lambda x: x, jnp.ones_like, (), slopes, expectations=expectations)

    def phi(x):
        return jnp.where(x > 0.0, x, slope * x)

    def dphi(x):
        return jnp.where(x > 0.0, 1.0, slope).astype(x.dtype)

    return Activation(name, phi, dphi, (0.0,), slopes, expectations=expectations)


def _tanh_slope(x):
    e = jnp.exp(-2.0 * jnp.abs(x))
    return 4.0 * e / (1.0 + e) ** 2


def _sigmoid_slope(x):
    return 0.25 * _tanh_slope(0.5 * x)


def _silu_slope(x):
    return jax.nn.sigmoid(x) + x * _sigmoid_slope(x)


def _normal(x):
    """The Gaussian distribution function."""
    return 0.5 * jax.lax.erfc(-x / math.sqrt(2.0))


def _gelu(x):
    return x * _normal(x)


def _gelu_slope(x):
    return _normal(x) + x * jnp.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


def _erf_slope(x):
    return (2.0 / math.sqrt(math.pi)) * jnp.exp(-x * x)


def _elu_slope(x):
    return jnp.exp(jnp.minimum(x, 0.0))


ACTIVATIONS = {
    "linear": leaky_relu(1.0),
    "relu": leaky_relu(0.0),
    "leaky_relu": leaky_relu(0.01),
} | {
    name: Activation(name, phi, dphi, kinks, q_range=q_range, expectations=expectations)
    for name, phi, dphi, kinks, q_range, expectations in (
        ("erf", jax.lax.erf, _erf_slope, (), BOUNDED_RANGE, EXPECTATIONS["erf"]),
        ("tanh", jnp.tanh, _tanh_slope, (), BOUNDED_RANGE, EXPECTATIONS["tanh"]),
        ("sigmoid", jax.nn.sigmoid, _sigmoid_slope, (), BOUNDED_RANGE, EXPECTATIONS["sigmoid"]),
        ("sin", jnp.sin, jnp.cos, (), ANY_RANGE, closed_forms.SIN),
        ("cos", jnp.cos, lambda x: -jnp.sin(x), (), ANY_RANGE, closed_forms.COS),
        ("softplus", jax.nn.softplus, jax.nn.sigmoid, (), CLOSED_RANGE, EXPECTATIONS["softplus"]),
        ("gelu", _gelu, _gelu_slope, (), CLOSED_RANGE, EXPECTATIONS["gelu"]),
        ("silu", jax.nn.silu, _silu_slope, (), CLOSED_RANGE, EXPECTATIONS["silu"]),
        ("elu", jax.nn.elu, _elu_slope, (0.0,), CLOSED_RANGE, elu.EXPECTATIONS),
    )
}


def get(activation):
    """The `Activation` with a name.

    Parameters
    ----------
    activation : a name, or an `Activation`, which is returned as it is.

    Returns
    -------
    Activation

    Raises
    ------
    ValueError
        If there is none with this name. The message lists the names.
    """
    if isinstance(activation, Activation):
        return activation
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        names = ", ".join(sorted(ACTIVATIONS))
        raise ValueError(f"activation must be an Activation or one of {names}, got {activation!r}")
    return ACTIVATIONS[activation]
