"""The activations with names."""

import functools

import jax
import jax.numpy as jnp

from ntk_helpers import _checks
from ntk_helpers.activations import closed_forms, elu, functions
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
    known = {1.0: "linear", 0.0: "relu"}
    name = known.get(slope, f"leaky_relu({slope:g})")

    def phi(x):
        return jnp.where(x > 0.0, x, slope * x)

    def dphi(x):
        return jnp.where(x > 0.0, 1.0, slope).astype(x.dtype)

    pair = (functions.identity, functions.one) if slope == 1.0 else (phi, dphi)
    kinks = () if slope == 1.0 else (0.0,)
    slopes = 1.0, slope
    return Activation(name, *pair, kinks, slopes, expectations=two_slopes(slopes))


ACTIVATIONS = {
    "linear": leaky_relu(1.0),
    "relu": leaky_relu(0.0),
    "leaky_relu": leaky_relu(0.01),
} | {
    name: Activation(name, phi, dphi, kinks, q_range=q_range, expectations=expectations)
    for name, phi, dphi, kinks, q_range, expectations in (
        ("erf", jax.lax.erf, functions.erf_slope, (), BOUNDED_RANGE, EXPECTATIONS["erf"]),
        ("tanh", jnp.tanh, functions.tanh_slope, (), BOUNDED_RANGE, EXPECTATIONS["tanh"]),
        ("sigmoid", jax.nn.sigmoid, functions.sigmoid_slope, (), BOUNDED_RANGE, EXPECTATIONS["sigmoid"]),
        ("sin", jnp.sin, jnp.cos, (), ANY_RANGE, closed_forms.SIN),
        ("cos", jnp.cos, functions.minus_sine, (), ANY_RANGE, closed_forms.COS),
        ("softplus", functions.softplus, jax.nn.sigmoid, (), CLOSED_RANGE, EXPECTATIONS["softplus"]),
        ("gelu", functions.gelu, functions.gelu_slope, (), CLOSED_RANGE, EXPECTATIONS["gelu"]),
        ("silu", functions.silu, functions.silu_slope, (), CLOSED_RANGE, EXPECTATIONS["silu"]),
        ("elu", functions.elu_value, functions.elu_slope, (0.0,), CLOSED_RANGE, elu.EXPECTATIONS),
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
