"""The kernels of one finite network, without Jacobians with respect to the parameters.

A layer y^l = c W z + e b (z the input of the
layer) has the parameter Jacobian  dy_k / dW_ij = c delta_ki z_j,  so its share of the tangent kernel is a
product of two Gram matrices, one of what goes into the layer and one of what comes back to it.
"""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from ntk_helpers import _checks
from ntk_helpers._precision import own_rules
from ntk_helpers.networks import UNROLLED, scan_layers

#: Default bound on the working memory, in bytes.
MEMORY_LIMIT = 2**30


@own_rules()
def empirical_ntk(net, params, x1, x2=None, *, trace_outputs=True, memory_limit=MEMORY_LIMIT):
    """The tangent kernel of a finite network at given parameters, exact.

    Theta(x, x')_ij = sum over all parameters p of df_i(x)/dp df_j(x')/dp, here as

        sum_l (c_l^2 z^l(x) . z^l(x') + e^2) (delta^l_i(x) . delta^l_j(x')),    delta^l_i = df_i / dy^l,

    with z^1 = x, z^l = phi(y^{l-1}) and the factors c_l, e of `Network.factors`: for the standard
    parameterisation it is the kernel of gradient descent on those very parameters, all at one learning
    rate. The delta come from one backward sweep, for blocks of inputs. In float32 the matrix products keep
    all their bits on every device. May be called under `jax.jit` and `jax.vmap`.

    Parameters
    ----------
    net : Network.
    params : what `net.init` returned, or training made of it.
    x1 : (n1, d) inputs.
    x2 : (n2, d) inputs; those of `x1` if None.
    trace_outputs : whether to return the mean over the outputs of the diagonal i = j.
    memory_limit : bytes of working memory, without the parameters and the result.

    Returns
    -------
    jax.Array
        (n1, n2), the mean over outputs; without `trace_outputs` (n1, n2, o, o). In the dtype of `params`.

    Raises
    ------
    ValueError
        If inputs or parameters have the wrong shape, inputs are not finite, or `memory_limit` is too small
        for a block of one input against one.
    """
    net.check_params(params)
    x1 = _checks.finite_inputs("x1", net.checked_inputs("x1", x1, params))
    x2 = None if x2 is None else _checks.finite_inputs("x2", net.checked_inputs("x2", x2, params))
    n2 = None if x2 is None else len(x2)
    rows, columns = _block_sizes(net, trace_outputs, x1.dtype.itemsize, len(x1), n2, memory_limit)
    return _blocks(partial(_ntk, net, trace_outputs, params), x1, x2, rows, columns, trace_outputs)


@own_rules()
def empirical_nngp(net, params, x1, x2=None):
    """The covariance of an output under fresh draws of the last layer, the other layers as given: (n1, n2).

    sigma_b^2 + (sigma_w^2 / n) z^L(x) . z^L(x'), and for a residual network the mean over coordinates
    y^{L-1}(x) . y^{L-1}(x') / n more. Its mean over networks is the covariance E f_i(x) f_i(x') of an
    output exactly, for Gaussian and orthogonal weights alike, with far less scatter than products of
    outputs.

    Parameters
    ----------
    net, params, x1, x2 : as in `empirical_ntk`.

    Returns
    -------
    jax.Array
        (n1, n2), in the dtype of `params`.

    Raises
    ------
    ValueError
        If inputs or parameters have the wrong shape.
    """
    net.check_params(params)
    x1 = net.checked_inputs("x1", x1, params)
    x2 = None if x2 is None else net.checked_inputs("x2", x2, params)
    return _nngp(net, params, x1, x2)


# The kernels of one block of inputs.


# Of the two the compiler drops what is not asked for.
_nngp = jax.jit(lambda net, *arguments: both_kernels(net, *arguments)[0], static_argnums=0)


@partial(jax.jit, static_argnums=(0, 1))
def _ntk(net, trace_outputs, params, x1, x2):
    return both_kernels(net, params, x1, x2, trace_outputs)[1]


def both_kernels(net, params, x1, x2, trace_outputs=True):
    """`empirical_nngp` and `empirical_ntk` by one pass of all the inputs through the network."""
    rows, columns, x = slice(None), slice(None), x1
    if x2 is not None:
        rows, columns, x = slice(0, len(x1)), slice(len(x1), None), jnp.concatenate([x1, x2])
    with jax.default_matmul_precision("highest"):
        entering = _forward(net, params, x)
        nngp = _last_covariance(net, x, entering, rows, columns)
        return nngp, _backward(net, trace_outputs, params, x, entering, rows, columns)


def _forward(net, params, x):
    """For every run but the first the pre-activations y^{l-1} entering its layers, (k, n, n_in)."""
    first, *later = params
    y = net.first_layer(first, x)
    entering = []
    for run in later:
        y, inputs = scan_layers(lambda y, layer: (net.layer(layer, y), y), y, run)
        entering.append(inputs)
    return entering


def _backward(net, trace_outputs, params, x, entering, rows, columns):
    """Sum over the layers, last to first, of the product of the two Gram matrices."""
    outputs = net.widths[-1]

    def share(z, delta):
        weight_factor, bias_factor = net.factors(z.shape[1])
        forward = weight_factor**2 * (z[rows] @ z[columns].T) + bias_factor**2
        if trace_outputs:
            flat = delta.reshape(len(z), -1)
            return forward * (flat[rows] @ flat[columns].T) / outputs
        return forward[:, None, :, None] * jnp.einsum("aik,bjk->aibj", delta[rows], delta[columns])

    def step(carry, layer):
        delta, kernel = carry
        weights, y = layer
        kernel = kernel + share(net.activation.phi(y), delta)
        weight_factor, _ = net.factors(y.shape[1])
        before = weight_factor * (delta @ weights) * net.activation.dphi(y)[:, None, :]
        if net.architecture == "residual":
            before = before.at[:, :, : delta.shape[2]].add(delta)
        return (before, kernel), None

    n1, n2 = len(x[rows]), len(x[columns])
    delta = jnp.broadcast_to(jnp.eye(outputs, dtype=x.dtype), (len(x), outputs, outputs))
    carry = delta, jnp.zeros((n1, n2) if trace_outputs else (n1, outputs, n2, outputs), x.dtype)
    for run, inputs in zip(reversed(params[1:]), reversed(entering), strict=True):
        carry, _ = scan_layers(step, carry, (run.weights, inputs), reverse=True)
    delta, kernel = carry
    kernel = kernel + share(x, delta)
    return kernel if trace_outputs else kernel.transpose(0, 2, 1, 3)


def _last_covariance(net, x, entering, rows, columns):
    y = entering[-1][-1] if entering else None
    z = x if y is None else net.activation.phi(y)
    covariance = net.sigma_b**2 + net.sigma_w**2 / z.shape[1] * (z[rows] @ z[columns].T)
    if net.architecture == "residual" and y is not None:
        return covariance + y[rows] @ y[columns].T / y.shape[1]
    return covariance


# Blocks of inputs within a memory bound.


def padded_chunks(rows, size):
    """Chunks of one size, the last filled up so that one program serves all, and how much of each counts."""
    count = -(-len(rows) // size)
    size = -(-len(rows) // count)
    for start in range(0, len(rows), size):
        chunk = rows[start : start + size]
        used = len(chunk)
        yield chunk if used == size else rows[np.minimum(start + np.arange(size), len(rows) - 1)], used


def _blocks(kernel, x1, x2, rows, columns, trace_outputs):
    """The kernel block by block; with x2 = None only on and above the diagonal, below it by symmetry.

    The symmetry is Theta(x', x)_ij = Theta(x, x')_ji.
    """
    symmetric, axes = x2 is None, (1, 0) if trace_outputs else (1, 0, 3, 2)
    down = list(padded_chunks(x1, rows))
    across = down if symmetric else list(padded_chunks(x2, columns))
    blocks = {}
    for i, (one, height) in enumerate(down):
        for j, (other, width) in enumerate(across):
            if symmetric and i > j:
                blocks[i, j] = blocks[j, i].transpose(axes)
            else:
                blocks[i, j] = kernel(one, None if symmetric and i == j else other)[:height, :width]
    lines = ([blocks[i, j] for j in range(len(across))] for i in range(len(down)))
    return jnp.concatenate([jnp.concatenate(line, axis=1) for line in lines])


def memory(net, trace_outputs):
    """Numbers held while a block is computed: fixed, for each input, and for each pair of inputs.

    Fixed: a scan copies the weights of one layer at a time, a short run those of all its layers. Inputs: x,
    every pre-activation, and for one layer the activation and its derivative, delta before and after it and
    the product between them. Pairs: the two Gram matrices, their product and the sum.
    """
    widest, outputs = max(net.widths), net.widths[-1]
    copied = ((k if k <= UNROLLED else 1, n_out * n_in) for k, n_out, n_in in net.runs if k > 1)
    fixed = max((k * size for k, size in copied), default=0)
    each_input = sum(net.widths) + 3 * widest + 3 * outputs * widest
    each_pair = 4 * (1 if trace_outputs else outputs**2)
    return fixed, each_input, each_pair


def _block_sizes(net, trace_outputs, itemsize, n1, n2, memory_limit):
    """The largest blocks that fit: (n1, n2) if all does, else nearly square ones."""
    fixed, each_input, each_pair = memory(net, trace_outputs)
    numbers = memory_limit / itemsize - fixed
    inputs, pairs = (n1, n1 * n1) if n2 is None else (n1 + n2, n1 * n2)
    if inputs * each_input + pairs * each_pair <= numbers:
        return n1, n2
    if 2 * each_input + each_pair > numbers:
        least = itemsize * (fixed + 2 * each_input + each_pair)
        raise ValueError(
            f"memory_limit must be at least {least} bytes, for a block of one input against one, "
            f"got {memory_limit!r}"
        )
    # The positive root of 2 side each_input + side^2 each_pair = numbers.
    side = int((math.sqrt(each_input**2 + each_pair * numbers) - each_input) / each_pair)
    if n2 is None:
        return side, side
    rows = min(n1, side)
    return rows, min(n2, int((numbers - rows * each_input) / (each_input + rows * each_pair)))
