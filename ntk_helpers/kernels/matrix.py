"""The kernels between many inputs: block by block for numbers, one jax program for traced arguments."""

from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from ntk_helpers import _checks
from ntk_helpers._precision import any_traced, float64
from ntk_helpers.kernels.block import kernels_of_block, side_for, whole
from ntk_helpers.kernels.inputs import at_zero, directions, first_gamma
from ntk_helpers.kernels.layer import SKIPS, recursion


class Kernels(NamedTuple):
    """The two kernels between inputs x1 (n1, d) and x2 (n2, d).

    Attributes
    ----------
    nngp, ntk : (n1, n2) float64.
    """

    nngp: np.ndarray
    ntk: np.ndarray


@partial(float64, traceable=True)
def fcn_kernels(x1, x2=None, *, depth, activation, sigma_w, sigma_b):
    """NNGP and NTK of the infinitely wide fully connected network.

    The network is y^1 = sigma_w/sqrt(d) W^1 x + sigma_b b^1, y^l = sigma_w/sqrt(n) W^l phi(y^{l-1}) + sigma_b
    b^l with standard Gaussian W and b. Its kernels (Lee et al., 2018; Jacot et al., 2018) are

        Sigma^1 = Theta^1 = sigma_b^2 + sigma_w^2 x.x'/d,
        Sigma^l = sigma_b^2 + sigma_w^2 E[phi(u) phi(v)],
        Theta^l = Sigma^l + sigma_w^2 E[phi'(u) phi'(v)] Theta^{l-1},    (u, v) ~ N(0, Sigma^{l-1}).

    The inputs and the two standard deviations may be traced, by `jax.jit`, `jax.grad` and `jax.vmap`, in 64
    bits. At identical, opposite and zero inputs a kernel may have a cusp, as the NTK of ReLU at x = x'. There
    the derivative is the symmetric one, half of that from either side; at a zero input without bias it is the
    linear part, d/dc at c = 0, of the kernel's dependence on the direction.

    Parameters
    ----------
    x1 : (n1, d) array.
    x2 : (n2, d) array, or None for x1; with None each pair is computed once and the results are symmetric to
        the last bit.
    depth : number L >= 1 of weight layers.
    activation : a name or an `Activation`.
    sigma_w, sigma_b : standard deviations, finite and not negative.

    Returns
    -------
    Kernels
        .nngp and .ntk, (n1, n2) float64, of numpy or, for traced arguments, of jax.

    Raises
    ------
    ValueError
        If an argument has a wrong shape or value, a variance leaves the range in which the activation's
        expectations are accurate, or a kernel leaves the range of float64. Traced values cannot be examined:
        out of that range the results are NaN.
    """
    return _kernels(x1, x2, depth, recursion(activation, sigma_w, sigma_b, SKIPS["fcn"]))


@partial(float64, traceable=True)
def residual_kernels(x1, x2=None, *, depth, activation, sigma_w, sigma_b):
    """NNGP and NTK of the infinitely wide residual network.

    The network is y^1 = sigma_w/sqrt(d) W^1 x + sigma_b b^1, y^l = y^{l-1} + sigma_w/sqrt(n) W^l phi(y^{l-1})
    + sigma_b b^l (Hayou, Doucet and Rousseau, 2019, v2, Proposition 4, in the NTK parameterisation).

    Given y^{l-1}, the branch has mean zero, so covariances add, and gradients have no cross terms:

        Sigma^1 = Theta^1 = sigma_b^2 + sigma_w^2 x.x'/d,
        Sigma^l = Sigma^{l-1} + sigma_b^2 + sigma_w^2 E[phi(u) phi(v)],    (u, v) ~ N(0, Sigma^{l-1}),
        Theta^l = (1 + sigma_w^2 E[phi'(u) phi'(v)]) Theta^{l-1} + sigma_b^2 + sigma_w^2 E[phi(u) phi(v)].

    Parameters
    ----------
    x1, x2, depth, activation, sigma_w, sigma_b : as in `fcn_kernels`, traced or not.

    Returns
    -------
    Kernels

    Raises
    ------
    ValueError
        As in `fcn_kernels`.
    """
    return _kernels(x1, x2, depth, recursion(activation, sigma_w, sigma_b, SKIPS["residual"]))


def _kernels(x1, x2, depth, network):
    layers = _checks.positive_integer("depth", depth) - 1
    x1 = _checks.examples("x1", x1)
    others = x1 if x2 is None else _checks.examples("x2", x2)
    if x1.shape[1] != others.shape[1]:
        raise ValueError(
            f"x1 and x2 must have the same number of features, got shapes {x1.shape} and {others.shape}"
        )
    if any_traced(x1, others, *network[2:]):
        return _traced(network, layers, x1, others, x2 is None)
    return _block_by_block(network, layers, x1, others, x2 is None)


def _traced(network, layers, x1, x2, symmetric):
    same = np.eye(len(x1), dtype=bool) if symmetric else False
    nngp, ntk, smallest, largest = whole(*network[:2], layers, *network[2:], x1, x2, same)
    low, high = network.activation.q_range
    accurate = (smallest >= low) & (largest <= high)
    return Kernels(*(jnp.where(accurate, kernel, jnp.nan) for kernel in (nngp, ntk)))


def _block_by_block(network, layers, x1, x2, symmetric):
    n1, n2 = len(x1), len(x2)
    side = side_for(network.activation, min(n1, n2))
    # The last block is filled up with inputs at right angles to all: one compiled program serves all blocks.
    (q1, u1, zero1), (q2, u2, zero2) = (
        (np.pad(q, (0, -len(q) % side), mode="edge"), np.pad(u, ((0, -len(u) % side), (0, 0))), zero)
        for q, u, zero in (directions(x, *network[2:]) for x in (x1, x2))
    )
    nngp, ntk = np.empty((n1, n2)), np.empty((n1, n2))
    for i in range(0, n1, side):
        for j in range(i if symmetric else 0, n2, side):
            rows, columns, on_diagonal = slice(i, i + side), slice(j, j + side), symmetric and i == j
            same = np.eye(side, dtype=bool) if on_diagonal else False
            q, gamma = np.concatenate([q1[rows], q2[columns]]), first_gamma(u1[rows], u2[columns], same)
            for kernel, block in zip((nngp, ntk), kernels_of_block(network, layers, q, gamma), strict=True):
                block = block[: n1 - i, : n2 - j]
                if on_diagonal:
                    block = np.tril(block) + np.tril(block, -1).T
                kernel[rows, columns] = block
                if symmetric:
                    kernel[columns, rows] = block.T
    for name, kernel in (("nngp", nngp), ("ntk", ntk)):
        if at_zero(network.activation) == 0:
            kernel[zero1], kernel[:, zero2] = 0.0, 0.0
        if not np.isfinite(kernel.max()):
            raise ValueError(
                f"the {name} of depth {layers + 1} is beyond the range of float64: use a smaller depth or "
                "sigma_w, or depth_profile with rescale=True"
            )
    return Kernels(nngp, ntk)
