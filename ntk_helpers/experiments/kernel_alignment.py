"""What the tangent kernel at the start knows of the classes: finite against infinite width (chapter 14).

From equal probabilities 1/10 one full-batch step of gradient descent with cross-entropy moves the outputs
for an image x by (eta / N) sum_j Theta(x, x_j) (y_j - 1/10). The alignment of a kernel is the correlation
of these movements with the labels, over test images and classes, both less their means over the images: a
learning rate, a factor, and a constant added to the kernel change nothing. Noise that is added to the
kernel and knows nothing of the labels brings an alignment a down to a / sqrt(1 + nu^2), with nu its size
over the signal's.

MNIST, mean squared pixel one; plain networks on the edge of chaos in the standard parameterisation, at a
depth and widths of paper S. The limit has the kernel of the NTK parameterisation: at this depth both have
one alignment. A first look had the digits, 8 and 12 networks of other seeds, and widths of 300 only. What
decides was fixed before the scale "paper" was run, 32 networks a row with one key for all activations of a
width. Slope: leaky ReLU 0.25 is more aligned than 0.03, and ELU more than leaky ReLU 0.25, if Student's t
of the pairs, 31 degrees of freedom, is beyond the one-sided level 0.00135. Width: ReLU at width 600 is more
aligned than at width 300, if Welch's t is beyond that level.

The scale "noise" measures nu without labels of the test images and without the limit. If u_i are the
movements of network i, scaled to length one, and the noises of networks are independent, the mean of
u_i . u_j over pairs is 1 / (1 + nu^2). It has 48 networks a row with seeds of their own. Fixed before it
was run, with jackknife errors: Inferred: nu agrees with that which the alignments of the scale "paper"
imply, within three errors of the difference, in each row. Limit: the mean of u_i . u, u the movements of
the limit, is 1 / sqrt(1 + nu^2) within three errors. Order: nu of slope 0.25 exceeds that of ELU, and that
of ReLU exceeds that of slope 0.25, by two errors each, and that of ReLU exceeds that of ELU by four. A row
that fails Inferred or Limit refutes the hypotheses of the proposition at this size.
"""

import jax
import numpy as np

from ntk_helpers.empirical import empirical_ntk
from ntk_helpers.experiments._runner import Experiment
from ntk_helpers.experiments.depth_and_trainability import FIXED_SLOPE, images, network, wide_kernels
from ntk_helpers.experiments.mnist_regression import CLASSES


def movements(kernel, labels) -> np.ndarray:
    """Movements (k, CLASSES) of the test outputs in one step, up to a factor, less their means over images.

    Parameters
    ----------
    kernel : (k, n), between test and training images.
    labels : (n,) integers, of the training images.
    """
    moved = np.asarray(kernel, np.float64) @ (np.eye(CLASSES)[labels] - 1 / CLASSES)
    return moved - moved.mean(axis=0)


def alignment(kernel, labels, labels_test) -> float:
    """Correlation of the movements in one step with the labels of the test images.

    Parameters
    ----------
    kernel : (k, n), between test and training images.
    labels, labels_test : (n,) and (k,) integers.
    """
    moved = movements(kernel, labels)
    wanted = np.eye(CLASSES)[labels_test]
    wanted = wanted - wanted.mean(axis=0)
    return float(np.sum(moved * wanted) / np.sqrt(np.sum(moved**2) * np.sum(wanted**2)))


def inner_products(kernels, limit, labels) -> dict:
    """Inner products of the movements of several networks and of the limit, each scaled to length one.

    Parameters
    ----------
    kernels : (m, k, n), between test and training images, one a network.
    limit : (k, n), of infinite width.
    labels : (n,) integers, of the training images.

    Returns
    -------
    pairs : the m (m - 1) / 2 products of two different networks, row by row; limit : those with the limit.
    """
    u = np.stack([movements(kernel, labels).ravel() for kernel in (*kernels, limit)])
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    products = u @ u.T
    pairs = products[:-1, :-1][np.triu_indices(len(kernels), 1)]
    return {
        name: [float(f"{v:.4g}") for v in row]
        for name, row in (("pairs", pairs), ("limit", products[-1, :-1]))
    }


def slices(settings: dict) -> list[dict]:
    """One slice for each activation and width."""
    return [{"activation": name, "width": width} for name, width in settings["rows"]]


def run(settings: dict, piece: dict) -> dict:
    """Alignments of the networks of one row and of their limit of infinite width, or inner products."""
    n, depth, name = settings["images"], settings["depth"], piece["activation"]
    x, y, x_test, y_test = images("mnist", n)
    x, y = x[:n], y[:n]
    net = network(name, "edge", inputs=x.shape[1], width=piece["width"], depth=depth)
    kernel = jax.jit(lambda key, x_test, x: empirical_ntk(net, net.init(key), x_test, x))
    keys = [jax.random.fold_in(jax.random.key(seed), piece["width"]) for seed in settings["seeds"]]
    _, limit = wide_kernels(np.concatenate([x, x_test]), name, "edge", depth=depth)
    limit = limit[n:, :n]
    if settings.get("measure") == "noise":
        return inner_products([kernel(key, x_test, x) for key in keys], limit, y)
    return {
        "alignment": [float(f"{alignment(kernel(key, x_test, x), y, y_test):.5g}") for key in keys],
        "limit": float(f"{alignment(limit, y, y_test):.5g}"),
    }


ROWS = ("relu", "leaky_relu_0.03", FIXED_SLOPE, "elu", "tanh")

EXPERIMENT = Experiment(
    summary="MNIST: what the tangent kernel at the start knows of the classes, at finite and infinite width",
    scales={
        "quick": {
            "images": 64,
            "depth": 20,
            "rows": [[name, 50] for name in ROWS],
            "seeds": list(range(4)),
        },
        "paper": {
            "images": 256,
            "depth": 100,
            "rows": [*[[name, 300] for name in ROWS], ["relu", 600]],
            "seeds": list(range(100, 132)),
        },
        "noise": {
            "images": 256,
            "depth": 100,
            "rows": [[name, 300] for name in ("relu", FIXED_SLOPE, "elu")],
            "seeds": list(range(200, 248)),
            "measure": "noise",
        },
    },
    slices=slices,
    run=run,
    data=("mnist",),
)
