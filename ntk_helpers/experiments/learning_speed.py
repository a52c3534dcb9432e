"""Steps to 25% accuracy on CIFAR-10 against the learning rate: Figure 4 of paper O (chapter 16).

Protocol, from the code and raw runs that Huang, Du and Xu publish with the paper: all 50,000 training images,
pixels in [0, 1], not centred, shuffled for each epoch; a fully connected tanh network in the standard
parameterisation with weights of variance 1.05 / fan_in, Gaussian or orthogonal, and Gaussian biases of
variance 2.01e-5 in both cases; softmax cross-entropy, plain SGD, batches of 1,000, at most 20 epochs (1,000
steps). The answer on train is the first step whose own batch, before its update, is more than 25% right; on
test, the first step after which more than 25% of the 10,000 test images are. The learning rates are
10^(-1 - i/10), 20 runs each.

With each network goes what sets the scale of its learning rates: the largest eigenvalue of its tangent kernel
at initialisation on some images, and that of the Gauss-Newton matrix of the loss on the same images.

The scale "cpu" is the protocol at 50 layers and width 400 with few learning rates and three runs each. What
decides there was fixed before its results were looked at. Agreement: each of the 12 means (learning rate,
weights, train or test) lies within Student's t of that of the authors' 20 runs, variances pooled, 21
degrees of freedom, at the level 0.0027 shared out over the 12. Speed: the mean of log(Gaussian /
orthogonal) steps over the learning rates and over train and test is positive at the one-sided level
0.00135, variances pooled over the six ensembles, 12 degrees of freedom.

The scales "100x400" and "50x800" are other panels of the figure at the same learning rates, with seeds of
their own. The authors' numbers for them are not at hand. What decides was fixed before any of them was run;
no answer in all steps counts as that many. Speed: as above, for each panel. Depth, width: the mean log ratio
of speed at 100 layers less that at 50, and that at width 400 less that at width 800, has a sign if Student's
t for it is beyond the two-sided level 0.0027, variances pooled over the twelve ensembles, 24 degrees of
freedom; else it is not decided. Rate: so for the log ratio at the learning rate 0.04 less that at 0.0063,
within a panel, 12 degrees of freedom.

The scales "200x400" and "50x1600" are a part of the last two panels: the learning rate 0.0063 alone, the
smallest of the three, because at 0.016 a Gaussian network of 200 layers has no answer in a quarter of an hour
of one core. Fixed before each run: speed as above, for two ensembles, 4 degrees of freedom; depth: the log
ratio at 200 layers less that at 100, and that at 100 less that at 50, width: that at width 400 less that at
width 1600, all at this rate, has a sign as above, variances pooled over the four ensembles of a difference, 8
degrees of freedom.
"""

import functools
import math

import jax
import jax.numpy as jnp

from ntk_helpers import data
from ntk_helpers.empirical import empirical_ntk
from ntk_helpers.experiments._runner import Experiment
from ntk_helpers.networks import WEIGHTS, Network
from ntk_helpers.training import steps_to_accuracy

CLASSES = 10


def rate(i: int) -> float:
    """The learning rates of the protocol."""
    return 10 ** (-1 - i / 10)


def network(settings: dict, piece: dict) -> Network:
    """The network of one slice, for images of CIFAR-10."""
    return Network(
        (3072, *[piece["width"]] * (piece["depth"] - 1), CLASSES),
        "tanh",
        sigma_w=math.sqrt(settings["sigma_w_squared"]),
        sigma_b=math.sqrt(settings["sigma_b_squared"]),
        weights=piece["weights"],
        parameterization="standard",
    )


@functools.partial(jax.jit, static_argnums=0)
def curvature(net: Network, params, x) -> tuple[jax.Array, jax.Array]:
    """Largest eigenvalues, for one network on n inputs: of the kernel, and of the loss.

    Returns lambda_max / n of the tangent kernel (mean over outputs), and the largest eigenvalue of the
    Gauss-Newton matrix of the mean cross-entropy, (1/n) sum_i J_i^T (diag(p_i) - p_i p_i^T) J_i. Its non-zero
    eigenvalues are those of R^T Theta R / n with R R^T = diag(p) - p p^T for each input; R = diag(sqrt p) -
    p sqrt(p)^T will do.
    """
    n = len(x)
    kernel = empirical_ntk(net, params, x, trace_outputs=False)
    p = jax.nn.softmax(net.apply(params, x))
    root = jnp.sqrt(p)[:, :, None] * jnp.eye(p.shape[1]) - p[:, :, None] * jnp.sqrt(p)[:, None, :]
    whole = jnp.einsum("ika,ijkl,jlb->iajb", root, kernel, root).reshape(n * p.shape[1], -1)
    traced = jnp.trace(kernel, axis1=2, axis2=3) / p.shape[1]
    return jnp.linalg.eigvalsh(traced)[-1] / n, jnp.linalg.eigvalsh(whole)[-1] / n


@functools.cache
def images() -> data.Dataset:
    """CIFAR-10, read once for all slices."""
    return data.load("cifar10")


def slices(settings: dict) -> list[dict]:
    """A slice for each architecture, learning rate, ensemble and handful of seeds."""
    seeds, stack = settings["seeds"], settings["stack"]
    return [
        {"depth": depth, "width": width, "i": i, "weights": weights, "seeds": seeds[start : start + stack]}
        for depth, width in settings["architectures"]
        for i in settings["i"]
        for start in range(0, len(seeds), stack)
        for weights in WEIGHTS
    ]


def run(settings: dict, piece: dict) -> dict:
    """Steps to the accuracy, train and test, of the networks of one slice; None where it was not reached."""
    cifar, net = images(), network(settings, piece)
    # Independent draws for each learning rate and ensemble: the points of a curve are independent.
    point = 2 * (piece["i"] + 100) + WEIGHTS.index(piece["weights"])
    keys = [jax.random.split(jax.random.fold_in(jax.random.key(seed), point)) for seed in piece["seeds"]]
    networks = [net.init(start) for start, _ in keys]
    looked_at = cifar.x_train[: settings["kernel_images"]]
    curvatures = [curvature(net, params, looked_at) for params in networks]
    answer = steps_to_accuracy(
        net,
        jax.tree.map(lambda *leaves: jnp.stack(leaves), *networks),
        cifar.x_train,
        cifar.y_train,
        cifar.x_test,
        cifar.y_test,
        accuracy=settings["accuracy"],
        learning_rate=rate(piece["i"]),
        steps=settings["steps"],
        batch_size=settings["batch_size"],
        key=jnp.stack([order for _, order in keys]),
    )
    return {
        "learning_rate": rate(piece["i"]),
        "train": [int(step) or None for step in answer.train],
        "test": [int(step) or None for step in answer.test],
        "taken": answer.taken.tolist(),
        "diverged": answer.diverged.tolist(),
        "kernel_max": [float(f"{largest:.5g}") for largest, _ in curvatures],
        "loss_max": [float(f"{largest:.5g}") for _, largest in curvatures],
    }


PROTOCOL = {
    "accuracy": 0.25,
    "batch_size": 1000,
    "steps": 1000,
    "sigma_w_squared": 1.05,
    "sigma_b_squared": 2.01e-5,
    "kernel_images": 100,
}
COARSE = PROTOCOL | {"i": [8, 12, 4], "stack": 1}

EXPERIMENT = Experiment(
    summary="steps to 25% accuracy on CIFAR-10 against the learning rate, Gaussian and orthogonal weights",
    scales={
        "quick": PROTOCOL
        | {"architectures": [[20, 100]], "i": [4, 8, 12], "seeds": [0, 1], "stack": 2, "kernel_images": 30},
        "cpu": COARSE | {"architectures": [[50, 400]], "seeds": [0, 1, 2]},
        "100x400": COARSE | {"architectures": [[100, 400]], "seeds": [10, 11, 12]},
        "200x400": COARSE | {"architectures": [[200, 400]], "i": [12], "seeds": [20, 21, 22]},
        "50x1600": COARSE | {"architectures": [[50, 1600]], "i": [12], "seeds": [40, 41, 42]},
        "50x800": COARSE | {"architectures": [[50, 800]], "seeds": [30, 31, 32]},
        "paper": PROTOCOL
        | {
            "architectures": [[50, 400], [50, 800], [50, 1600], [100, 400], [200, 400]],
            "i": list(range(-2, 30)),
            "seeds": list(range(20)),
            "stack": 20,
        },
    },
    slices=slices,
    run=run,
    data=("cifar10",),
)
