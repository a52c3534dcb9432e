"""Options of XLA's compilers, which differ between versions."""

from functools import lru_cache

import jax


@lru_cache
def known_options(**options):
    """`options` for the `compiler_options` of `jax.jit` if this XLA has them all, else none."""
    try:
        jax.jit(lambda: 0, compiler_options=options)()
    except jax.errors.JaxRuntimeError:
        return {}
    return options
