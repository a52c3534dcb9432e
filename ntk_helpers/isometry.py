"""Singular values of the input-output Jacobian of finite networks, layer after layer."""

from functools import partial
from numbers import Integral

import jax
import jax.numpy as jnp

from ntk_helpers.networks import scan_layers


def jacobian_singular_values(net, params, x, depths) -> list[jax.Array]:
    """Singular values of the Jacobians dy^l/dx of a network at one input.

    The Jacobian is carried through the layers beside the signal (forward mode), so that one pass over a deep
    network serves all depths, and the layers between two depths are scanned. For a plain network

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
    x = jnp.asarray(x)
    if x.shape != (net.widths[0],):
        raise ValueError(
            f"x must have shape ({net.widths[0]},), a single input of this network, got {x.shape}"
        )
    return _singular_values(net, params, x[None], _checked_depths(depths, net.depth))


@partial(jax.jit, static_argnums=(0, 3))
def _singular_values(net, params, x, depths):
    first, *later = params
    x = net.checked_inputs("x", x, params)

    def step(carry, layer):
        return _push(lambda y: net.layer(layer, y), *carry), None

    # Row i of the tangents is dy^l / dx_i: the transposed Jacobian.
    carry = _push(lambda x: net.first_layer(first, x), x, jnp.eye(x.shape[1], dtype=x.dtype))
    values = [_svd(carry)] if depths[0] == 1 else []
    begin = 1
    for run in later:
        end = begin + run.weights.shape[0]
        stops = [depth for depth in depths if begin < depth <= end]
        for start, stop in zip([begin, *stops], [*stops, end], strict=True):
            if start == stop:
                continue
            part = jax.tree.map(lambda leaf, a=start - begin, b=stop - begin: leaf[a:b], run)
            carry, _ = scan_layers(step, carry, part)
            if stop in depths:
                values.append(_svd(carry))
        begin = end
    return values


def _push(layer, y, tangents):
    """Signal (1, n) and tangents (d, n) behind a layer."""
    y, push = jax.linearize(layer, y)
    return y, jax.vmap(lambda tangent: push(tangent[None])[0])(tangents)


def _svd(carry):
    return jnp.linalg.svd(carry[1], compute_uv=False)


def _checked_depths(depths, depth):
    depths = tuple(depths)
    integers = all(isinstance(d, Integral) and not isinstance(d, bool) for d in depths)
    if not (
        depths and integers and list(depths) == sorted({*depths}) and 1 <= depths[0] <= depths[-1] <= depth
    ):
        raise ValueError(f"depths must be increasing integers from 1 to {depth}, got {depths}")
    return tuple(int(d) for d in depths)
