"""Singular values of input-output Jacobians, to 200 layers of width 512 (chapter 3).

For both ensembles of weights, and for each network of `cases` with the same weights: moments of the squares,
the two largest, the two smallest and the quantiles of the singular values of dy^l/dx at some depths l. The
variance of every first pre-activation is the fixed point of its network, so that depth adds no transient.
"""

import math

import jax
import numpy as np

from ntk_helpers import mean_field
from ntk_helpers._precision import float64
from ntk_helpers.experiments._runner import Experiment
from ntk_helpers.isometry import jacobian_singular_values
from ntk_helpers.networks import Network


def input_of(net: Network) -> np.ndarray:
    """A constant input (d,) whose first pre-activations have the fixed-point variance (1 for ReLU)."""
    free = net.activation.homogeneous
    q = 1.0 if free else mean_field.fixed_point(net.activation, net.sigma_w, net.sigma_b)
    return np.full(net.widths[0], math.sqrt((q - net.sigma_b**2) / net.sigma_w**2))


def six_digits(values: np.ndarray) -> list[float]:
    """Numbers for the record, rounded."""
    return [float(f"{value:.6g}") for value in values]


def slices(settings: dict) -> list[dict]:
    """One slice a draw of weights: all cases share it."""
    return [{"weights": w, "seed": s} for w in settings["ensembles"] for s in settings["seeds"]]


@float64
def run(settings: dict, piece: dict) -> dict:
    """Statistics of the singular values of every case at every depth, at one draw of the weights."""
    depths, levels = settings["depths"], settings["levels"]
    widths = (settings["width"],) * (depths[-1] + 1)
    networks = {
        name: Network(widths, activation, math.sqrt(sw2), math.sqrt(sb2), weights=piece["weights"])
        for name, (activation, sw2, sb2) in settings["cases"].items()
    }
    # Parameters of unit variance: one draw serves every activation, sigma_w and sigma_b.
    params = next(iter(networks.values())).init(jax.random.key(piece["seed"]), dtype="float64")
    rows = []
    for name, net in networks.items():
        found = jacobian_singular_values(net, params, input_of(net), depths)
        for depth, values in zip(depths, map(np.asarray, found), strict=True):
            mean = np.mean(values**2)
            rows.append(
                {
                    "case": name,
                    "depth": depth,
                    # Of the squared singular values, the eigenvalues of J J^T.
                    "mean": float(mean),
                    "relative_variance": float(np.mean(values**4) / mean**2 - 1),
                    "largest": six_digits(values[:2]),
                    "smallest": six_digits(values[:-3:-1]),
                    "quantiles": six_digits(np.quantile(values, (np.arange(levels) + 0.5) / levels)),
                }
            )
    return {"rows": rows}


COMMON = {
    "ensembles": ["gaussian", "orthogonal"],
    # (activation, sigma_w^2, sigma_b^2): variances, as paper O prints the second.
    "cases": {
        "linear": ["linear", 1.0, 0.0],
        "near-linear tanh": ["tanh", 1.05, 2.01e-5],
        "ReLU": ["relu", 2.0, 0.0],
    },
    "levels": 64,
}

EXPERIMENT = Experiment(
    summary="singular values of the input-output Jacobian, Gaussian and orthogonal weights, 200 layers",
    scales={
        "quick": COMMON | {"width": 64, "depths": [20, 200], "seeds": [0, 1]},
        "paper": COMMON | {"width": 512, "depths": [20, 50, 100, 200], "seeds": [0, 1, 2, 3]},
    },
    slices=slices,
    run=run,
)
