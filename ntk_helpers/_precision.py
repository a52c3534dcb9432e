"""Double precision for one call, which kernels of deep networks need, whatever the caller has set in jax."""

import contextlib
import functools
import importlib

import jax
import jax.numpy as jnp
import numpy as np

if hasattr(jax, "enable_x64"):  # jax 0.8 and later
    _enable_x64 = functools.partial(jax.enable_x64, True)
else:
    _enable_x64 = importlib.import_module("jax.experimental").enable_x64


@contextlib.contextmanager
def own_rules():
    """A block, or a decorated function, under jax's own rules of promotion and for NaN, whatever is set."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"), jax.debug_nans(False):
        yield


@contextlib.contextmanager
def _context():
    with _enable_x64(), own_rules():
        yield


def any_traced(*values):
    """Whether a leaf of these pytrees is traced by jax.jit, jax.grad or jax.vmap."""
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(values))


def _at_once():
    """Within somebody's traced function: have jax compute now instead of tracing along; elsewhere nothing.

    jax 0.7 cannot compile every loop under `ensure_compile_time_eval`: it is entered only where it is needed.
    """
    tracing = any_traced(jnp.zeros(()))
    return jax.ensure_compile_time_eval() if tracing else contextlib.nullcontext()


def _of_numbers(function):
    return ValueError(
        f"{function.__name__} computes with numbers: it cannot be traced by jax.jit, jax.grad or jax.vmap; "
        "call it outside and pass its result"
    )


def numbers(function):
    """Decorate a function: traced arguments are refused, and where jax traces it computes at once."""

    @functools.wraps(function)
    def of_numbers(*args, **kwargs):
        if any_traced(args, kwargs):
            raise _of_numbers(function)
        with own_rules(), _at_once():
            return function(*args, **kwargs)

    return of_numbers


def float64(function=None, *, traceable=False):
    """Run a function, or a `with` block, in float64 and by `own_rules`.

    The jax arrays that a decorated function returns (in any pytree) come back as numpy arrays. Inside a
    function that jax is tracing it computes at once. Traced arguments are refused, or, where it is
    `traceable`, left to it. `with float64():` opens a block and converts nothing.
    """
    if function is None:
        return _context()

    @functools.wraps(function)
    def in_float64(*args, **kwargs):
        if any_traced(args, kwargs):
            if not traceable:
                raise _of_numbers(function)
            if not jax.config.jax_enable_x64:
                raise ValueError(
                    f"{function.__name__} needs 64 bits where its arguments are traced: call "
                    "jax.config.update('jax_enable_x64', True) first"
                )
            with _context():
                return function(*args, **kwargs)
        with _context(), _at_once():
            result = function(*args, **kwargs)
            return jax.tree.map(lambda x: np.asarray(x) if isinstance(x, jax.Array) else x, result)

    return in_float64
