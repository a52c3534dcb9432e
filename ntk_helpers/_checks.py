"""The validators of arguments: a ValueError names the argument, what came and what was expected."""

import math
import operator

import jax
import numpy as np


def standard_deviation(name, value):
    """`value` as a float, if it is a finite real number that is not negative."""
    try:
        number = math.nan if isinstance(value, (str, bytes)) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise ValueError(f"{name} must be a finite standard deviation, 0 or more, got {value!r}")
    return number


def positive_integer(name, value):
    """`value` as an int, if it is an integer from 1 on."""
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1 or isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} must be a positive integer, got {value!r}")
    return number


def unmasked(name, x):
    """`x`, if it is not a masked array."""
    if np.ma.isMaskedArray(x):
        raise ValueError(f"{name} must not be a masked array: fill or drop what is masked, {name}.filled(0)")
    return x


def random_key(name, key, shapes=((),)):
    """`key` with typed key data, if it is a jax random key of one of these shapes."""
    dtype = getattr(key, "dtype", None)
    raw = dtype == np.uint32 and np.ndim(key) > 0
    if not (raw or (dtype is not None and jax.dtypes.issubdtype(dtype, jax.dtypes.prng_key))):
        raise ValueError(f"{name} must be a jax random key, got {key!r}: take jax.random.key(0)")
    key = jax.random.wrap_key_data(key) if raw else key
    if key.shape not in shapes:
        raise ValueError(f"{name} must be one key, or {shapes[-1]} keys, got shape {key.shape}")
    return key


def examples(name, x):
    """`x` as float64 (examples, features), if it is such an array of finite real numbers."""
    unmasked(name, x)
    if isinstance(x, jax.core.Tracer):
        if x.ndim != 2 or 0 in x.shape:
            raise ValueError(f"{name} must have shape (examples, features), none 0, got shape {x.shape}")
        return x.astype(np.float64)
    try:
        x = np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{name} must be an array of shape (examples, features): {error}") from None
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be an array of real numbers, got dtype {x.dtype}")
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"{name} must have shape (examples, features), none of them 0, got shape {x.shape}")
    x = x.astype(np.float64, copy=False)
    if not np.isfinite(x).all():
        raise ValueError(f"{name} must be finite, got a NaN or an infinity")
    return x


def in_range(activation, smallest, largest):
    """Raises ValueError unless variances from `smallest` to `largest` are in the activation's range."""
    low, high = activation.q_range
    if not (smallest >= low and largest <= high):
        raise ValueError(
            f"the variance q must stay in [{low:g}, {high:g}] for {activation.name}, whose expectations are "
            f"not accurate beyond, got q from {smallest:g} to {largest:g}: change sigma_w, sigma_b, depth or "
            "the inputs"
        )
