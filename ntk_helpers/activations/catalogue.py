"""The activations with names."""

import functools

import jax
import jax.numpy as jnp

from ntk_helpers.activations import closed_forms, elu, error_functions, functions
from ntk_helpers.activations.activation import ANY_RANGE, Activation, finite, two_slopes

# Variances for which the expectations are accurate; tests/oracle/test_activations.py measures at both ends.
CLOSED_RANGE = (0.0, 1e4)
BOUNDED_RANGE = (0.0, 1e12)  # of erf, tanh and sigmoid


def leaky_relu(slope):
    """The activation phi(x) = x for x > 0, slope x for x < 0: the same object for the same slope.

    Raises
    ------
    ValueError
        If the slope is not a finite number.
    """
    return _leaky_relu(finite("slope", slope))


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


CLOSED_FORMS = {
    "sin": closed_forms.sin,
    "cos": closed_forms.cos,
    "erf": error_functions.erf,
    "tanh": error_functions.tanh,
    "sigmoid": error_functions.sigmoid,
    "softplus": error_functions.softplus,
    "gelu": error_functions.gelu,
    "silu": error_functions.silu,
}


def _smooth(name, phi, dphi, q_range=CLOSED_RANGE):
    return Activation(name, phi, dphi, q_range=q_range, expectations=CLOSED_FORMS[name]())


ACTIVATIONS = {
    "linear": leaky_relu(1.0),
    "relu": leaky_relu(0.0),
    "leaky_relu": leaky_relu(0.01),
    "erf": _smooth("erf", jax.lax.erf, functions.erf_slope, BOUNDED_RANGE),
    "tanh": _smooth("tanh", jnp.tanh, functions.tanh_slope, BOUNDED_RANGE),
    "sigmoid": _smooth("sigmoid", jax.nn.sigmoid, functions.sigmoid_slope, BOUNDED_RANGE),
    "sin": _smooth("sin", jnp.sin, jnp.cos, ANY_RANGE),
    "cos": _smooth("cos", jnp.cos, functions.minus_sine, ANY_RANGE),
    "softplus": _smooth("softplus", functions.softplus, jax.nn.sigmoid),
    "gelu": _smooth("gelu", functions.gelu, functions.gelu_slope),
    "silu": _smooth("silu", functions.silu, functions.silu_slope),
    "elu": Activation(
        "elu", functions.elu_value, functions.elu_slope, (0.0,), None, CLOSED_RANGE, elu.expectations()
    ),
}


def get(activation):
    """The `Activation` with a name, or an `Activation` itself.

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
