"""Singular values of the input-output Jacobian of finite networks, layer after layer."""

from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp

from ntk_helpers import _checks
from ntk_helpers._precision import own_rules


@own_rules()
def jacobian_singular_values(net, params, x, depths) -> list[jax.Array]:
    """Singular values of the Jacobians dy^l/dx of a network at one input.

    One pass in forward mode serves all depths. For a plain network

        dy^l/dx = c_l W^l D^{l-1} ... D^1 c_1 W^1,    D^k = diag(phi'(y^k)).

    The squares are the eigenvalues of J J^T whose limits Pennington, Schoenholz and Ganguli (2017) compute.
    An SVD resolves singular values down to the rounding unit times the largest one, not below.

    Parameters
    ----------
    net : Network.
    params : what `net.init` returned. In its dtype everything is computed.
    x : (d,) input.
    depths : increasing integers l, 1 <= l <= `net.depth`.

    Returns
    -------
    list of jax.Array
        One of shape (min(n_l, d),) for each depth, in decreasing order.

    Raises
    ------
    ValueError
        If `x`, `params` or `depths` are not like this.
    """
    net.check_params(params)
    x = jnp.asarray(_checks.unmasked("x", x))
    if x.shape != (net.widths[0],):
        raise ValueError(
            f"x must have shape ({net.widths[0]},), a single input of this network, got {x.shape}"
        )
    depths = _checks.increasing("depths", depths, 1, net.depth)
    first, *later = params
    carry, begin = _first(net, first, x[None]), 1
    values = {1: _svd(carry)} if depths[0] == 1 else {}
    for run in later:
        end = begin + run.weights.shape[0]
        inside = [depth for depth in depths if begin < depth <= end]
        for start, stop in pairwise(dict.fromkeys([begin, *inside, end])):
            carry = _through(net, run, start - begin, stop - begin, carry)
            if stop in depths:
                values[stop] = _svd(carry)
        begin = end
    return [values[depth] for depth in depths]


# The signal (1, n) and the tangents (d, n) behind a layer. Row i of these is dy^l / dx_i: the transposed
# Jacobian.


@partial(jax.jit, static_argnums=0)
def _first(net, run, x):
    x = x.astype(run.weights.dtype)
    return _push(partial(net.first_layer, run), x, jnp.eye(x.shape[1], dtype=x.dtype))


@partial(jax.jit, static_argnums=0)
def _through(net, run, start, stop, carry):
    """Behind layers start, ..., stop - 1 of a run. The bounds are traced: one program for all stretches."""

    def through(l, carry):
        return _push(partial(net.layer, jax.tree.map(lambda leaf: leaf[l], run)), *carry)

    if run.weights.shape[0] == 1:  # may change the width, which a loop does not allow
        return through(0, carry)
    return jax.lax.fori_loop(start, stop, through, carry)


def _push(layer, y, tangents):
    y, push = jax.linearize(layer, y)
    return y, jax.vmap(lambda tangent: push(tangent[None])[0])(tangents)


@jax.jit
def _svd(carry):
    return jnp.linalg.svd(carry[1], compute_uv=False)
