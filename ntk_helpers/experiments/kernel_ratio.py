"""Figure 1 of paper S: the tangent kernel of finite networks over its limit, under SGD (chapter 8).

The ratio for three pairs of MNIST images, and for the six images themselves, against width and depth, after
0, 100 and 1,000 steps. The paper shows one network for each point; here each point has repetitions.

What the paper does not state, and what is taken here: ReLU on the edge of chaos, NTK parameterisation, one
output, the squared loss, odd digits against even ones as labels 1 and -1, batches of 16, and a learning rate
of half of 1 / K^L(x, x). The limit of the kernel is of order L: only with a learning rate of order 1 / L do
networks of different depths move their outputs equally far in a step.

A network of depth 100 and width 5,000 has 2.5 10^9 parameters, 10 GB; while it is handed over to training it
takes twice that. The scale "cpu" stops at width 2,000, but for 100 steps at width 5,000 and depth 50; "wide"
adds one network of width 5,000 at either depth, and one of width 2,000 at depth 100, through all 1,000 steps.

What the scale "wide" decides was fixed before its results were looked at. Rounding: the networks that both
scales train have ratios within 1 % of each other up to step 100. Fall: the change of the kernel in 1,000
steps falls with the width if its exponent, fitted over the networks of both scales, is three standard errors
below 0. Size: at width 5,000 a thousand steps change the kernel more than the draw of the weights has
scattered it if the root mean square over images of the change of log(ratio) exceeds sqrt(log(1 + V)), V the
exact relative variance of the diagonal, at both depths.

The scale "frozen" is the limit of infinite width: one pass of the same SGD in function space, from outputs 0,
with the kernel K^L frozen. Its width is None.
"""

from functools import partial

import jax
import numpy as np

from ntk_helpers import data
from ntk_helpers.empirical import empirical_ntk
from ntk_helpers.experiments._runner import Experiment
from ntk_helpers.experiments.mnist_regression import unit_pixels
from ntk_helpers.kernels import fcn_kernels
from ntk_helpers.networks import Network
from ntk_helpers.training import train

#: The loss is averaged over this many batches.
WINDOW = 50


def pairs_of(kernel: np.ndarray) -> np.ndarray:
    """Of kernels (..., 2 p, 2 p) the elements of the pairs (0, 1), (2, 3), ...: (..., p)."""
    first = np.arange(0, kernel.shape[-1], 2)
    return kernel[..., first, first + 1]


def initial_kernels(net: Network, keys, probes) -> np.ndarray:
    """The tangent kernels (m, p, p) at the inputs `probes` (p, d) of the networks net.init(key).

    One network at a time: at the largest widths the memory holds no more.
    """
    kernel = jax.jit(lambda key: empirical_ntk(net, net.init(key), probes))
    return np.stack([np.asarray(kernel(key), np.float64) for key in keys])


def kernels_in_training(net: Network, keys, x, y, probes, *, learning_rate, batch_size, at):
    """The same after each of `at` steps of SGD with the squared loss: (m, len(at), p, p), and the `Training`.

    Network and order of the examples come from the two halves of each key.

    Parameters
    ----------
    net, keys, probes : as in `initial_kernels`.
    x, y : (n, d) inputs and (n, 1) targets.
    learning_rate, batch_size : as in `train`.
    at : increasing numbers of steps.

    Raises
    ------
    ValueError
        As in `train`.
    """
    drawn, order = jax.vmap(jax.random.split, out_axes=1)(keys)
    trained = train(
        net,
        jax.vmap(net.init)(drawn),
        x,
        y,
        learning_rate=learning_rate,
        steps=at[-1],
        batch_size=batch_size,
        key=order,
        observe=partial(_kernel, net, probes),
        at=at,
    )
    return np.asarray(trained.observations, np.float64), trained


def _kernel(net, probes, params):
    return empirical_ntk(net, params, probes)


def frozen_losses(kernel, y, *, learning_rate, batch_size) -> np.ndarray:
    """Losses (n // batch_size,) of the batches of one pass of SGD in function space, from outputs 0.

    kernel (n, n), y (n,); the loss of a batch is sum_i (f(x_i) - y_i)^2 / 2 / batch_size before its step, and
    f <- f - learning_rate kernel[:, batch] (f(x_batch) - y_batch) / batch_size.
    """
    moved, losses = np.zeros(len(y)), []
    for start in range(0, len(y) - batch_size + 1, batch_size):
        batch = slice(start, start + batch_size)
        residual = kernel[batch, :start] @ moved[:start] - y[batch]
        moved[batch] = -learning_rate / batch_size * residual
        losses.append(np.mean(residual**2) / 2)
    return np.array(losses)


def slices(settings: dict) -> list[dict]:
    """One slice for each row, depth and seed; with no steps it takes the kernel at initialisation alone."""
    return [
        {"depth": depth, "seed": seed, "width": row["width"], "count": row["count"], "steps": row["steps"]}
        for row in settings["networks"]
        for depth in row["depths"]
        for seed in settings["seeds"]
    ]


def run(settings: dict, piece: dict) -> dict:
    """The ratios of the networks of one depth, width and seed, and the losses before the times of `at`."""
    images = data.load("mnist")
    draw = np.random.default_rng(settings["probes_seed"])
    probes = unit_pixels(images.x_test[draw.choice(len(images.x_test), 2 * settings["pairs"], replace=False)])
    depth, width = piece["depth"], piece["width"]
    weights = {key: settings[key] for key in ("activation", "sigma_w", "sigma_b")}
    x, y = images.x_train[: settings["train_size"]], images.y_train[: settings["train_size"]]
    y = np.where(y % 2 == 1, 1.0, -1.0)
    at = [step for step in settings["at"] if step <= piece["steps"]]
    if width is None:
        seen = np.random.default_rng(piece["seed"]).permutation(len(x))[: at[-1] * settings["batch_size"]]
        kernel = fcn_kernels(unit_pixels(x[seen]), depth=depth, **weights).ntk
        rate = settings["rate"] / float(np.mean(np.diag(kernel)))
        losses = frozen_losses(kernel, y[seen], learning_rate=rate, batch_size=settings["batch_size"])
        return {"at": at, "losses": _rounded(_windows(losses[None], at))}
    limit = fcn_kernels(probes, depth=depth, **weights).ntk
    net = Network((probes.shape[1], *[width] * (depth - 1), 1), **weights)
    key = jax.random.fold_in(jax.random.fold_in(jax.random.key(piece["seed"]), depth), width)
    keys = jax.random.split(key, piece["count"])
    if piece["steps"] == 0:
        kernels = initial_kernels(net, keys, probes)[:, None]
        return {"at": [0], **_ratios(kernels, limit)}
    kernels, trained = kernels_in_training(
        net,
        keys,
        unit_pixels(x),
        y[:, None],
        probes,
        learning_rate=settings["rate"] / float(np.mean(np.diag(limit))),
        batch_size=settings["batch_size"],
        at=at,
    )
    return {
        "at": at,
        **_ratios(kernels, limit),
        "losses": _rounded(_windows(trained.losses, at)),
        "diverged": trained.diverged.tolist(),
    }


def _windows(losses, at):
    """Means (m, times) of the losses (m, steps) of the last batches before each of the times after 0."""
    return np.stack([losses[:, max(0, step - WINDOW) : step].mean(axis=1) for step in at if step], axis=1)


def _ratios(kernels, limit):
    """Ratios (m, times, p) and (m, times, 2 p) as lists."""
    return {
        "pairs": _rounded(pairs_of(kernels) / pairs_of(limit)),
        "diagonal": _rounded(np.diagonal(kernels, axis1=-2, axis2=-1) / np.diag(limit)),
    }


def _rounded(array):
    """Nested lists of numbers of five digits, None where a network has diverged."""
    if np.ndim(array):
        return [_rounded(row) for row in array]
    return float(f"{array:.5g}") if np.isfinite(array) else None


def _networks(width, count, steps, depths=(50, 100)) -> dict:
    return {"depths": list(depths), "width": width, "count": count, "steps": steps}


COMMON = {
    "activation": "relu",
    "sigma_w": 2**0.5,
    "sigma_b": 0.0,
    "pairs": 3,
    "probes_seed": 0,
    "rate": 0.5,  # times 1 / K^L(x, x)
    "batch_size": 16,
}

FULL = COMMON | {"at": [0, 1, 10, 100, 1_000], "train_size": 60_000}

EXPERIMENT = Experiment(
    summary="tangent kernels over their limit under SGD, against width, at two depths (Figure 1 of paper S)",
    scales={
        "quick": COMMON
        | {
            "at": [0, 10, 100],
            "train_size": 2_000,
            "networks": [_networks(width, 4, 100, depths=(10, 20)) for width in (50, 100, 200)],
            "seeds": [0],
        },
        "cpu": FULL
        | {
            "networks": [
                *[_networks(width, 20_000 // width, 0) for width in (100, 200, 500, 1_000, 2_000, 5_000)],
                *[_networks(width, 6, 1_000) for width in (100, 200, 400)],
                _networks(1_000, 2, 1_000),
                _networks(2_000, 1, 1_000, depths=[50]),
                _networks(2_000, 1, 100, depths=[100]),
                _networks(5_000, 1, 100, depths=[50]),
            ],
            "seeds": [0],
        },
        "wide": FULL
        | {
            "networks": [
                _networks(5_000, 1, 1_000, depths=[100]),
                _networks(2_000, 1, 1_000, depths=[100]),
                _networks(5_000, 1, 1_000, depths=[50]),
            ],
            "seeds": [0],
        },
        "frozen": FULL
        | {
            "networks": [_networks(None, 1, 1_000)],
            "seeds": [0, 1, 2],
        },
        "paper": FULL
        | {
            "networks": [_networks(100 * k, 8 if k < 10 else 1, 1_000) for k in range(1, 51)],
            "seeds": [0, 1, 2, 3],
        },
    },
    slices=slices,
    run=run,
    data=("mnist",),
)
