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
"""

import jax
import numpy as np

from ntk_helpers.empirical import empirical_ntk
from ntk_helpers.experiments._runner import Experiment
from ntk_helpers.experiments.depth_and_trainability import FIXED_SLOPE, images, network, wide_kernels
from ntk_helpers.experiments.mnist_regression import CLASSES


def alignment(kernel, labels, labels_test) -> float:
    """Correlation of the movements in one step with the labels of the test images.

    Parameters
    ----------
    kernel : (k, n), between test and training images.
    labels, labels_test : (n,) and (k,) integers.
    """
    target, wanted = (np.eye(CLASSES)[y] - 1 / CLASSES for y in (labels, labels_test))
    moved = np.asarray(kernel, np.float64) @ target
    moved, wanted = moved - moved.mean(axis=0), wanted - wanted.mean(axis=0)
    return float(np.sum(moved * wanted) / np.sqrt(np.sum(moved**2) * np.sum(wanted**2)))


def slices(settings: dict) -> list[dict]:
    """One slice for each activation and width."""
    return [{"activation": name, "width": width} for name, width in settings["rows"]]


def run(settings: dict, piece: dict) -> dict:
    """Alignments of the networks of one row, and that of their limit of infinite width."""
    n, depth, name = settings["images"], settings["depth"], piece["activation"]
    x, y, x_test, y_test = images("mnist", n)
    x, y = x[:n], y[:n]
    net = network(name, "edge", inputs=x.shape[1], width=piece["width"], depth=depth)
    kernel = jax.jit(lambda key, x_test, x: empirical_ntk(net, net.init(key), x_test, x))
    keys = [jax.random.fold_in(jax.random.key(seed), piece["width"]) for seed in settings["seeds"]]
    _, limit = wide_kernels(np.concatenate([x, x_test]), name, "edge", depth=depth)
    return {
        "alignment": [float(f"{alignment(kernel(key, x_test, x), y, y_test):.5g}") for key in keys],
        "limit": float(f"{alignment(limit[n:, :n], y, y_test):.5g}"),
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
    },
    slices=slices,
    run=run,
    data=("mnist",),
)
