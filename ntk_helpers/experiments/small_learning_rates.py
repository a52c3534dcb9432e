"""Small learning rates, Gaussian against orthogonal weights (chapter 15; Figures 3 and 3s of paper O).

Figure 3: full-batch gradient descent on the first 256 images of CIFAR-10; Figure 3s: SGD on CIFAR-10 and
RMSProp on MNIST. Standard parameterisation, pixels in [0, 1], one-hot targets. The squared error of the paper
is the sum over outputs, not halved. A row of step k has training numbers before update k and test numbers
after it, as in the authors' files. The variance of the biases is 0.01 in (a, b) and 0.1 in (c, d): the
authors' losses before the first step select them. The scale "cpu" has 0.01 in both. The 3, 7, 5 and 9 layers
of the figures are taken as hidden ones, so that "layers", which counts weights, is one more: with 4 layers of
weights networks have the losses of the authors' files for (a, b), with 3 they do not.

The scale "cpu" is the protocol of (a, b), ten networks of each ensemble, and half the steps of (c, d), four
of each. What decides there was fixed before its results were looked at. Layers: the mean losses, train and
test, at the 11 rows to step 1,000, lie within 4.0 standard errors of the authors' with 4 layers of weights
(level 0.0027 shared out over 44 numbers), and not with 3. Gap of (a, b): the training loss of Gaussian
weights at step 1,000 is the higher one by three standard errors of ten pairs, and the difference agrees with
the authors' within three. Gap of (c, d): the mean over steps 1,000, 2,000, 5,000 of log(Gaussian /
orthogonal) training loss is positive at the one-sided level 0.01, four pairs, three degrees of freedom.

The scales "3s-ab" and "3s-cd" are the start of Figure 3s, four pairs each: a hundredth of the steps of (a, b)
and one in 120 of those of (c, d), seen on 2,000 images each of training and test. What decides was fixed
before they were run: the mean over the last three rows of log(Gaussian / orthogonal) training loss sets the
ensembles apart if it is beyond the two-sided level 0.01 of Student's t, four pairs; else they are alike up to
the interval of that level. The loss of "3s-cd" is squares of the outputs themselves; the authors', which
"paper" has, is squares of their softmax.

The scale "3ab" has twenty pairs of (a, b) beside the ten of "cpu", thirty together, as many as the authors
have. The criteria are those for (a, b) above: the gap at step 1,000 by three standard errors, and within
three of the authors'; all mean losses, train and test, at the 14 rows, within 4.0 standard errors of the
authors'.

The scale "3cd" is (c, d) as the authors ran it, by their code and files: 8 layers of weights, biases of
variance 0.1, and orthogonal networks that see 250 images of each set where Gaussian ones see 256. Orthogonal
networks with 256 images run beside them, so that the ensembles can be compared on equal data. Four seeds,
each with one key for its three networks, in stretches of steps: all networks are at one row before any goes
on. What decides was fixed before the run, for the last row R >= 1,000 that all twelve networks have reached.
Setting: all mean losses, train and test, at the rows to R, each ensemble with the number of images that the
authors gave it, lie within Student's t of the authors' (variances pooled over four and thirty networks, 32
degrees of freedom), at the level 0.0027 shared out over them; with biases of variance 0.01 (scale "cpu") they
do not. Gap: the mean over those of the rows 1,000, 2,000, 5,000, 10,000 that are <= R of log(Gaussian /
orthogonal) training loss, on 256 images for both, differs from zero if Student's t for four pairs is beyond
the two-sided level 0.01; else it is zero up to the interval of that level. The same mean on the authors'
numbers of images must agree with theirs within three standard errors of the two together. Images: log(250 /
256 images) training loss of orthogonal weights at these rows, paired, against the same in the wide limit.
"3cd-2000" and "3cd-half" are its first three and five stretches, to steps 2,000 and 5,000; it writes their
results on its way.

The scale "3cd-pairs" is eight new pairs of (c, d) to step 2,000, on 256 images for both ensembles. It was
added when the four pairs of "3cd" had reached step 5,000 and left the gap open (log ratio 3.7 %, interval of
level 0.01 +- 5.2 %). Fixed before it was run, for the new pairs alone: the mean over the rows 1,000 and 2,000
of log(Gaussian / orthogonal) training loss differs from zero if Student's t for eight pairs is beyond the
two-sided level 0.01; else it is zero up to the interval of that level.

The scale "3ab-250" is (a, b) to step 2,000 for ten orthogonal networks with 250 images of each set, as the
authors' files have them, and the keys of "cpu", where the same networks see 256. Fixed before the run: the
mean of log(256 / 250 images) loss over the pairs is taken off our mean losses of the thirty orthogonal
networks; the number of images explains what our networks have above the authors' from step 500 to 2,000 if
the z-scores of the training loss at 500, 1,000 and 2,000, errors of both and of the correction, come below
two thirds of what they were on average, and all those of train and test at the 12 rows stay within 4.0.

The scale "starts" has no networks: the mean and the standard deviation of the training loss before the first
step in the wide limit, for the variances that may have been meant, and for outputs as they are or through
softmax.

The scales "limits" and "3cd-own" train no networks either. "limits" has the wide limit of (a, b) at a tenth
of its rate, from the draws of the rate itself, and of (c, d) with 7, 8 and 9 layers of weights. Layers of
(c, d): the authors' mean losses, train and test, at the rows to step 10, where (a, b) is near its limit, lie
within three standard errors of the limit with 8 layers, and not with 7 or 9. "3cd-own" has the limit of
(c, d) from the outputs of each network of "3cd" and "3cd-pairs" at its start, the control variate of section
15.4: the mean over the rows of the gap of log(Gaussian / orthogonal) training loss, less the same of the
limits, stands beside the gap. It was added before the pairs were looked at, and decides nothing.

Weights "infinite" stand for the wide limit of both ensembles: gradient descent in function space with the
tangent kernel of the standard parameterisation, from outputs drawn with the NNGP.
"""

import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from ntk_helpers import data, dynamics
from ntk_helpers.experiments import _runner
from ntk_helpers.experiments._runner import Experiment
from ntk_helpers.experiments.lazy_training import layer_shares
from ntk_helpers.kernels import fcn_kernels
from ntk_helpers.networks import WEIGHTS, Network
from ntk_helpers.training import cross_entropy, train

CLASSES = 10
INFINITE = "infinite"


def summed_squares(outputs, targets):
    """(1/n) sum_i |f(x_i) - y_i|^2, the sum over outputs: twice the loss "squared" of `train`."""
    return jnp.sum((outputs - targets) ** 2) / len(outputs)


def softmax_squares(outputs, targets):
    """The same of the softmax of the outputs."""
    return summed_squares(jax.nn.softmax(outputs), targets)


def standard_ntk(x, *, widths, activation: str, sigma_w: float, sigma_b: float) -> np.ndarray:
    """Tangent kernel (n, n), to leading order in the widths, of the standard parameterisation.

    One learning rate moves the weights of layer l as if the NTK parameterisation gave them
    n_{l-1} / sigma_w^2 times that rate, and the biases 1 / sigma_b^2 times:
    Theta = sum_l (n_{l-1} / sigma_w^2) Theta_w^l + Theta_b / sigma_b^2.

    Parameters
    ----------
    x : (n, d) inputs.
    widths : (d, n_1, ..., n_L).
    activation, sigma_w, sigma_b : as in `fcn_kernels`, both sigmas positive.

    Raises
    ------
    ValueError
        As in `fcn_kernels`.
    """
    function: dict = {"activation": activation, "sigma_w": sigma_w, "sigma_b": sigma_b}
    shares = layer_shares(x, depth=len(widths) - 1, **function)
    whole = fcn_kernels(x, depth=len(widths) - 1, **function).ntk
    weights = np.tensordot(np.asarray(widths[:-1]) / sigma_w**2, shares, axes=1)
    return weights + (whole - shares.sum(axis=0)) / sigma_b**2


def network(settings: dict, weights: str, inputs: int) -> Network:
    """The network of a figure's settings, in the standard parameterisation."""
    return Network(
        widths=(inputs, *[settings["width"]] * (settings["layers"] - 1), CLASSES),
        activation=settings["activation"],
        sigma_w=settings["weight_variance"] ** 0.5,
        sigma_b=settings["bias_variance"] ** 0.5,
        weights=weights,
        parameterization="standard",
    )


def images(settings: dict):
    """x, labels, x_test, labels_test: the first images of the training and the test set, float32."""
    loaded = data.load(settings["data"])
    n, k = settings["train_size"], settings["test_size"]
    labels, test_labels = np.asarray(loaded.y_train[:n]), np.asarray(loaded.y_test[:k])
    return loaded.x_train[:n], labels, loaded.x_test[:k], test_labels


def at_start(settings: dict, weights: str, seeds, inputs: int):
    """The network of a figure's settings, its parameters for each seed, and the keys."""
    # The two ensembles have the same keys: an orthogonal matrix is the Q of the Gaussian one.
    keys = jnp.stack([jax.random.key(seed) for seed in seeds])
    net = network(settings, weights, inputs)
    return net, jax.lax.map(net.init, keys), keys


def within_span(net: Network, params, x, x_test):
    """Net, stack of parameters and inputs in coordinates of the span of all inputs: the same outputs always.

    The gradient of the first weights lies in the span of the training inputs. With an orthonormal basis Q
    (d, k) of the span of all inputs, W Q and x Q in place of W and x change no output before, in or after
    training; full batches of few images in many pixels take a fraction of the time. Standard
    parameterisation only, whose factors do not know the number of inputs.
    """
    basis = np.linalg.qr(np.concatenate([x, x_test]).T.astype(np.float64))[0]
    first = params[0]._replace(weights=params[0].weights @ basis)
    narrow = replace(net, widths=(basis.shape[1], *net.widths[1:]))
    return narrow, (first, *params[1:]), x @ basis, x_test @ basis


def observed_at(rows) -> list[int]:
    """The numbers of updates after which something must be seen: before and after the update of each row."""
    return sorted({k - 1 for k in rows} | set(rows))


def as_rows(rows, seen: dict) -> dict:
    """Curves at observed_at(rows), (m, len(at)), as lists (m, len(rows)): train before, test after update."""
    at = observed_at(rows)
    pick = {"train": [at.index(k - 1) for k in rows], "test": [at.index(k) for k in rows]}
    return {
        name: [
            [float(f"{v:.5g}") if np.isfinite(v) else None for v in row]
            for row in np.asarray(values)[:, pick[name.split("_")[0]]]
        ]
        for name, values in seen.items()
    }


def finite(settings: dict, weights: str, seeds, stretch=None) -> dict:
    """Accuracy and loss on train and test of one network a seed, at the rows of the settings.

    Parameters
    ----------
    settings, weights, seeds : of the experiment, the ensemble, and one for each network.
    stretch : None, or (first, last) where only the steps after `first` to `last`, and the rows among them,
        are wanted, of one seed. The parameters at `last` are kept for the next stretch; where those at
        `first` are not at hand, the steps to there are taken again.
    """
    x, labels, x_test, test_labels = images(settings)
    net, params, keys = at_start(settings, weights, seeds, x.shape[1])
    if len(x) + len(x_test) < x.shape[1]:
        net, params, x, x_test = within_span(net, params, x, x_test)
    squares = settings["loss"] != "cross_entropy"
    loss = {
        "squares": summed_squares,
        "squares of softmax": softmax_squares,
        "cross_entropy": cross_entropy,
    }[settings["loss"]]
    targets = (lambda y: np.eye(CLASSES, dtype=np.float32)[y]) if squares else (lambda y: y)
    shown = slice(None, settings["shown"])

    def scores(params):
        found = {}
        for name, inputs, y in (("train", x[shown], labels[shown]), ("test", x_test, test_labels)):
            outputs = net.apply(params, inputs)
            found[f"{name}_accuracy"] = jnp.mean(jnp.argmax(outputs, axis=1) == y)
            found[f"{name}_loss"] = loss(outputs, targets(y))
        return found

    optimizer = None
    if settings["optimizer"] == "rms":
        import optax

        optimizer = optax.scale_by_rms()

    def trained(params, first, rows, last):
        return train(
            net,
            params,
            x,
            targets(labels),
            learning_rate=settings["learning_rate"],
            steps=last - first,
            loss=loss if squares else "cross_entropy",
            batch_size=settings["batch_size"],
            key=keys,
            optimizer=optimizer,
            observe=scores if rows else None,
            at=[k - first for k in observed_at(rows)],
        )

    first, last = stretch or (0, max(settings["rows"]))
    rows = [k for k in settings["rows"] if first < k <= last]
    if first > 0:
        file = stretch_file(settings, weights, seeds, first)
        params = _runner.kept(file, params) or trained(params, 0, [], first).params
    end = trained(params, first, rows, last)
    if stretch is not None:
        _runner.keep(stretch_file(settings, weights, seeds, last), end.params)
    return as_rows(rows, end.observations) | {"diverged": end.diverged.tolist()}


def stretch_file(settings: dict, weights: str, seeds, step: int) -> Path:
    """The file for the parameters of a figure's networks after a step of full-batch gradient descent."""
    what = {name: value for name, value in settings.items() if name not in ("rows", "figure", "shown")}
    code = hashlib.sha256(json.dumps([what, weights, seeds, step], sort_keys=True).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / "ntk_helpers_stretches" / f"{code}.npz"


def predicted(settings: dict, seeds, weights: str = INFINITE) -> dict:
    """The same in the limit of infinite width, for full-batch gradient descent on squares, a draw a seed.

    The start of a draw has the law of the limit, or, with the weights of an ensemble, is that of its network
    of the seed. Also "stability": learning rate over the largest stable one, N / lambda_max for this loss.
    """
    x, labels, x_test, test_labels = images(settings)
    net, n = network(settings, WEIGHTS[0], x.shape[1]), len(x)
    function: dict = {"activation": net.activation, "sigma_w": net.sigma_w, "sigma_b": net.sigma_b}
    every = np.concatenate([x, x_test]).astype(np.float64)
    kernel = standard_ntk(every, widths=net.widths, **function)[:, :n]
    if weights == INFINITE:
        root = np.linalg.cholesky(fcn_kernels(every, depth=net.depth, **function).nngp)
        starts = np.stack(
            [root @ np.random.default_rng(seed).normal(size=(len(every), CLASSES)) for seed in seeds]
        )
    else:
        net, params, _ = at_start(settings, weights, seeds, x.shape[1])
        inputs = np.concatenate([x, x_test])
        starts = np.asarray(jax.lax.map(lambda one: net.apply(one, inputs), params), np.float64)
    y, y_test = np.eye(CLASSES)[labels], np.eye(CLASSES)[test_labels]
    target = np.concatenate([y, y_test])
    rate = 2 * settings["learning_rate"]
    curves = []
    for outputs in starts:
        path = dynamics.gradient_descent(
            kernel, outputs - target, learning_rate=rate, steps=observed_at(settings["rows"])
        )
        found = {}
        for name, part, y in (("train", path[:, :n], labels), ("test", path[:, n:], test_labels)):
            right = np.argmax(part + np.eye(CLASSES)[y], axis=2) == y
            found[f"{name}_accuracy"] = right.mean(axis=1)
            found[f"{name}_loss"] = np.sum(part**2, axis=2).mean(axis=1)
        curves.append(found)
    stacked = {name: np.stack([curve[name] for curve in curves]) for name in curves[0]}
    top = np.linalg.eigvalsh(kernel[:n])[-1]
    return as_rows(settings["rows"], stacked) | {"stability": float(f"{rate * top / (2 * n):.5g}")}


def first_loss(settings: dict) -> dict:
    """Mean and standard deviation over networks of the summed squares before the first step, wide limit.

    softmax: the mean where squares are taken after a softmax, by 2,000 draws for each image.
    """
    x, labels, _, _ = images(settings)
    sigmas = {"sigma_w": settings["weight_variance"] ** 0.5, "sigma_b": settings["bias_variance"] ** 0.5}
    x = np.asarray(x, np.float64)
    nngp = fcn_kernels(x, depth=settings["layers"], activation=settings["activation"], **sigmas).nngp
    same = np.equal.outer(labels, labels)
    found = {
        "mean": 1 + CLASSES * np.mean(np.diag(nngp)),
        "deviation": np.sqrt(2 * CLASSES * np.mean(nngp**2) + 4 * np.mean(nngp * same)),
    }
    draws = np.random.default_rng(0).standard_normal((2000, len(x), CLASSES))
    p = np.exp(draws * np.sqrt(np.diag(nngp))[:, None])
    p /= p.sum(axis=2, keepdims=True)
    found["softmax"] = np.mean(np.sum((p - np.eye(CLASSES)[labels]) ** 2, axis=2))
    return {name: float(f"{value:.5g}") for name, value in found.items()}


def slices(settings: dict) -> list[dict]:
    """Both ensembles, a stack of seeds at a time, figure by figure; the wide limit for full batches only."""
    if "ends" in settings:
        return stretches(settings)
    if settings.get("own_starts"):
        return [
            {"figure": figure["figure"], "weights": weights, "seeds": settings["seeds"]}
            for figure in settings["figures"]
            for weights in WEIGHTS
        ]
    if "variances" in settings:
        return [
            {"figure": figure["figure"], "weight_variance": w, "bias_variance": b}
            for figure in settings["figures"]
            for w, b in settings["variances"]
        ]
    pieces = []
    for figure in settings["figures"]:
        seeds, stack = settings["seeds"][: figure["networks"]], figure["stack"]
        if figure["batch_size"] is None:
            pieces.append({"figure": figure["figure"], "weights": INFINITE, "seeds": settings["seeds"]})
        pieces += [
            {"figure": figure["figure"], "weights": weights, "seeds": seeds[first : first + stack]}
            for first in range(0, len(seeds), stack)
            for weights in figure.get("ensembles", WEIGHTS)
        ]
    return pieces


def stretches(settings: dict) -> list[dict]:
    """The wide limits, and then all networks to the first end of a stretch, to the second, ..."""
    limits = [
        {"figure": figure["figure"], "weights": INFINITE, "seeds": settings["seeds"]}
        for figure in settings["figures"]
    ]
    return limits + [
        {"figure": figure["figure"], "weights": weights, "seeds": [seed], "stretch": [first, last]}
        for first, last in zip([0, *settings["ends"]], settings["ends"], strict=False)
        for seed in settings["seeds"]
        for figure in settings["figures"]
        for weights in figure["ensembles"]
    ]


def run(settings: dict, piece: dict) -> dict:
    """Curves of one slice: lists (networks, rows)."""
    (figure,) = [figure for figure in settings["figures"] if figure["figure"] == piece["figure"]]
    if "variances" in settings:
        return first_loss(figure | piece)
    if settings.get("own_starts"):
        return predicted(figure, piece["seeds"], piece["weights"])
    if piece["weights"] == INFINITE:
        # A formula costs the same for all rows: also for those that a reduced scale does not train to.
        rows = figure["rows"] if "ends" in settings else FULL_BATCH_ROWS
        return predicted(figure | {"rows": rows}, piece["seeds"])
    return finite(figure, piece["weights"], piece["seeds"], piece.get("stretch"))


ROWS = [k * 10**e for e in range(5) for k in (1, 2, 5)][:13]
#: The rows that the authors' numbers have: 1, 2, 3, 5, 10, 20, 50, ..., 10,000.
FULL_BATCH_ROWS = sorted({*ROWS, 3})
#: The rows of the authors' files of (c, d): these and 7, 30, 70, 300, 700, 3,000, 7,000.
ROWS_CD = sorted({*FULL_BATCH_ROWS, 7, 30, 70, 300, 700, 3000, 7000})
FULL_BATCH = {
    "data": "cifar10",
    "train_size": 256,
    "test_size": 256,
    "shown": 256,
    "loss": "squares",
    "optimizer": "none",
    "batch_size": None,
    "activation": "tanh",
    "weight_variance": 1.5,
    "bias_variance": 0.01,
}
FIGURES = [
    FULL_BATCH | {"figure": "3ab", "layers": 4, "width": 400, "learning_rate": 1e-3, "rows": FULL_BATCH_ROWS},
    FULL_BATCH
    | {
        "figure": "3cd",
        "layers": 8,
        "width": 800,
        "learning_rate": 1e-4,
        "bias_variance": 0.1,
        "rows": FULL_BATCH_ROWS,
    },
    {
        "figure": "3s-ab",
        "data": "cifar10",
        "train_size": 50_000,
        "test_size": 10_000,
        "shown": 10_000,
        "loss": "cross_entropy",
        "optimizer": "none",
        "batch_size": 1000,
        "activation": "tanh",
        "weight_variance": 2.0,
        "bias_variance": 0.1,
        "layers": 6,
        "width": 800,
        "learning_rate": 1e-3,
        "rows": [*ROWS, 20_000, 50_000, 100_000],
    },
    {
        "figure": "3s-cd",
        "data": "mnist",
        "train_size": 60_000,
        "test_size": 10_000,
        "shown": 10_000,
        "loss": "squares of softmax",
        "optimizer": "rms",
        "batch_size": 1000,
        "activation": "relu",
        "weight_variance": 2.0,
        "bias_variance": 0.1,
        "layers": 10,
        "width": 1600,
        "learning_rate": 1e-5,
        "rows": [*ROWS[:-1], 12_000],
    },
]


def _reduced(full: dict, *, networks: int, last: int, **changes) -> dict:
    rows = [k for k in full["rows"] if k <= last]
    return full | {"rows": rows, "networks": networks, "stack": networks} | changes


def _beginning(full: dict, *, last: int) -> dict:
    start = _reduced(full, networks=4, last=last, stack=1, shown=2000, test_size=2000)
    return {"seeds": list(range(10, 14)), "figures": [start]}


FULL_LENGTH_CD: dict = {
    "seeds": [40, 41, 42, 43],
    "ends": [300, 1000, 2000, 3000, 5000, 7000, 10_000],
    "figures": [
        FIGURES[1] | {"rows": ROWS_CD, "ensembles": list(WEIGHTS)},
        FIGURES[1]
        | {
            "figure": "3cd, 250 images",
            "train_size": 250,
            "test_size": 250,
            "shown": 250,
            "rows": ROWS_CD,
            "ensembles": ["orthogonal"],
        },
    ],
}

EXPERIMENT = Experiment(
    summary="Accuracy and loss at small learning rates, Gaussian and orthogonal weights, three optimisers",
    scales={
        "quick": {
            "seeds": list(range(3)),
            "figures": [
                _reduced(FIGURES[0], networks=3, last=20),
                _reduced(FIGURES[1], networks=1, last=2, width=100),
                *[
                    _reduced(
                        figure, networks=2, last=10, width=100, batch_size=100, train_size=2000, test_size=500
                    )
                    for figure in FIGURES[2:]
                ],
            ],
        },
        "cpu": {
            # The count of layers was found with the seeds before these.
            "seeds": list(range(10, 20)),
            "figures": [
                FIGURES[0] | {"networks": 10, "stack": 5},
                _reduced(FIGURES[0], networks=10, last=1000, figure="3ab, a layer fewer", layers=3),
                _reduced(FIGURES[1], networks=4, last=5000, stack=1, bias_variance=0.01),
            ],
        },
        "3ab": {"seeds": list(range(20, 40)), "figures": [FIGURES[0] | {"networks": 20, "stack": 10}]},
        "starts": {
            "seeds": [],
            "variances": [[w, b] for w in (1.05, 1.5, 2.0) for b in (0.01, 0.1)],
            "figures": [
                *FIGURES[:2],
                FIGURES[3] | {"train_size": 256, "test_size": 1},
            ],
        },
        "3ab-250": {
            "seeds": list(range(10, 20)),
            "figures": [
                _reduced(
                    FIGURES[0],
                    networks=10,
                    last=2000,
                    stack=5,
                    figure="3ab, 250 images",
                    train_size=250,
                    test_size=250,
                    shown=250,
                    ensembles=["orthogonal"],
                )
            ],
        },
        "3cd": FULL_LENGTH_CD,
        "3cd-half": FULL_LENGTH_CD | {"ends": FULL_LENGTH_CD["ends"][:5]},
        "3cd-2000": FULL_LENGTH_CD | {"ends": FULL_LENGTH_CD["ends"][:3]},
        "3cd-pairs": {
            "seeds": list(range(44, 52)),
            "ends": [1000, 2000],
            "figures": FULL_LENGTH_CD["figures"][:1],
        },
        "3cd-own": {
            "seeds": list(range(40, 52)),
            "own_starts": True,
            "figures": [FIGURES[1] | {"rows": ROWS_CD}],
        },
        "limits": {
            "seeds": list(range(10, 40)),
            "ends": [],
            "figures": [
                FIGURES[0] | {"figure": "3ab, a tenth of the rate", "learning_rate": 1e-4},
                *[
                    FIGURES[1]
                    | {
                        "figure": f"3cd, {layers} layers",
                        "layers": layers,
                        "rows": [k for k in ROWS_CD if k <= 1000],
                    }
                    for layers in (7, 8, 9)
                ],
            ],
        },
        "3s-ab": _beginning(FIGURES[2], last=1000),
        "3s-cd": _beginning(FIGURES[3] | {"loss": "squares"}, last=100),
        "paper": {
            "seeds": list(range(30)),
            "figures": [
                figure | {"networks": networks, "stack": stack}
                for figure, networks, stack in zip(FIGURES, (30, 30, 5, 5), (10, 5, 5, 5), strict=True)
            ],
        },
    },
    slices=slices,
    run=run,
    data=("cifar10", "mnist"),
    needs=("optax",),
    begun_by={"3cd": "3cd-half", "3cd-half": "3cd-2000"},
)
