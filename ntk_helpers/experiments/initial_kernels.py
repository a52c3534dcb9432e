"""Kernels of random networks against their infinite-width limit: Figure 1 of Huang, Du and Xu (2020).

One hidden layer of width n. The NNGP and the tangent kernel are averaged over M networks, for Gaussian and
for orthogonal weights, and compared with the limit in the Frobenius norm over all pairs of inputs (chapters
1 and 2). The NNGP of a network is the average over its hidden neurons, `empirical.empirical_nngp`: only an
average over a layer comes closer as the layer widens, the product of two outputs does not. Every width has
`networks` independent networks, so that M of them can be averaged networks / M times: that gives each point
a standard error.
"""

import jax
import numpy as np

from ntk_helpers.empirical import empirical_nngp, empirical_ntk
from ntk_helpers.experiments._runner import Experiment
from ntk_helpers.kernels import fcn_kernels
from ntk_helpers.networks import WEIGHTS, Network


def inputs(settings: dict) -> np.ndarray:
    """The Gaussian inputs (k, d), float64: those of the first seed."""
    rng = np.random.default_rng(settings["seeds"][0])
    return rng.normal(size=(settings["inputs"], settings["input_dimension"]))


def sampled_kernels(net: Network, key, x: np.ndarray, networks: int) -> tuple[np.ndarray, np.ndarray]:
    """NNGP and NTK (networks, k, k) of independent networks in float32, one network in memory at a time."""

    def one_network(key):
        params = net.init(key)
        return empirical_nngp(net, params, x), empirical_ntk(net, params, x)

    nngp, ntk = jax.jit(lambda keys: jax.lax.map(one_network, keys))(jax.random.split(key, networks))
    return np.asarray(nngp, np.float64), np.asarray(ntk, np.float64)


def error_statistics(samples: np.ndarray, limit: np.ndarray, average: int) -> dict:
    """Squared relative Frobenius error of the mean of `average` networks: its mean over disjoint groups.

    Parameters
    ----------
    samples : (networks, k, k).
    limit : (k, k).
    average : a divisor of the number of networks.

    Returns
    -------
    dict
        "mean_square" with its "standard_error", and "first", the error (not squared) of the first group: what
        a single run shows.
    """
    groups = samples.reshape(-1, average, *limit.shape).mean(axis=1)
    squares = np.sum((groups - limit) ** 2, axis=(1, 2)) / np.sum(limit**2)
    return {
        "mean_square": float(squares.mean()),
        "standard_error": float(squares.std(ddof=1) / np.sqrt(len(squares))),
        "first": float(np.sqrt(squares[0])),
    }


def slices(settings: dict) -> list[dict]:
    """One slice an ensemble and a width, the wide and slow ones last."""
    return [{"weights": weights, "width": width} for width in settings["widths"] for weights in WEIGHTS]


def run(settings: dict, piece: dict) -> dict:
    """Error statistics of both kernels for every M, at one width in one ensemble."""
    x = inputs(settings)
    function = {key: settings[key] for key in ("activation", "sigma_w", "sigma_b")}
    net = Network(widths=(x.shape[1], piece["width"], 1), weights=piece["weights"], **function)
    key = jax.random.key(settings["seeds"][1])
    # Independent networks in every slice: one key gives correlated draws of the two ensembles.
    for label in (piece["width"], WEIGHTS.index(piece["weights"])):
        key = jax.random.fold_in(key, label)
    samples = sampled_kernels(net, key, x, settings["networks"])
    limits = fcn_kernels(x, depth=net.depth, **function)
    return {
        "rows": [
            {"kernel": kernel, "average": average}
            | error_statistics(sample, getattr(limits, kernel), average)
            for kernel, sample in zip(("nngp", "ntk"), samples, strict=True)
            for average in settings["averages"]
        ]
    }


COMMON = {
    "activation": "relu",
    "sigma_w": 1.5,
    "sigma_b": 0.1,
    "inputs": 20,
    "input_dimension": 1024,
    "seeds": [0, 1],  # of the inputs, of the networks
}

EXPERIMENT = Experiment(
    summary="NNGP and NTK of random networks against the infinite width, Gaussian and orthogonal weights",
    scales={
        "quick": COMMON
        | {"widths": [2**k for k in range(3, 12, 2)], "averages": [1, 4, 16], "networks": 128},
        "paper": COMMON
        | {"widths": [2**k for k in range(3, 13)], "averages": [1, 2, 4, 8, 16, 32], "networks": 512},
    },
    slices=slices,
    run=run,
)
