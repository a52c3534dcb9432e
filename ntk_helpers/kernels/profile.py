"""The kernels of one pair of inputs, to any depth."""

from typing import NamedTuple

import numpy as np

from ntk_helpers import _checks
from ntk_helpers._precision import float64
from ntk_helpers.kernels.layer import SKIPS, recursion
from ntk_helpers.kernels.pair import general_stretches, relu_stretches


class DepthProfile(NamedTuple):
    """The kernels of one pair of inputs at k depths, float64.

    Attributes
    ----------
    q, ntk_diagonal : (k, 2), Sigma^L and Theta^L of either input with itself.
    one_minus_c : (k,), gamma = 1 - c.
    nngp, ntk : (k,), Sigma^L and Theta^L of the two inputs.
    log_scale : (k,), zero unless `depth_profile` was asked to rescale: q, nngp, ntk and ntk_diagonal are to
        be multiplied by exp(log_scale).
    """

    q: np.ndarray
    one_minus_c: np.ndarray
    nngp: np.ndarray
    ntk: np.ndarray
    ntk_diagonal: np.ndarray
    log_scale: np.ndarray


@float64
def depth_profile(
    depths, *, activation, sigma_w, sigma_b, q1=(1.0, 1.0), c1=0.5, architecture="fcn", rescale=False
):
    """The kernels of one pair of inputs at each of `depths`, accurate in 1 - c out to 10^7 layers.

    The recursions are those of `fcn_kernels` and `residual_kernels`, carried in 1 - c, which keeps its
    relative accuracy when it is small. Once both variances have converged to one fixed point, an interpolant
    replaces the activation's expectations, and ten million layers take seconds, as for ReLU-like activations.
    Where they do not converge (residual networks, or sigma_b = 0 on the edge of chaos of tanh), each layer
    costs what the activation's `gaps` cost: some 50 microseconds for tanh, a millisecond by quadrature.

    Parameters
    ----------
    depths : (k,) positive integers, in any order.
    activation : a name or an `Activation`.
    sigma_w, sigma_b : standard deviations, finite and not negative.
    q1 : the two variances of the first layer, positive.
    c1 : correlation of the first layer, in [-1, 1].
    architecture : "fcn" or "residual".
    rescale : divide q, nngp and ntk by exp(log_scale), the growth (or, without bias, the decay) of the
        variance of a ReLU-like activation, which would leave the range of float64.

    Returns
    -------
    DepthProfile
        Arrays over depths. Diagonal entries of the NTK that exceed float64 (deep in the chaotic phase) are
        inf.

    Raises
    ------
    ValueError
        If an argument has a wrong value, a variance leaves the range in which the activation's expectations
        are accurate, or a kernel between the two inputs leaves the range of float64.
    """
    _checks.one_of("architecture", architecture, SKIPS)
    depths = [_checks.positive_integer("depths", depth) for depth in np.ravel(depths).tolist()]
    if not depths:
        raise ValueError("depths must hold at least one depth, got none")
    network = recursion(activation, sigma_w, sigma_b, SKIPS[architecture])
    q = np.asarray(q1, dtype=np.float64)
    if q.shape != (2,) or not (np.isfinite(q).all() and (q > 0).all()):
        raise ValueError(f"q1 must be two positive variances, got {q1!r}")
    if not -1.0 <= float(c1) <= 1.0:
        raise ValueError(f"c1 must be a correlation between -1 and 1, got {c1!r}")
    if rescale and not network.activation.homogeneous:
        raise ValueError(f"rescale needs a ReLU-like activation, got {network.activation.name}")
    stops = np.unique(depths)
    run = relu_stretches if network.activation.homogeneous else general_stretches
    q, gamma, theta, theta_diagonal, log_scale = run(network, stops, q, 1.0 - float(c1), rescale)
    nngp = np.sqrt(q[:, 0]) * np.sqrt(q[:, 1]) * (1.0 - gamma)
    beyond = stops[~(np.isfinite(nngp) & np.isfinite(theta))]
    if len(beyond):
        raise ValueError(
            f"depths must stay below {beyond[0]}, where a kernel leaves the range of float64: try rescale"
        )
    profile = DepthProfile(q, gamma, nngp, theta, theta_diagonal, log_scale)
    return DepthProfile(*(field[np.searchsorted(stops, depths)] for field in profile))
