"""Whether the gain of orthogonal weights survives other learning rates of the layers (chapter 18).

Steps to 25% accuracy on the digits as in learning_speed_digits: nearly linear tanh networks, cross-entropy,
plain SGD, batches of 100, at most 100 steps (no answer counts as 100). Three parameterisations:

standard: one learning rate for all weights and biases.
NTK: weights of layer l at sigma_w^2 / n_{l-1} times the rate, biases at sigma_b^2 times.
maximal update: of hidden width n, the last weights have the variance sigma_w^2 / n^2 at the start; input
    weights and all hidden biases have n times the rate of hidden weights, the last weights 1/n times it (Yang
    and Hu, Tensor programs IV).

All are one network whose parameters are s u, with a factor s for each layer: a rate eta of u is eta s^2 on
s u.

A rate is told by its mark at 20 layers: the mark m is the rate m / lambda, lambda the median over ten other
orthogonal networks of the largest eigenvalue of the loss's Gauss-Newton matrix at the start, on 20 images.
Both ensembles have the same rates. From 20 layers to L the rate is scaled by 20 / L (depth-scaled rates).

What decides was fixed before the run; a pilot with twelve other seeds chose the marks. g is the mean over
train and test of log(Gaussian / orthogonal) steps, a pair of networks having one seed, e its standard error
over seeds. At each parameterisation, width and depth:

common: the mean of g over the marks below 1 is above 3 e: a gain at common rates that are small.
best: the best rate of an ensemble has the least mean log steps over the first half of the seeds; the g of the
    two best rates, from the other half, is above 3 e: a gain that no choice of the rate takes away.
width: where both widths have a common gain, the smaller width's is the larger one, by 3 e, or this is not
    decided.

The scale "low" adds three marks below those of "paper", for the same networks and batches. It was added when
at 20 layers of maximal update the best rate of Gaussian networks was the least of the grid; "best" is decided
by both grids together.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np

from ntk_helpers import data
from ntk_helpers.experiments._runner import Experiment
from ntk_helpers.networks import WEIGHTS, Layers, Network
from ntk_helpers.training import steps_to_accuracy

WEIGHT_VARIANCE, BIAS_VARIANCE = 1.05, 2.01e-5
PARAMETERISATIONS = ("standard", "ntk", "maximal update")
REFERENCE = 20
#: Seeds of the networks that the marks are measured on.
SCALE_SEEDS = range(7000, 7010)


def network(depth: int, width: int, weights: str) -> Network:
    """The tanh network on digits, in the standard parameterisation."""
    return Network(
        (64, *[width] * (depth - 1), 10),
        "tanh",
        sigma_w=math.sqrt(WEIGHT_VARIANCE),
        sigma_b=math.sqrt(BIAS_VARIANCE),
        weights=weights,
        parameterization="standard",
    )


def factors(net: Network, parameterisation: str) -> list[tuple[float, float]]:
    """The factors s of weights and biases, for each run of layers."""
    inputs, width = [n_in for _, _, n_in in net.runs], net.widths[1]
    if parameterisation == "standard":
        return [(1.0, 1.0)] * len(inputs)
    if parameterisation == "ntk":
        return [(net.sigma_w / math.sqrt(n), net.sigma_b) for n in inputs]
    root = math.sqrt(width)
    return [(root, root)] + [(1.0, root)] * (len(inputs) - 2) + [(1 / root, 1.0)]


def drawn(net: Network, parameterisation: str, keys):
    """apply(u, x), and a stack of u for networks of these keys."""
    params = jax.lax.map(net.init, keys)
    if parameterisation == "maximal update":
        last = params[-1]
        params = (*params[:-1], last._replace(weights=last.weights / math.sqrt(net.widths[1])))
    scales = factors(net, parameterisation)

    def scaled(run, s):
        return Layers(s[0] * run.weights, s[1] * run.biases)

    def apply(u, x):
        return net.apply(tuple(map(scaled, u, scales)), x)

    return apply, tuple(scaled(run, (1 / a, 1 / b)) for run, (a, b) in zip(params, scales, strict=True))


def curvature(apply, u, x):
    """The largest eigenvalue of the Gauss-Newton matrix of the mean cross-entropy, for one network."""
    p = jax.nn.softmax(apply(u, x))
    root = jnp.sqrt(p)[:, :, None] * jnp.eye(p.shape[1]) - p[:, :, None] * jnp.sqrt(p)[:, None, :]
    rows = jnp.concatenate(
        [leaf.reshape(*p.shape, -1) for leaf in jax.tree.leaves(jax.jacobian(apply)(u, x))], axis=2
    )
    rows = jnp.einsum("ikp,ika->iap", rows, root).reshape(p.size, -1)
    return jnp.linalg.eigvalsh(rows @ rows.T)[-1] / len(x)


def mark_unit(width: int, parameterisation: str) -> float:
    """The lambda of the marks: a median over orthogonal networks of 20 layers."""
    keys = jnp.stack([jax.random.key(seed) for seed in SCALE_SEEDS])
    apply, u = drawn(network(REFERENCE, width, "orthogonal"), parameterisation, keys)
    x = data.load("digits").x_train[:20]
    return float(np.median(jax.lax.map(lambda one: curvature(apply, one, x), u)))


def slices(settings: dict) -> list[dict]:
    """A slice for each architecture, parameterisation and ensemble."""
    return [
        {"width": width, "depth": depth, "parameterisation": parameterisation, "weights": weights}
        for width, depth in settings["architectures"]
        for parameterisation in PARAMETERISATIONS
        for weights in WEIGHTS
    ]


def run(settings: dict, piece: dict) -> dict:
    """Steps on train and test, (marks, seeds), None without an answer; the rates; the unit of the marks."""
    digits = data.load("digits")
    unit = mark_unit(piece["width"], piece["parameterisation"])
    rates = [float(f"{mark / unit * REFERENCE / piece['depth']:.6g}") for mark in settings["marks"]]
    keys = jnp.stack([jax.random.key(seed) for seed in settings["seeds"]])
    start, order = jnp.moveaxis(jax.vmap(jax.random.split)(keys), 1, 0)
    net = network(piece["depth"], piece["width"], piece["weights"])
    apply, u = drawn(net, piece["parameterisation"], start)
    found: dict = {"unit": float(f"{unit:.5g}"), "rates": rates, "train": [], "test": []}
    for rate in rates:
        answer = steps_to_accuracy(
            apply,
            u,
            digits.x_train,
            digits.y_train,
            digits.x_test[:100],
            digits.y_test[:100],
            accuracy=0.25,
            learning_rate=rate,
            steps=settings["steps"],
            batch_size=100,
            key=order,
        )
        found["train"].append([int(step) or None for step in answer.train])
        found["test"].append([int(step) or None for step in answer.test])
    return found


PAPER = {
    "steps": 100,
    "seeds": list(range(7200, 7240)),
    "architectures": [[32, 20], [64, 20], [32, 10], [32, 40]],
    "marks": [0.1, 0.2, 0.4, 0.8, 1.6, 3.2],
}

EXPERIMENT = Experiment(
    summary="steps to 25% accuracy on the digits in three parameterisations, at depth-scaled rates",
    scales={
        "quick": {"steps": 20, "seeds": [7100, 7101], "architectures": [[16, 5]], "marks": [0.2, 0.8]},
        "paper": PAPER,
        "low": PAPER | {"marks": [0.0125, 0.025, 0.05]},
    },
    slices=slices,
    run=run,
    data=("digits",),
)
