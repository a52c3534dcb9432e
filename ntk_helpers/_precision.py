"""Double precision, whatever the process-wide jax setting.

Kernels of deep networks lose several digits to depth, so float32, jax's default, is not enough for them.
Switching jax to float64 for good would change the caller's own programs; the switch here lasts for one call.
"""

import functools

import jax
import numpy as np

if hasattr(jax, "enable_x64"):  # jax 0.8 and later
    _context = functools.partial(jax.enable_x64, True)
else:
    from jax.experimental import enable_x64 as _context


def float64(function=None):
    """Run a function, or a `with` block, in float64.

    `@float64` decorates a function: its body runs with 64-bit types enabled and the jax arrays that it
    returns (in any pytree) come back as numpy arrays. `with float64():` opens a block and converts nothing.
    """
    if function is None:
        return _context()

    @functools.wraps(function)
    def in_float64(*args, **kwargs):
        with _context():
            result = function(*args, **kwargs)
            return jax.tree.map(
                lambda leaf: np.asarray(leaf) if isinstance(leaf, jax.Array) else leaf, result
            )

    return in_float64
