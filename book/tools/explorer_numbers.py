"""Writes the numbers of the explorers, book/assets/explorers/NAME.json, from ntk_helpers.

python book/tools/explorer_numbers.py [NAME ...]

A file holds a caption and a table (head, rows), which the page shows when the script does not run, and which
the tests compare with the script; and data, where the script draws from a table.
"""

import json
import math
import sys
from itertools import product
from pathlib import Path

import jax
import numpy as np
from scipy.integrate import quad
from scipy.linalg import expm

from ntk_helpers import dynamics, mean_field
from ntk_helpers.finite_width import relative_variance
from ntk_helpers.isometry import jacobian_singular_values
from ntk_helpers.kernels import depth_profile
from ntk_helpers.networks import Network

FOLDER = Path(__file__).parents[1] / "assets" / "explorers"
STATES = [
    ("tanh", 0.9, 0.2),
    ("tanh", None, 0.2),
    ("tanh", 2.0, 0.2),
    ("tanh", 2.0, 0.05),
    ("tanh", 3.0, 0.9),
    ("erf", 0.7, 0.3),
    ("erf", None, 0.2),
    ("erf", 2.5, 0.3),
    ("relu", 1.0, 0.5),
    ("relu", None, 0.0),
    ("relu", 1.6, 0.2),
    ("elu", 1.0, 0.4),
    ("elu", None, 0.2),
    ("elu", 1.35, 0.1),
]
NAMES = {"relu": "ReLU", "elu": "ELU"}


def phase_plane() -> dict:
    """States of the phase plane; sigma_w None is the edge."""
    head = ("activation", "σ_w", "σ_b", "phase", "q", "χ₁", "limit of c", "ξ in layers")
    return {
        "caption": "States of the phase plane, computed by the package",
        "head": head,
        "rows": [state(*given) for given in STATES],
    }


def state(name: str, sigma_w: float | None, sigma_b: float) -> list:
    edge = sigma_w is None
    if edge:
        sigma_w = float(mean_field.edge_of_chaos(name, sigma_b=sigma_b).sigma_w)
    start = [NAMES.get(name, name), sigma_w, sigma_b]
    try:
        q = (
            1.0
            if edge and name == "relu"
            else float(mean_field.fixed_point(name, sigma_w=sigma_w, sigma_b=sigma_b))
        )
    except ValueError:  # the variance has no limit
        return [*start, "unbounded", None, None, None, None]
    phase, chi = (
        mean_field.phase(name, sigma_w=sigma_w, sigma_b=sigma_b),
        float(mean_field.chi(name, sigma_w=sigma_w, q=q)),
    )
    if phase == "critical":
        return [*start, phase, q, chi, 1.0, None]
    limit = float(mean_field.correlation_fixed_point(name, sigma_w=sigma_w, sigma_b=sigma_b)[0])
    scale = float(mean_field.depth_scales(name, sigma_w=sigma_w, sigma_b=sigma_b).xi_c)
    return [*start, phase, q, chi, limit, scale]


def catapult() -> dict:
    """Gradient descent on two linear layers of the given width, in full: no map of the plane."""
    rows = []
    for mark, width in product((1.5, 2.5, 3.5, 4.2), (100, 10_000)):
        u, v = two_layers(width)
        path = descend(u, v, mark / 2, 30 if mark < 4 else 6)
        step, top = max(enumerate(path), key=lambda point: point[1][0])
        rows.append([mark, width, len(path) - 1, step, top[0], *path[-1]])
    return {
        "caption": "Gradient descent on two linear layers, computed weight by weight",
        "head": (
            "ηλ at first",
            "width",
            "steps",
            "step of the largest loss",
            "largest loss",
            "loss at last",
            "ηλ at last",
        ),
        "rows": rows,
    }


def two_layers(width: int) -> np.ndarray:
    """u and v with u.v = sqrt(n) and |u|^2 + |v|^2 = 2 n: f = 1 and a tangent kernel of 2."""
    a, b = np.random.default_rng(0).standard_normal((2, width))
    b -= a * (a @ b) / (a @ a)
    f = 1 / math.sqrt(width)
    a, b = a * math.sqrt(width * (1 + f) / (a @ a)), b * math.sqrt(width * (1 - f) / (b @ b))
    return np.array([a + b, a - b]) / math.sqrt(2)


def descend(u: np.ndarray, v: np.ndarray, rate: float, steps: int) -> list[tuple[float, float]]:
    """Loss and rate times kernel after 0, ..., steps steps, for f = u.v / sqrt(n) and the loss f^2 / 2."""
    path, n = [], len(u)
    for _ in range(steps + 1):
        f = u @ v / math.sqrt(n)
        path.append((float(f**2 / 2), float(rate * (u @ u + v @ v) / n)))
        u, v = u - rate * f / math.sqrt(n) * v, v - rate * f / math.sqrt(n) * u
    return path


CORRELATIONS = (-0.5, 0.5, 0.9)


def depths(deepest: int = 10**6) -> list[int]:
    return [depth for depth in np.round(np.geomspace(10, 1e6, 61)).astype(int).tolist() if depth <= deepest]


def curve(name: str, c: float, deepest: int = 10**6) -> list[float]:
    """Theta / (L q) minus its limit, at the depths, six digits of it."""
    bias, limit = (0.0, 1 / 4) if name == "relu" else (0.2, 1 / 3)
    sigma_w, q = (math.sqrt(2), 1.0) if name == "relu" else mean_field.edge_of_chaos(name, sigma_b=bias)
    given = {"activation": name, "sigma_w": sigma_w, "sigma_b": bias}
    profile = depth_profile(depths(deepest), **given, q1=(q, q), c1=c)
    # sigma_w is rounded: q drifts with the depth, and the kernel with it
    scale = np.sqrt(np.prod(profile.q, axis=1)) * depths(deepest)
    return [float(f"{value:.6g}") for value in profile.ntk / scale - limit]


def edge() -> dict:
    """The kernel's distance from its limit to a million layers, for four activations."""
    all_depths, curves, rows = depths(), {}, []
    for name in ("relu", "tanh", "erf", "elu"):
        shown = NAMES.get(name, name)
        curves[shown] = [curve(name, c) for c in CORRELATIONS]
        for c, values in zip(CORRELATIONS, curves[shown], strict=True):
            i = all_depths.index(10_000)
            slope = math.log(abs(values[i + 4] / values[i])) / math.log(all_depths[i + 4] / all_depths[i])
            ends = [values[all_depths.index(depth)] for depth in (100, 10_000, 1_000_000)]
            rows.append([shown, c, *ends, slope])
    return {
        "caption": "The distance of Θ / (L q) from its limit, computed by the package",
        "head": ("activation", "first c", "100 layers", "10⁴ layers", "10⁶ layers", "slope beyond 10⁴"),
        "rows": rows,
        "data": {"depths": all_depths, "c": CORRELATIONS, "curves": curves},
    }


SGD_START = np.array([1, -0.5, 0.8, 0.2])


def sgd() -> dict:
    """Thresholds, moments after 60 steps, and equation (10) with a Hessian term by quadrature."""
    rows = []
    for r, size, share in ((0.0, 1, 0.5), (0.3, 1, 0.7), (0.3, 4, 0.7), (0.6, 2, 0.9), (0.9, 16, 0.95)):
        kernel = (1 - r) * np.eye(4) + r
        limit = dynamics.stability_threshold(kernel, batch_size=size)
        rate = share * limit
        given = {"learning_rate": rate, "batch_size": size}
        exact = dynamics.sgd_moments(kernel, SGD_START, steps=60, **given).second[-1]
        equation = dynamics.sde_moments(kernel, SGD_START, times=[60 * rate], **given).second[-1]
        means = [mean_of_10(kernel, rate, size, sign) for sign in (-1, 1)]
        # what has died out is zero up to rounding, of either sign
        squares = [round(float(np.trace(m)) / 4, 11) + 0.0 for m in (exact, equation)]
        rows.append([r, size, share, float(limit), *squares, *means])
    return {
        "caption": "Four inputs, computed by the package: 60 steps; equation (10) with Γ = 1 after 20 steps",
        "head": (
            "r",
            "S",
            "η/η*",
            "η*",
            "mean |z|²/N, SGD",
            "the same, SDE",
            "E z₁ by (10), printed",
            "corrected",
        ),
        "rows": rows,
    }


def mean_of_10(kernel: np.ndarray, rate: float, size: int, sign: int) -> float:
    """The first residual's mean by (10) at the time of 20 steps, with Gamma = 1 at all inputs and times."""
    t = 20 * rate
    flow = dynamics.gradient_flow(kernel, SGD_START, times=[t])[0, 0]
    kick = quad(lambda s: (expm(-(t - s) / 4 * kernel) @ np.ones(4))[0], 0, t, epsabs=1e-13)[0]
    return float(flow + sign * rate / (2 * size) * kick)


def scatter() -> dict:
    """Relative variance of the kernel of one input, all layers of equal width, from the exact recursion."""
    rows = []
    for name, weights in product(("relu", "linear"), ("gaussian", "orthogonal")):
        label = f"{NAMES.get(name, name)}, {weights.replace('gaussian', 'Gaussian')}"
        for depth, width in ((4, 16), (50, 200), (50, 1000), (200, 100)):
            variance = relative_variance((width,) * (depth + 1), activation=name, weights=weights)
            rows.append([label, depth, width, round(float(variance), 12)])  # 0 is left with rounding
    return {
        "caption": "Relative variance of the kernel, computed by the package",
        "head": ("network", "L", "n", "relative variance"),
        "rows": rows,
    }


def spectrum() -> dict:
    """Quantiles of the Jacobian's singular values, measured on networks of width 300."""
    near = 1.05**0.5, 2.01e-5**0.5
    far = mean_field.edge_of_chaos("tanh", sigma_b=0.2)
    networks = {
        "linear": ("linear", 1.0, 0.0, 1.0),
        "near-linear tanh": (
            "tanh",
            *near,
            float(mean_field.fixed_point("tanh", sigma_w=near[0], sigma_b=near[1])),
        ),
        "tanh, large q": ("tanh", float(far.sigma_w), 0.2, float(far.q)),
        "ReLU": ("relu", math.sqrt(2), 0.0, 1.0),
    }
    rows = []
    for (name, (activation, sw, sb, q)), weights in product(networks.items(), ("gaussian", "orthogonal")):
        widths, depths = (300,) * 21, [5, 20]
        net = Network(widths, activation, sigma_w=sw, sigma_b=sb, weights=weights)
        x = np.full(300, math.sqrt((q - sb**2) / sw**2))
        values = [
            jacobian_singular_values(net, net.init(key, dtype="float64"), x, depths)
            for key in jax.random.split(jax.random.key(3), 4)
        ]
        for i, depth in enumerate(depths):
            seen = np.quantile(np.array([value[i] for value in values]), (0.5, 0.75, 0.95)).tolist()
            rows.append([name, weights, depth, *seen])
    data = {
        name: {"activation": NAMES.get(activation, activation), "sigma_w": sw, "q": q}
        for name, (activation, sw, _, q) in networks.items()
    }
    return {
        "caption": "Quantiles of the singular values, measured by the package on four networks of width 300",
        "head": ("network", "weights", "L", "median", "75 %", "95 %"),
        "rows": rows,
        "data": data,
    }


WRITERS = {
    "phase_plane": phase_plane,
    "catapult": catapult,
    "edge": edge,
    "sgd": sgd,
    "scatter": scatter,
    "spectrum": spectrum,
}

if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    for name in sys.argv[1:] or WRITERS:
        text = json.dumps(WRITERS[name](), ensure_ascii=False)
        (FOLDER / f"{name}.json").write_text(
            text.replace("[[", "[\n[").replace("], [", "],\n[") + "\n", encoding="utf-8"
        )
