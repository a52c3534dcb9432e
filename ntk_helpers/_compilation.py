"""What differs between machines: the cores to use, and the options of XLA's compilers."""

import os

import jax


def usable_cores() -> int:
    """Number of cores that this process may use: a batch system or `taskset` may lend it a part of them."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def jit_with(options, function, **arguments):
    """`jax.jit(function, **arguments)` with XLA's `options`, or without them where this XLA lacks one."""
    programs = [jax.jit(function, compiler_options=options, **arguments), jax.jit(function, **arguments)]

    def run(*inputs):
        try:
            return programs[0](*inputs)
        except jax.errors.JaxRuntimeError as error:
            if not any(name in str(error) for name in options):
                raise
            programs[:] = programs[-1:]
            return programs[0](*inputs)

    return run
