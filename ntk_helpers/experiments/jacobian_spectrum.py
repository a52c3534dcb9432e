"""Singular values of input-output Jacobians, to 200 layers of width 512 (chapter 3).

For both ensembles of weights, and for each network of `cases` with the same weights: moments of the squares,
the two largest, the two smallest and the quantiles of the singular values of dy^l/dx at some depths l. The
variance of every first pre-activation is the fixed point of its network, so that depth adds no transient.

`narrow` repeats some cases at a smaller width with more draws, without the quantiles: what a finite width
changes is a function of L/n, so narrow networks show it at a smaller depth.
"""

import math

import jax
import numpy as np

from ntk_helpers import activations, mean_field
from ntk_helpers._precision import float64
from ntk_helpers.experiments._runner import Experiment
from ntk_helpers.isometry import jacobian_singular_values
from ntk_helpers.networks import Network


def input_of(net: Network) -> np.ndarray:
    """A constant input (d,) whose first pre-activations have the fixed-point variance (1 for ReLU)."""
    free = activations.get(net.activation).homogeneous
    q = 1.0 if free else mean_field.fixed_point(net.activation, sigma_w=net.sigma_w, sigma_b=net.sigma_b)
    return np.full(net.widths[0], math.sqrt((q - net.sigma_b**2) / net.sigma_w**2))


def six_digits(values: np.ndarray) -> list[float]:
    """Numbers for the record, rounded."""
    return [float(f"{value:.6g}") for value in values]


def slices(settings: dict) -> list[dict]:
    """Draws of weights, all cases share each: one a slice at the full width, many at the narrow one."""
    narrow, ensembles = settings["narrow"], settings["ensembles"]
    wide = [
        {"width": settings["width"], "weights": weights, "seeds": [seed]}
        for weights in ensembles
        for seed in settings["seeds"]
    ]
    return wide + [
        {"width": narrow["width"], "weights": weights, "seeds": list(seeds)}
        for weights in ensembles
        for seeds in batched(narrow["seeds"], narrow["batch"])
    ]


def batched(items: list, size: int) -> list[list]:
    """Consecutive pieces of a list, of `size` items but for the last."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def statistics(values: np.ndarray, levels: int) -> dict:
    """Statistics of the singular values (n,) of one Jacobian; without levels, moments alone."""
    mean = np.mean(values**2)
    # Of the squared singular values, the eigenvalues of J J^T.
    moments = {"mean": float(mean), "relative_variance": float(np.mean(values**4) / mean**2 - 1)}
    if levels == 0:
        return moments
    return moments | {
        "largest": six_digits(values[:2]),
        "smallest": six_digits(values[:-3:-1]),
        "quantiles": six_digits(np.quantile(values, (np.arange(levels) + 0.5) / levels)),
    }


@float64
def run(settings: dict, piece: dict) -> dict:
    """A row for every case and depth: each statistic, a list over the draws of the slice."""
    wide = piece["width"] == settings["width"]
    levels = settings["levels"] if wide else 0
    depths = settings["depths"]
    widths = (piece["width"],) * (depths[-1] + 1)
    networks = {}
    for name in settings["cases"] if wide else settings["narrow"]["cases"]:
        activation, sw2, sb2 = settings["cases"][name]
        networks[name] = Network(
            widths, activation, sigma_w=math.sqrt(sw2), sigma_b=math.sqrt(sb2), weights=piece["weights"]
        )
    found: dict = {(name, depth): [] for name in networks for depth in depths}
    for seed in piece["seeds"]:
        # Parameters of unit variance: one draw serves every activation, sigma_w and sigma_b.
        params = next(iter(networks.values())).init(jax.random.key(seed), dtype="float64")
        for name, net in networks.items():
            values = jacobian_singular_values(net, params, input_of(net), depths)
            for depth, at_depth in zip(depths, map(np.asarray, values), strict=True):
                found[name, depth].append(statistics(at_depth, levels))
    return {
        "rows": [
            {"case": name, "depth": depth} | {entry: [draw[entry] for draw in draws] for entry in draws[0]}
            for (name, depth), draws in found.items()
        ]
    }


COMMON = {
    "ensembles": ["gaussian", "orthogonal"],
    # (activation, sigma_w^2, sigma_b^2): variances, as paper O prints the second. The third is the edge of
    # chaos at sigma_b = 0.2, where q = 0.512, to all digits: chi^200 must be 1.
    "cases": {
        "linear": ["linear", 1.0, 0.0],
        "near-linear tanh": ["tanh", 1.05, 2.01e-5],
        "tanh, large q": ["tanh", 1.7007963721367065, 0.04],
        "ReLU": ["relu", 2.0, 0.0],
    },
    "levels": 64,
}

EXPERIMENT = Experiment(
    summary="singular values of the input-output Jacobian, Gaussian and orthogonal weights, 200 layers",
    scales={
        "quick": COMMON
        | {"width": 64, "depths": [2, 20, 200], "seeds": [0, 1]}
        | {"narrow": {"width": 32, "cases": ["tanh, large q"], "seeds": [0, 1, 2], "batch": 2}},
        "paper": COMMON
        | {"width": 512, "depths": [2, 5, 10, 20, 50, 100, 200], "seeds": list(range(8))}
        | {
            "narrow": {
                "width": 128,
                "cases": ["near-linear tanh", "tanh, large q"],
                "seeds": list(range(256)),
                "batch": 32,
            }
        },
    },
    slices=slices,
    run=run,
)
