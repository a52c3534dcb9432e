"""Deep plain networks on MNIST and CIFAR-10 (chapter 14; Table 1 and Figures 3 and 4 of paper S).

Fully connected networks of equal width, cross-entropy, SGD with batches of 64, nine activations. Paper S
gives width, depths, batch size, learning rates and initialisations; it leaves open, and here is chosen:

* the standard parameterisation, with trained biases: the learning rates are near the largest stable ones
  there, and lie two orders below them in the NTK parameterisation;
* inputs scaled to mean squared pixel one, one image at a time;
* He's rule as variance 2 / n_in, Glorot's as 2 / (n_in + n_out), with biases that start at zero;
* PReLU with one trained slope a layer, 0.25 at the start, on the edge of chaos of that slope.

A reduced width n has the learning rate times 300 / n: the tangent kernel grows like n, so that networks of
all widths move alike in the wide limit. Width null stands for that limit: SGD in function space with the
kernel of infinite width, from outputs drawn with its NNGP, on a part of the training images.

The scales "epoch" and "table" are parts of the paper's protocol on MNIST: all activations at depth 100 for
one epoch, three networks each, and ReLU, ELU and tanh at depth 300 for ten epochs, one network each. What
decides there was fixed before any of them was run. Order: after the epoch the test accuracy of the networks
of ELU and tanh on their exact edges, together, exceeds that of the five ReLU-like rows, together, by Welch's
t at the one-sided level 0.00135. Chance: the networks off the edge (softplus, sigmoid by He's rule) stay
below 12%. Edge: the printed pair of ELU, of tanh, differs from the exact edge if t of the two rows, 4 degrees
of freedom, is beyond the two-sided level 0.0027. Table: after ten epochs each of the three networks lies
within three of the printed +- of the printed mean.

The scale "table-relu" has two more networks of ReLU at depth 300 with seeds of their own. Fixed before the
run: with that of "table" they are three; their mean differs from the printed one if it is off by more than
three times the root of the sum of squares of its own standard error and the printed +-; else it agrees.

The scale "slope" puts beside PReLU at depth 100 the same network with its slope held at 0.25. Fixed before
the run: after the epoch PReLU less that row, and that row less leaky ReLU 0.03, has a sign if t, 4 degrees of
freedom, is beyond the two-sided level 0.0027; else it is not decided.

The scales "epoch-cifar10", "limit-cifar10" and "table-cifar10" are the like parts of the protocol on
CIFAR-10: the four activations of Figure 4 at depth 100, and softplus and sigmoid by Glorot's rule, for one
epoch, three networks each; the wide limit of ReLU and ELU at that depth, rate and number of steps; and ReLU
and ELU at depth 300 for ten epochs, one network each. Fixed before they were run. Order: after the epoch the
six networks of ELU and tanh exceed the six of ReLU and leaky ReLU by Welch's t at the one-sided level
0.00135, and every one of them exceeds every one of these. Chance: softplus and sigmoid stay below 12%. Cause:
ELU less ReLU is larger at width 300 than in the wide limit by four standard errors. Table: each of the two
networks lies within three of the printed +- of the printed mean.

The scales "table-mnist-NAME" and "table-cifar10-NAME" are single rows at depth 300, ten epochs, one network:
those of Table 1 that the scales above leave out. Fixed before they were run, for each row: the network lies
within three of the printed +- of the printed mean; of softplus and sigmoid, it stays below 12%.
"""

import math
from dataclasses import replace
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.interpolate import CubicSpline
from scipy.linalg import solve_triangular

from ntk_helpers import activations, data, mean_field
from ntk_helpers.empirical import empirical_ntk
from ntk_helpers.experiments._runner import Experiment
from ntk_helpers.experiments.mnist_regression import CLASSES, unit_pixels
from ntk_helpers.kernels import depth_profile
from ntk_helpers.networks import Network, scan_layers
from ntk_helpers.training import cross_entropy, train

PRELU_START = 0.25
RELU_LIKE = {"relu": 0.0, "leaky_relu_0.01": 0.01, "leaky_relu_0.02": 0.02, "leaky_relu_0.03": 0.03}
RELU_LIKE |= {"prelu": PRELU_START}
#: Not in the paper: PReLU's slope, held at its start.
FIXED_SLOPE = "leaky_relu_0.25"
#: The rows of Table 1.
ACTIVATIONS = (*RELU_LIKE, "elu", "tanh", "softplus", "sigmoid")
PRINTED = {"elu": (1.227, 0.2), "tanh": (1.302, 0.2)}
PAPER_WIDTH = 300


class Start(NamedTuple):
    """An initialisation: standard deviations of weights and biases, and whether Glorot's rule rescales."""

    sigma_w: float
    sigma_b: float
    glorot: bool = False


def activation_function(name: str) -> activations.Activation:
    """The activation of a row of Table 1, or FIXED_SLOPE, at the start of training."""
    slopes = RELU_LIKE | {FIXED_SLOPE: PRELU_START}
    return activations.leaky_relu(slopes[name]) if name in slopes else activations.get(name)


def start(activation: str, rule: str) -> Start:
    """The standard deviations of an initialisation rule.

    Parameters
    ----------
    activation : a name.
    rule : "edge", the exact edge of chaos, at the printed sigma_b = 0.2 for ELU and tanh and at 0 for the
        others; "printed", the printed pair; "he"; "glorot".

    Raises
    ------
    ValueError
        For another rule, for a pair that is not printed, and where there is no edge of chaos.
    """
    if rule == "edge":
        sigma_b = PRINTED[activation][1] if activation in PRINTED else 0.0
        return Start(
            mean_field.edge_of_chaos(activation_function(activation), sigma_b=sigma_b).sigma_w, sigma_b
        )
    if rule == "printed" and activation in PRINTED:
        return Start(*PRINTED[activation])
    if rule == "he":
        return Start(math.sqrt(2.0), 0.0)
    if rule == "glorot":
        return Start(1.0, 0.0, glorot=True)
    raise ValueError(
        f"rule must be 'edge', 'he', 'glorot', or 'printed' for {', '.join(PRINTED)}; got {rule!r} for"
        f" {activation}"
    )


def network(activation: str, rule: str, *, inputs: int, width: int, depth: int) -> Network:
    """The network in the standard parameterisation; `depth` counts weight layers."""
    sigma_w, sigma_b, _ = start(activation, rule)
    return Network(
        widths=(inputs, *[width] * (depth - 1), CLASSES),
        activation=activation_function(activation),
        sigma_w=sigma_w,
        sigma_b=sigma_b,
        parameterization="standard",
    )


def initial(net: Network, rule: str, keys):
    """A stack of parameters, one network a key; Glorot's rule rescales each layer by its two widths."""
    params = jax.vmap(net.init)(keys)
    if rule != "glorot":
        return params
    return tuple(
        run._replace(weights=run.weights * math.sqrt(2 * n_in / (n_in + n_out)))
        for run, (_, n_out, n_in) in zip(params, net.runs, strict=True)
    )


def prelu_slopes(net: Network, networks: int):
    """One slope an activated layer, for a stack of networks: a tuple of (networks, k), like `net.runs`."""
    return tuple(jnp.full((networks, k), PRELU_START, "float32") for k, _, _ in net.runs[1:])


def prelu_apply(net: Network, params, x):
    """Outputs (n, o) of a network with trained slopes; params: (those of `net`, slopes of one network)."""
    (first, *later), slopes = params
    linear = replace(net, activation="linear")

    def step(y, layer_and_slope):
        layer, slope = layer_and_slope
        return linear.layer(layer, jnp.where(y > 0, y, slope * y)), None

    y = linear.first_layer(first, x)
    for run_and_slopes in zip(later, slopes, strict=True):
        y, _ = scan_layers(step, y, run_and_slopes)
    return y


def largest_eigenvalue(net: Network, params, x) -> float:
    """Largest eigenvalue of the tangent kernel (mean over outputs) over the number of inputs x (n, d)."""
    kernel = np.asarray(empirical_ntk(net, params, x), np.float64)
    return float(np.linalg.eigvalsh(kernel)[-1] / len(x))


# Infinite width


def wide_kernels(x, activation: str, rule: str, *, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """NNGP and NTK (n, n), float64, of the infinitely wide network, for inputs x (n, d) of mean square one.

    All inputs have one variance, so both kernels are functions of the correlation of the first layer alone:
    they are computed on a grid of angles and interpolated, which makes them cheap at every depth.
    """
    sigma_w, sigma_b, _ = start(activation, rule)
    x = np.asarray(x, np.float64)
    variance = sigma_b**2 + sigma_w**2
    cosines = (sigma_b**2 + sigma_w**2 * (x @ x.T) / x.shape[1]) / variance
    angles = np.arccos(np.clip(cosines, -1.0, 1.0))
    off = ~np.eye(len(x), dtype=bool)
    low, high = max(float(angles[off].min()), 1e-6), float(angles[off].max())
    grid = np.geomspace(0.999 * low, min(1.001 * high, math.pi), 60)
    function = {
        "activation": activation_function(activation),
        "sigma_w": sigma_w,
        "sigma_b": sigma_b,
        "q1": (variance, variance),
    }
    values = np.empty((2, len(grid) + 1))
    for k, c1 in enumerate([1.0, *np.cos(grid)]):
        profile = depth_profile([depth], c1=c1, **function)
        values[:, k] = profile.nngp[0], profile.ntk[0]
    kernels = []
    for equal, curve in zip(values[:, 0], values[:, 1:], strict=True):
        kernel = CubicSpline(np.log(grid), curve)(np.log(np.maximum(angles, grid[0])))
        np.fill_diagonal(kernel, equal)
        kernels.append(kernel)
    return tuple(kernels)


def standard_factor(activation: str, rule: str, *, width: int, depth: int) -> float:
    """What turns the NTK of the NTK parameterisation into that of the standard one, at the edge of chaos.

    A layer of the standard parameterisation adds n E[phi phi] + 1 where the other adds sigma_w^2 E[phi phi] +
    sigma_b^2. Both tend to the same constants for all pairs of inputs as the depth grows: with q the variance
    of the last layers the ratio is (n (q - sigma_b^2) / sigma_w^2 + 1) / q. The first layer, with d in place
    of n, and the first few after it are off by O(1 / depth).
    """
    sigma_w, sigma_b, _ = start(activation, rule)
    variance = sigma_b**2 + sigma_w**2
    q = depth_profile(
        [depth],
        activation=activation_function(activation),
        sigma_w=sigma_w,
        sigma_b=sigma_b,
        q1=(variance, variance),
    ).q[0, 0]
    return float((width * (q - sigma_b**2) / sigma_w**2 + 1) / q)


def wide_problem(kernels, labels, draws: int, key, *, factor: float):
    """Infinite width as a linear model that `train` can train: (net, stack of parameters, inputs).

    The tangent kernel of f(x) = f_0(x) + w . features(x) is factor * NTK if the features are the rows of a
    root of it, here Cholesky's. The first len(labels) inputs are the training set. Draws of f_0 from the NNGP
    stand beside the features, CLASSES columns a draw; each network of the stack picks its own.
    """
    nngp, ntk = kernels
    n = len(labels)
    root = np.linalg.cholesky(ntk[:n, :n])
    rest = solve_triangular(root, ntk[:n, n:], lower=True).T
    features = math.sqrt(factor) * np.concatenate([root, rest])
    noise = np.asarray(jax.random.normal(key, (len(ntk), draws * CLASSES)), np.float64)
    outputs = np.linalg.cholesky(nngp) @ noise
    x = np.concatenate([features, outputs], axis=1).astype(np.float32)

    def net(params, x):
        weights, pick = params
        beginning = x[:, n:].reshape(len(x), draws, CLASSES)
        return x[:, :n] @ weights + jnp.einsum("ndk,d->nk", beginning, jax.lax.stop_gradient(pick))

    params = jnp.zeros((draws, n, CLASSES), "float32"), jnp.eye(draws, dtype="float32")
    return net, params, x


# The experiment


def measured(apply, params, x, y, x_test, y_test, *, rate, steps, at, batch_size, key) -> dict:
    """Test accuracy and loss after the steps `at`, and training loss up to there: lists (networks, len(at)).

    The training loss is the mean over the batches since the step before; null where a network has diverged.
    """

    def score(params):
        outputs = apply(params, x_test)
        return {
            "test_accuracy": jnp.mean(jnp.argmax(outputs, axis=1) == y_test),
            "test_loss": cross_entropy(outputs, y_test),
        }

    trained = train(
        apply,
        params,
        x,
        y,
        learning_rate=rate,
        steps=steps,
        loss="cross_entropy",
        batch_size=batch_size,
        key=key,
        observe=score,
        at=at,
    )
    ends = np.cumsum(np.pad(trained.losses.astype(np.float64), ((0, 0), (1, 0))), axis=1)[:, at]
    spans = np.diff(np.asarray(at))
    curves = trained.observations | {"train_loss": np.diff(ends, axis=1) / spans}
    curves = {name: [[_json(v) for v in row] for row in rows] for name, rows in curves.items()}
    return curves | {"steps": list(at), "diverged": trained.diverged.tolist()}


def _json(value) -> float | None:
    """Five digits; None for what is not finite."""
    return float(f"{value:.5g}") if np.isfinite(value) else None


@cache
def images(name: str, tests: int):
    """x, y, x_test, y_test of a data set, float32 of mean square one; the first `tests` test images."""
    loaded = data.load(name)
    x, x_test = (unit_pixels(part).astype(np.float32) for part in (loaded.x_train, loaded.x_test[:tests]))
    return x, np.asarray(loaded.y_train), x_test, np.asarray(loaded.y_test[:tests])


def slices(settings: dict) -> list[dict]:
    """The cells of every group in turn: one slice, a stack of networks, for each depth, width and row."""
    return [
        {
            "data": group["data"],
            "depth": depth,
            "width": width,
            "activation": activation,
            "initialisation": rule,
            "rate": group["rate"],
            "networks": group["networks"],
            "steps": group["steps"],
        }
        for group in settings["groups"]
        for depth in group["depths"]
        for width in group["widths"]
        for activation, rule in group["rows"]
    ]


def run(settings: dict, piece: dict) -> dict:
    """Learning rates and curves of the networks of one cell; see `measured`."""
    x, y, x_test, y_test = images(piece["data"], settings["test_size"])
    depth, activation, rule = piece["depth"], piece["activation"], piece["initialisation"]
    seeds = settings["seeds"][: piece["networks"]]
    keys = jax.vmap(jax.random.key)(jnp.asarray(seeds))
    at = [0, *piece["steps"]]
    protocol = {"batch_size": settings["batch_size"], "steps": at[-1], "at": at}
    printed = settings["learning_rates"][str(depth)]
    if piece["width"] is None:
        n = settings["wide_train_size"]
        net, params, features = wide_problem(
            wide_kernels(np.concatenate([x[:n], x_test]), activation, rule, depth=depth),
            y[:n],
            len(seeds),
            keys[0],
            factor=standard_factor(activation, rule, width=PAPER_WIDTH, depth=depth),
        )
        curves = measured(
            net, params, features[:n], y[:n], features[n:], y_test, rate=printed, key=keys, **protocol
        )
        return {"learning_rate": [printed] * len(seeds)} | curves
    net = network(activation, rule, inputs=x.shape[1], width=piece["width"], depth=depth)
    params = initial(net, rule, keys)
    sample = x[: settings["kernel_size"]]
    top = [
        largest_eigenvalue(net, jax.tree.map(lambda leaf, k=k: leaf[k], params), sample)
        for k in range(len(seeds))
    ]
    rate = np.full(len(seeds), printed * PAPER_WIDTH / piece["width"])
    if piece["rate"] == "normalised":
        rate = settings["normalised_rate"] / np.asarray(top)
    apply = net.apply
    if activation == "prelu":
        params, apply = (params, prelu_slopes(net, len(seeds))), partial(prelu_apply, net)
    curves = measured(apply, params, x, y, x_test, y_test, rate=rate, key=keys, **protocol)
    return {
        "learning_rate": [_json(value) for value in rate],
        "largest_eigenvalue": [_json(value) for value in top],
    } | curves


EDGE = [["relu", "edge"], ["elu", "edge"], ["tanh", "edge"]]
FIGURE_4 = [*EDGE, ["leaky_relu_0.01", "edge"]]
GLOROT = [["softplus", "glorot"], ["sigmoid", "glorot"]]
#: An eighth, a quarter, a half and the whole of an epoch.
EPOCH = {"mnist": [117, 234, 468, 937], "cifar10": [97, 195, 390, 781]}


def _others(rule: str) -> list[list[str]]:
    """The rows of Table 1 besides EDGE: ReLU's relatives, printed pairs, and what `rule` starts."""
    relatives = [[name, "edge"] for name in RELU_LIKE if name != "relu"]
    printed = [[name, "printed"] for name in PRINTED]
    return [*relatives, *printed, ["softplus", rule], ["sigmoid", rule], ["sigmoid", "edge"]]


def _group(depths, widths, rows, networks, steps, *, images="mnist", rate="printed") -> dict:
    return {
        "data": images,
        "depths": depths,
        "widths": widths,
        "rows": rows,
        "networks": networks,
        "steps": steps,
        "rate": rate,
    }


def _paper(epochs: int) -> list[dict]:
    """All cells at so many epochs, scored after each; the deepest networks first."""
    return [
        _group(
            [depth],
            [PAPER_WIDTH],
            [*EDGE, *_others(rule)],
            3,
            [batches * (k + 1) for k in range(epochs)],
            images=images,
        )
        for depth in (300, 200, 100)
        for images, rule, batches in (("mnist", "he", 60_000 // 64), ("cifar10", "glorot", 50_000 // 64))
    ]


COMMON = {
    "batch_size": 64,
    # For width 300. Depth 50 is not in the paper: its rate continues 1e-3 at depth 100 like 1 / depth.
    "learning_rates": {"50": 2e-3, "100": 1e-3, "200": 1e-4, "300": 1e-4},
    "normalised_rate": 1.0,
    "kernel_size": 64,
    "wide_train_size": 4096,
    "test_size": 2_000,
    "seeds": list(range(6)),
}

#: Initialisations of the rows of Table 1 that no other scale has at depth 300.
LEFT_OUT = {
    "mnist": {name: "edge" for name in RELU_LIKE if name != "relu"} | {"softplus": "he", "sigmoid": "he"},
    "cifar10": {name: "edge" for name in ("tanh", *RELU_LIKE) if name != "relu"}
    | {"softplus": "glorot", "sigmoid": "glorot"},
}

EXPERIMENT = Experiment(
    summary="MNIST, CIFAR-10: accuracy of very deep plain networks, nine activations, on and off the edge",
    scales={
        "quick": COMMON | {"groups": [_group([50], [50], [*EDGE, ["sigmoid", "he"]], 3, [64, 128, 256])]},
        "cpu": COMMON
        | {
            "groups": [
                _group([50], [50], EDGE, 6, [32, 64, 128, 256]),
                _group([50], [None], EDGE[:2], 6, [32, 64, 128, 256]),
                _group([100], [None], EDGE[:2], 3, EPOCH["mnist"]),
                _group([300], [None], EDGE[:2], 3, [235, 469, 938, 1876, 4690, 9380]),
            ]
        },
        "epoch": COMMON
        | {
            "test_size": 10_000,
            "groups": [_group([100], [PAPER_WIDTH], [*EDGE, *_others("he")], 3, EPOCH["mnist"])],
        },
        "table": COMMON
        | {
            "test_size": 10_000,
            "groups": [_group([300], [PAPER_WIDTH], EDGE, 1, [937 * (k + 1) for k in range(10)])],
        },
        "table-relu": COMMON
        | {
            "test_size": 10_000,
            "groups": [_group([300], [PAPER_WIDTH], EDGE[:1], 2, [937 * (k + 1) for k in range(10)])],
            "seeds": [10, 11],
        },
        "slope": COMMON
        | {
            "test_size": 10_000,
            "groups": [_group([100], [PAPER_WIDTH], [[FIXED_SLOPE, "edge"]], 3, EPOCH["mnist"])],
        },
        "epoch-cifar10": COMMON
        | {
            "test_size": 10_000,
            "groups": [
                _group([100], [PAPER_WIDTH], [*FIGURE_4, *GLOROT], 3, EPOCH["cifar10"], images="cifar10")
            ],
        },
        "limit-cifar10": COMMON
        | {"groups": [_group([100], [None], EDGE[:2], 3, EPOCH["cifar10"], images="cifar10")]},
        "table-cifar10": COMMON
        | {
            "test_size": 10_000,
            "groups": [
                _group(
                    [300], [PAPER_WIDTH], EDGE[:2], 1, [781 * (k + 1) for k in range(10)], images="cifar10"
                )
            ],
        },
        **{
            f"table-{images}-{name}": COMMON
            | {
                "test_size": 10_000,
                "groups": [
                    _group(
                        [300],
                        [PAPER_WIDTH],
                        [[name, rule]],
                        1,
                        [EPOCH[images][-1] * (k + 1) for k in range(10)],
                        images=images,
                    )
                ],
            }
            for images, rows in LEFT_OUT.items()
            for name, rule in rows.items()
        },
        "paper": COMMON | {"test_size": 10_000, "groups": _paper(10) + _paper(100)},
    },
    slices=slices,
    run=run,
    data=("mnist", "cifar10"),
)
