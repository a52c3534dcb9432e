"""The scatter of the tangent kernel over draws of the weights, against width and depth (chapter 17).

Mean and variance of Theta for Gaussian and orthogonal weights, n times the relative variance, and the same
of its logarithm. The networks are drawn with their exact law but without matrices, by Lemma 17.1: a network
sees each of its matrices in few directions, so that a layer costs a few vectors of length n instead of n^2
numbers. One output, d <= n inputs.

The scale "deep" has depth 160 at width 1,024, other seeds. Fixed before it was run: where the first order is
below a tenth, and for ReLU with the exact formula, the variance is that of the theory within four errors;
that of orthogonal tanh networks falls from depth 8 without biases and grows with them, by five errors each.
"""

import math

import numpy as np
from numpy.random import SFC64, Generator

from ntk_helpers.experiments._runner import Experiment
from ntk_helpers.finite_width import leading_order
from ntk_helpers.mean_field import edge_of_chaos
from ntk_helpers.networks import WEIGHTS


def relu(y):
    """Value and slope."""
    return np.maximum(y, 0), (y > 0).astype(y.dtype)


def tanh(y):
    """Value and slope."""
    value = np.tanh(y)
    return value, 1 - value * value


ACTIVATIONS = {"relu": relu, "tanh": tanh}


def drawn_kernels(x, *, depth, width, networks, rng, activation, sigma_w, sigma_b=0.0, weights="gaussian"):
    """Tangent kernels (networks, p, p) of random networks at inputs x (p, d), d <= width, in float32."""
    p, orthogonal, function = len(x), weights == "orthogonal", ACTIVATIONS[activation]
    scale = np.float32(sigma_w / math.sqrt(width))

    def images(count):
        """The images of `count` orthonormal vectors under a new matrix."""
        drawn = rng.standard_normal((count, networks, width), dtype=np.float32)
        return np.float32(math.sqrt(width)) * _orthonormal(drawn)[0] if orthogonal else drawn

    z = np.repeat(x[:, None] / math.sqrt(x.shape[1]), networks, axis=1).astype(np.float32)
    layers = []
    for _ in range(depth - 1):
        q, r = _orthonormal(z)
        g = images(p)
        y = np.float32(sigma_w) * _combined(g, r)
        if sigma_b:
            y += np.float32(sigma_b) * rng.standard_normal((networks, width), dtype=np.float32)
        covariance = sigma_w**2 * _gram(z, z) + sigma_b**2
        z, slope = function(y)
        z /= np.float32(math.sqrt(width))
        layers.append((q, g, slope, covariance))
    theta = sigma_w**2 * _gram(z, z) + sigma_b**2
    back = np.repeat(images(1), p, axis=0)  # of the single output
    while layers:
        q, g, slope, covariance = layers.pop()
        delta = scale * slope * back
        theta = theta + covariance * _gram(delta, delta)
        if layers:
            seen = _gram(g, delta)
            back = _pulled_back(q, g, delta, seen, images, orthogonal)
    return np.moveaxis(theta, -1, 0).astype(float)


def _pulled_back(q, g, delta, seen, images, orthogonal):
    """W^T delta given W q = g: known along the q; elsewhere a new matrix on what is left of delta."""
    if orthogonal:
        width = q.shape[-1]
        rest = delta - np.einsum("ijm,imn->jmn", seen / np.float32(width), g)
        new = images(len(q))
        for _ in range(2):  # off the q; twice against rounding
            new -= np.einsum("ijm,imn->jmn", _gram(q, new), q)
        new = np.float32(math.sqrt(width)) * _orthonormal(new)[0]
        back = _combined(new, _orthonormal(rest)[1])
    else:
        back = _combined(images(len(q)), _orthonormal(delta)[1])
        back -= np.einsum("ijm,imn->jmn", _gram(q, back), q)
    return back + np.einsum("ijm,imn->jmn", seen, q)


def _gram(a, b):
    """Inner products (p, p', m) of a (p, m, n) and b (p', m, n)."""
    return np.stack([[np.einsum("mn,mn->m", u, v) for v in b] for u in a])


def _orthonormal(v):
    """Orthonormal q (p, m, n) and upper triangular r (p, p, m) with v_j = sum_i r_ij q_i."""
    q, r = v.copy(), np.zeros((len(v), *v.shape[:-1]), v.dtype)
    for j in range(len(v)):
        for _ in range(2):  # twice: nearly parallel vectors lose digits the first time
            for i in range(j):
                part = np.einsum("mn,mn->m", q[i], q[j])
                q[j] -= part[:, None] * q[i]
                r[i, j] += part
        r[j, j] = np.sqrt(np.einsum("mn,mn->m", q[j], q[j]))
        q[j] /= np.maximum(r[j, j], 1e-30)[:, None]
    return q, r


def _combined(q, r):
    return np.stack([sum(r[i, j][:, None] * q[i] for i in range(j + 1)) for j in range(len(r))])


def statistics(ratio: np.ndarray) -> dict:
    """Mean and variance of `ratio` (k,) and of its logarithm, with standard errors."""
    found: dict = {"networks": len(ratio)}
    positive = ratio[ratio > 0]
    found["zero"] = len(ratio) - len(positive)
    for name, values in (("ratio", ratio), ("log", np.log(positive))):
        square = (values - values.mean()) ** 2
        found[name] = {
            "mean": float(values.mean()),
            "mean_error": float(values.std(ddof=1) / math.sqrt(len(values))),
            "variance": float(square.mean()),
            "variance_error": float(square.std(ddof=1) / math.sqrt(len(values))),
        }
    return found


def setting(activation: str, sigma_b: float) -> tuple[float, float]:
    """sigma_w on the edge of chaos, and the variance of the first layer."""
    sigma_w, q = edge_of_chaos(activation, sigma_b=sigma_b)
    return float(sigma_w), float(q) if q > 0 and activation != "relu" else 0.5


def slices(settings: dict) -> list[dict]:
    """One slice for an activation, an ensemble, a width and a depth."""
    return [
        dict(zip(("activation", "sigma_b", "weights"), (*law, weights), strict=True))
        | dict(zip(("width", "depth", "networks"), size, strict=True))
        for size in settings["sizes"]
        for law in settings["activations"]
        for weights in WEIGHTS
    ]


def run(settings: dict, piece: dict) -> dict:
    """Statistics of Theta(x, x) over its limit."""
    sigma_w, q1 = setting(piece["activation"], piece["sigma_b"])
    law = {"activation": piece["activation"], "sigma_w": sigma_w, "sigma_b": piece["sigma_b"]}
    x = np.array([[math.sqrt(q1 - piece["sigma_b"] ** 2) / sigma_w]])
    limit = leading_order(piece["depth"], q1=q1, **law).ntk[-1]
    block = max(1, settings["block"] // piece["width"])
    place = (piece["width"], piece["depth"], WEIGHTS.index(piece["weights"]), round(1000 * piece["sigma_b"]))
    rng = Generator(SFC64([settings["seeds"][0], len(piece["activation"]), *place]))
    size = {"depth": piece["depth"], "width": piece["width"], "weights": piece["weights"]}
    ratio = np.empty(0)
    while len(ratio) < piece["networks"]:
        drawn = drawn_kernels(x, networks=block, rng=rng, **size, **law)[:, 0, 0] / limit
        ratio = np.concatenate([ratio, drawn])
    return statistics(ratio)


#: Width, depth, networks: fewer of the large ones.
SIZES = [
    *([width, 8, 4096] for width in (64, 256, 1024)),
    *([64, 32, 4096], [256, 32, 4096], [1024, 32, 2048]),
    *([64, 128, 4096], [256, 128, 2048], [1024, 128, 512]),
]

COMMON = {"activations": [["tanh", 0.0], ["tanh", 0.2], ["relu", 0.0]], "block": 2**14, "seeds": [17]}

EXPERIMENT = Experiment(
    summary="mean and variance of the tangent kernel against width and depth, both ensembles",
    scales={
        "quick": COMMON | {"sizes": [[16, 4, 1000], [64, 16, 1000]]},
        "paper": COMMON | {"sizes": SIZES},
        "deep": COMMON | {"sizes": [[1024, 160, 512]], "seeds": [18]},
    },
    slices=slices,
    run=run,
)
