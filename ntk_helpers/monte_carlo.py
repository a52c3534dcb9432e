"""Averages of the kernels over many random networks: means, their errors, and relative variances."""

from functools import partial
from typing import NamedTuple

import jax
import numpy as np

from ntk_helpers import _checks
from ntk_helpers._precision import numbers
from ntk_helpers.empirical import MEMORY_LIMIT, both_kernels, memory, padded_chunks

#: On a CPU many networks at once pay only while they stay in its cache: twice as slow beyond, measured.
CPU_CACHE = 2**24


class Estimate(NamedTuple):
    """Statistics of a kernel over M random networks: float64 arrays (n1, n2), entry by entry.

    With one network only the mean is a number, the rest is NaN.

    Attributes
    ----------
    mean, standard_error : the mean, and its error s / sqrt(M) with the unbiased variance s^2.
    relative_variance : s^2 / mean^2.
    relative_variance_error : one standard error of it, to first order in 1/M.
    """

    mean: np.ndarray
    standard_error: np.ndarray
    relative_variance: np.ndarray
    relative_variance_error: np.ndarray


class MonteCarloKernels(NamedTuple):
    """What `monte_carlo_kernels` returns.

    Attributes
    ----------
    nngp, ntk : an `Estimate` each.
    networks : the number of networks behind them.
    """

    nngp: Estimate
    ntk: Estimate
    networks: int


@numbers
def monte_carlo_kernels(
    net, key, x1, x2=None, *, networks, dtype="float32", memory_limit=MEMORY_LIMIT
) -> MonteCarloKernels:
    """Mean and scatter of the NNGP and tangent kernels over random networks of one description.

    Network m is `net.init(jax.random.split(key, networks)[m], dtype=dtype)`; its kernels are those of
    `empirical_nngp` and `empirical_ntk` (mean over outputs).

    Parameters
    ----------
    net : Network.
    key : jax random key.
    x1 : (n1, d) inputs.
    x2 : (n2, d) inputs; those of `x1` if None.
    networks : number of networks.
    dtype : "float32" or "float64", of the networks; the statistics are taken in float64.
    memory_limit : bytes of working memory, parameters included.

    Returns
    -------
    MonteCarloKernels

    Raises
    ------
    ValueError
        If an argument is not like this, or `memory_limit` is too small for one network.
    """
    networks = _checks.positive_integer("networks", networks)
    key = _checks.random_key("key", key)
    shapes = jax.eval_shape(partial(net.init, dtype=dtype), key)
    x1 = _checks.finite_inputs("x1", net.checked_inputs("x1", x1, shapes))
    x2 = None if x2 is None else _checks.finite_inputs("x2", net.checked_inputs("x2", x2, shapes))
    at_once = _networks_at_once(net, shapes, x1, x2, networks, memory_limit)
    moments = (_Moments(), _Moments())
    keys = jax.random.split(key, networks)
    for chunk, used in padded_chunks(keys, at_once):
        news = (np.asarray(new[:used], np.float64) for new in _sampled_kernels(net, dtype, chunk, x1, x2))
        moments = tuple(old.merge(_moments(new)) for old, new in zip(moments, news, strict=True))
    nngp, ntk = map(_estimate, moments)
    return MonteCarloKernels(nngp, ntk, networks)


@partial(jax.jit, static_argnums=(0, 1))
def _sampled_kernels(net, dtype, keys, x1, x2):
    """The two kernels of every network, (m, n1, n2) each."""
    return jax.vmap(lambda key: both_kernels(net, net.init(key, dtype=dtype), x1, x2))(keys)


def _networks_at_once(net, shapes, x1, x2, networks, memory_limit):
    fixed, each_input, each_pair = memory(net, True)
    inputs, pairs = (len(x1), len(x1) ** 2) if x2 is None else (len(x1) + len(x2), len(x1) * len(x2))
    # A draw holds the parameters, the random bits, the Gaussian matrix and, if orthogonal, its factors.
    copies = 6 if net.weights == "orthogonal" else 4
    parameters = sum(leaf.size for leaf in jax.tree.leaves(shapes))
    each = x1.dtype.itemsize * (fixed + copies * parameters + inputs * each_input + pairs * each_pair)
    if each > memory_limit:
        raise ValueError(f"memory_limit must be at least {each} bytes, for one network, got {memory_limit!r}")
    useful = CPU_CACHE if jax.default_backend() == "cpu" else memory_limit
    return min(networks, max(1, int(min(useful, memory_limit) // each)))


# Moments over networks.


class _Moments(NamedTuple):
    """Count, mean, and sums of the second to fourth powers of the deviations from the mean."""

    networks: int = 0
    mean: np.ndarray | float = 0.0
    m2: np.ndarray | float = 0.0
    m3: np.ndarray | float = 0.0
    m4: np.ndarray | float = 0.0

    def merge(self, new):
        """The moments of both samples together: Pebay, Sandia Report SAND2008-6212 (2008), Section 3."""
        a, b = self.networks, new.networks
        n = a + b
        shift = new.mean - self.mean
        return _Moments(
            n,
            self.mean + shift * b / n,
            self.m2 + new.m2 + shift**2 * a * b / n,
            self.m3 + new.m3 + shift**3 * a * b * (a - b) / n**2 + 3 * shift * (a * new.m2 - b * self.m2) / n,
            self.m4
            + new.m4
            + shift**4 * a * b * (a**2 - a * b + b**2) / n**3
            + 6 * shift**2 * (a**2 * new.m2 + b**2 * self.m2) / n**2
            + 4 * shift * (a * new.m3 - b * self.m3) / n,
        )


def _moments(samples):
    mean = samples.mean(0)
    m2, m3, m4 = (((samples - mean) ** power).sum(0) for power in (2, 3, 4))
    return _Moments(len(samples), mean, m2, m3, m4)


def _estimate(moments):
    """The statistics from the moments; the error of variance / mean^2 is by the delta method."""
    count, mean, m2, m3, m4 = moments
    if count == 1:
        unknown = np.full_like(mean, np.nan)
        return Estimate(mean, unknown, unknown, unknown)
    variance = m2 / (count - 1)
    with np.errstate(divide="ignore", invalid="ignore"):  # a kernel entry of zero has no relative variance
        relative = variance / mean**2
        third, fourth = m3 / count / mean**3, m4 / count / mean**4
        error = np.sqrt(np.maximum(fourth - relative**2 - 4 * relative * third + 4 * relative**3, 0) / count)
    return Estimate(mean, np.sqrt(variance / count), relative, error)
