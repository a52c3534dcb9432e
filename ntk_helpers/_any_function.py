"""The tangent kernel of any function of parameters and inputs, and what such a function must not do."""

import math

import jax
import jax.numpy as jnp
import numpy as np

JUDGED = (
    "report judges a Network, fully connected or residual; of another architecture (convolutions, attention, "
    "a layer used twice) one network, by report(apply_fn, params, x), if it treats each input by itself"
)


def kernel_of_function(function, params, x):
    """Kernel (N o, N o) and outputs (N, o), float64, of function(params, x) at x (N, d) and its parameters.

    A column of the kernel is what a step along one output's gradient does to all outputs.
    """
    leaves, tree = jax.tree.flatten(params)
    if len({id(leaf) for leaf in leaves if np.ndim(leaf)}) < sum(np.ndim(leaf) > 0 for leaf in leaves):
        raise ValueError(
            f"params must hold each array once, got one twice: tied weights count once. {JUDGED}"
        )
    try:
        moving = [np.issubdtype(np.asarray(leaf).dtype, np.floating) for leaf in leaves]
    except TypeError:
        moving = []
    if not any(moving):
        raise ValueError(f"params must be a pytree of arrays with float ones, got {tree}: {JUDGED}")
    free = [jnp.asarray(leaf, np.float64) for leaf, moves in zip(leaves, moving, strict=True) if moves]

    def outputs(free, rows):
        free = iter(free)
        every = [next(free) if moves else leaf for leaf, moves in zip(leaves, moving, strict=True)]
        return jnp.asarray(function(jax.tree.unflatten(tree, every), rows))

    x = jnp.asarray(x)
    found = outputs(free, x)
    if found.ndim not in (1, 2) or len(found) != len(x) or not jnp.issubdtype(found.dtype, jnp.floating):
        raise ValueError(
            f"net must return floats (N, o) or (N,) for {len(x)} inputs, got {found.dtype} {found.shape}: "
            "flatten its output"
        )
    if not jnp.isfinite(found).all():
        raise ValueError("net must return finite outputs, got a NaN or an infinity at these params and x")
    tolerance = math.sqrt(jnp.finfo(found.dtype).eps) * float(jnp.abs(found).max() + 1e-30)
    if not jnp.abs(found - outputs(free, x)).max() <= tolerance:
        raise ValueError(f"net must not depend on chance, got two results for one x (dropout?): {JUDGED}")
    alone = jax.lax.map(lambda row: outputs(free, row[None])[0], x)
    if not jnp.abs(found - alone).max() <= tolerance:  # a NaN, as of one input's deviation, counts as another
        raise ValueError(
            f"net must judge each input by itself, got an output that depends on the other inputs (batch "
            f"normalisation in training?): fix its statistics. {JUDGED}"
        )
    flat, pull = jax.vjp(lambda free: outputs(free, x).reshape(-1), free)

    def column(unit):
        return jax.jvp(lambda free: outputs(free, x).reshape(-1), (free,), pull(unit))[1]

    kernel = np.asarray(jax.lax.map(column, jnp.eye(len(flat), dtype=flat.dtype)), np.float64)
    return (kernel + kernel.T) / 2, np.asarray(found, np.float64).reshape(len(x), -1)
