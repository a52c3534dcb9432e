"""The validators of arguments: a ValueError names the argument, what came and what was expected."""

import math
import operator
from numbers import Integral

import jax
import numpy as np


def standard_deviation(name, value):
    """`value` as a float, if it is a finite real number that is not negative."""
    if isinstance(value, jax.core.Tracer):
        raise ValueError(
            f"{name} must be a number here: it cannot be traced by jax.jit, jax.grad or jax.vmap"
        )
    number = _number(value)
    if not (math.isfinite(number) and number >= 0):
        raise ValueError(f"{name} must be a finite standard deviation, 0 or more, got {value!r}")
    return number


def _number(value):
    try:
        return math.nan if isinstance(value, (str, bytes)) else float(value)
    except (TypeError, ValueError):
        return math.nan


def finite(name, value):
    """`value` as a float, if it is a finite number."""
    number = _number(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite numbers, got {value!r}")
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


def widths(values):
    """`values` as a tuple (d, n_1, ..., n_L) of ints, if they are two or more positive integers."""
    try:
        values = tuple(values)
    except TypeError:
        raise ValueError(
            f"widths must be a tuple (d, n_1, ..., n_L) of positive integers, got {values!r}"
        ) from None
    if len(values) < 2:
        raise ValueError(f"widths must hold at least the input and the output width, got {values!r}")
    for width in values:
        if not isinstance(width, Integral) or isinstance(width, bool) or width < 1:
            raise ValueError(f"widths must be positive integers, got {width!r} in {short(values)}")
    return tuple(map(int, values))


def short(value, limit=160):
    """`value` in words that are not longer than a message bears."""
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + "..."


def one_of(name, value, choices):
    """Raises ValueError unless `value` is one of the choices."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")


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
    if not isinstance(unmasked(name, x), jax.core.Tracer):
        try:
            x = np.asarray(x)
        except ValueError as error:
            raise ValueError(f"{name} must be an array of shape (examples, features): {error}") from None
        if x.dtype.kind not in "biuf":
            raise ValueError(f"{name} must be an array of real numbers, got dtype {x.dtype}")
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"{name} must have shape (examples, features), none of them 0, got shape {x.shape}")
    return finite_inputs(name, x.astype(np.float64, copy=False))


def finite_inputs(name, x):
    """`x`, if it holds an input and, where it has values, finite ones."""
    if len(x) == 0:
        raise ValueError(f"{name} must hold at least one input, got shape {x.shape}")
    # A traced array has no values yet. By numpy, as jax would trace the check of a constant inside `jax.jit`.
    if not isinstance(x, jax.core.Tracer) and not np.isfinite(np.asarray(x)).all():
        raise ValueError(f"{name} must be finite, got a NaN or an infinity")
    return x


def targets(y, n, outputs):
    """`y` as float64 (n, outputs), or None."""
    if y is None:
        return None
    y = np.asarray(unmasked("y", y))
    y = y[:, None] if y.ndim == 1 and outputs == 1 else y
    if y.shape != (n, outputs) or y.dtype.kind not in "biuf" or not np.isfinite(y).all():
        raise ValueError(
            f"y must be finite real numbers of shape ({n}, {outputs}), one row an input, got {y.dtype} of "
            f"shape {y.shape}; for classes take one-hot rows, np.eye(classes)[y]"
        )
    return y.astype(np.float64)


def in_range(activation, smallest, largest):
    """Raises ValueError unless variances from `smallest` to `largest` are in the activation's range."""
    low, high = activation.q_range
    if not (smallest >= low and largest <= high):
        raise ValueError(
            f"the variance q must stay in [{low:g}, {high:g}] for {activation.name}, whose expectations are "
            f"not accurate beyond, got q from {smallest:g} to {largest:g}: change sigma_w, sigma_b, depth or "
            "the inputs"
        )


def kernel_and_residual(kernel, residual) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Kernel (P, N), residual (P, o), and eigenvalues (N,) and eigenvectors (N, N) of the training block."""
    given = unmasked("kernel", kernel)
    kernel, residual = np.asarray(given, np.float64), np.asarray(unmasked("residual", residual), np.float64)
    if kernel.ndim != 2 or kernel.shape[0] < kernel.shape[1] or kernel.shape[1] == 0:
        raise ValueError(
            "kernel must have shape (P, N) with P >= N >= 1, all points by training points,"
            f" got {kernel.shape}"
        )
    if residual.ndim not in (1, 2) or residual.shape[0] != kernel.shape[0]:
        raise ValueError(
            f"residual must have shape (P,) or (P, o) with P = {kernel.shape[0]} as in kernel,"
            f" got {residual.shape}"
        )
    for name, value in (("kernel", kernel), ("residual", residual)):
        if not np.isfinite(value).all():
            raise ValueError(f"{name} must be finite, got {value[~np.isfinite(value)][0]}")
    n = kernel.shape[1]
    scale = np.abs(kernel[:n]).max()
    asymmetry = np.abs(kernel[:n] - kernel[:n].T).max()
    if asymmetry > 1e-8 * scale:
        raise ValueError(
            f"kernel must be symmetric on the training points, got |K - K^T| up to {asymmetry:.3g};"
            f" pass (K + K.T) / 2{_single_precision(given, kernel, asymmetry)}"
        )
    eigenvalues, eigenvectors = np.linalg.eigh((kernel[:n] + kernel[:n].T) / 2)
    if eigenvalues[0] < -1e-8 * max(scale, eigenvalues[-1]):
        raise ValueError(
            "kernel must be positive semi-definite on the training points,"
            f" got the eigenvalue {eigenvalues[0]:.3g}{_single_precision(given, kernel, -eigenvalues[0])}"
        )
    return kernel, residual.reshape(len(residual), -1), np.maximum(eigenvalues, 0.0), eigenvectors


def positive(**values) -> None:
    """Raise ValueError for a value that is not a positive number."""
    for name, value in values.items():
        number = np.ndim(value) == 0 and np.asarray(value).dtype.kind in "iuf"
        if not (number and np.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be a positive number, got {value!r}")


def _single_precision(given, kernel, error) -> str:
    """What to say of an error that the rounding of float32 explains."""
    n = kernel.shape[1]
    rounding = n * np.finfo(np.float32).eps * np.abs(kernel[:n]).max()
    if getattr(given, "dtype", None) != np.float32 or error > rounding:
        return ""
    return (
        f". It is float32, whose rounding moves eigenvalues by up to {rounding:.1g}: compute it in float64, "
        "from net.init(key, dtype='float64')"
    )


def increasing(name, values, low, high):
    """`values` as a list of ints, if they are one or more, increase, and lie within low ... high."""
    values = list(values)
    whole = all(isinstance(v, Integral) and not isinstance(v, bool) for v in values)
    if not (values and whole and values == sorted({*values}) and low <= values[0] <= values[-1] <= high):
        raise ValueError(f"{name} must be increasing integers from {low} to {high}, got {values}")
    return [int(v) for v in values]


def step_counts(steps) -> np.ndarray:
    """The step counts to return: 0, 1, ..., steps, or the sequence that was given."""
    if np.ndim(steps) == 0:
        positive_integer("steps", steps)
        return np.arange(steps + 1)
    counts = np.asarray(steps)
    whole = counts.ndim == 1 and counts.size > 0 and np.issubdtype(counts.dtype, np.integer)
    if not whole or counts[0] < 0 or (np.diff(counts) <= 0).any():
        raise ValueError(
            f"steps must be a positive integer or an increasing sequence of integers >= 0, got {steps!r}"
        )
    return counts


def times(values) -> np.ndarray:
    """`times` as a float64 array, if they are a row of numbers >= 0 that do not fall."""
    found = np.asarray(unmasked("times", values), np.float64)
    if found.ndim != 1 or not np.isfinite(found).all() or (found < 0).any() or (np.diff(found) < 0).any():
        raise ValueError(
            f"times must be a one-dimensional, non-decreasing array of numbers >= 0, got {values!r}"
        )
    return found
