"""Options of XLA's compilers, which differ between versions."""

from functools import lru_cache

import jax


def known_options(**options):
    """`options` as the `compiler_options` of `jax.jit` where this XLA has them all, else none."""
    return dict(_known(tuple(options.items())))


@lru_cache
def _known(options):
    try:
        jax.jit(lambda: 0, compiler_options=dict(options))()
    except jax.errors.JaxRuntimeError:
        return ()
    return options
