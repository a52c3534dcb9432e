"""The plateau of Figure 4 of paper O at small learning rates, without training (chapter 16).

At small learning rates (steps to 25%) x (learning rate) is constant in the authors' runs: the time of
gradient flow. A wide network moves little until then, so that its time follows from its kernel and its
outputs at initialisation: df/dt = -(1/n) Theta (softmax(f) - y) in function space, with the tangent kernel
of all ten outputs in the standard parameterisation, for the first n images of CIFAR-10, softmax
cross-entropy. The answer is the first time at which more than 25% of these images are right. Laws, widths
and depths are those of `learning_speed`. Each network answers in several ways:

* "full": its own kernel and its own outputs.
* "mean": the mean of its kernel over the outputs, for each output; its own outputs.
* "zero": its own kernel, from outputs 0.
* "first 75", "first 150": as "full" with so many of the images.

What decides was fixed before the run, for g = log(mean time of Gaussian / mean time of orthogonal networks)
and its standard error e. Plateau: the kernels at initialisation explain the authors' gain at small rates if
g lies within three standard errors, ours and theirs, of the log of their ratio of means, on train and on
test, at their smallest shared rate; they fall short, or exceed, if it lies outside. One output: Corollary
16.1's 1 + 4L/3n for a single output falls short of the kernels if log(1 + 4L/3n) lies more than three e
below g, else it is not decided. Outputs: what the mean over the outputs takes away, and what the outputs at
the start do, is the difference of g between "full" and "mean", and "full" and "zero", network by network;
it has a sign beyond three standard errors. Images: so for g of "full" less that of "first 150". The times
themselves are not the authors': few images are learnt sooner than all.
"""

import jax
import numpy as np

from ntk_helpers.empirical import empirical_ntk
from ntk_helpers.experiments import learning_speed
from ntk_helpers.experiments._runner import Experiment
from ntk_helpers.networks import WEIGHTS

CLASSES = learning_speed.CLASSES


def flow_time(push, start, labels, *, step: float, accuracy: float, limit: int) -> float | None:
    """The time at which gradient flow of the mean cross-entropy exceeds `accuracy` on its n images.

    Parameters
    ----------
    push : (n, o) residuals -> (n, o), the kernel's product with them.
    start : (n, o) outputs at time 0.
    labels : (n,) integers.
    step : of Euler's method; the accuracy is linear in between.
    accuracy : to exceed, in [0, 1).
    limit : the number of steps at most.

    Returns
    -------
    float, or None where the steps do not suffice.
    """
    n, o = start.shape
    targets, outputs, before = np.eye(o, dtype=start.dtype)[labels], start, None
    for k in range(limit):
        now = np.mean(np.argmax(outputs, axis=1) == labels)
        if now > accuracy:
            return 0.0 if before is None else step * (k - 1 + (accuracy - before) / (now - before))
        before = now
        p = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        outputs = outputs - step / n * push(p / p.sum(axis=1, keepdims=True) - targets)
    return None


def largest(matrix, steps=30) -> float:
    """The largest eigenvalue of a positive semi-definite matrix, by the power method."""
    vector = np.random.default_rng(0).standard_normal(len(matrix)).astype(matrix.dtype)
    for _ in range(steps):
        vector = matrix @ vector
        size = np.linalg.norm(vector)
        vector /= size
    return float(size)


def spread(kernel) -> float:
    """|G - 1|^2 / o of the kernel's (o, o) sum over pairs of inputs, scaled to the trace o."""
    g = kernel.sum(axis=(0, 2), dtype=np.float64)
    g *= len(g) / np.trace(g)
    return float(np.sum((g - np.eye(len(g))) ** 2) / len(g))


def slices(settings: dict) -> list[dict]:
    """A slice for each network, both ensembles in turn."""
    return [
        {"depth": depth, "width": width, "weights": weights, "seed": seed}
        for depth, width, networks in settings["architectures"]
        for seed in settings["seeds"][:networks]
        for weights in WEIGHTS
    ]


def run(settings: dict, piece: dict) -> dict:
    """Times, in each way, of one network; and what its kernel is like."""
    n, cifar = settings["images"], learning_speed.images()
    x, labels = cifar.x_train[:n], np.asarray(cifar.y_train[:n])
    net = learning_speed.network(settings, piece)
    # Independent draws for the two ensembles.
    params = net.init(jax.random.fold_in(jax.random.key(piece["seed"]), WEIGHTS.index(piece["weights"])))
    start = np.asarray(net.apply(params, x))
    kernel = np.asarray(empirical_ntk(net, params, x, trace_outputs=False)).transpose(0, 2, 1, 3)
    mean = np.trace(kernel, axis1=1, axis2=3) / CLASSES
    tops = {m: largest(whole(kernel, m)) / m for m in (*settings["first"], n)}

    def time(push, outputs, m=n):
        rules = {"accuracy": settings["accuracy"], "limit": settings["limit"]}
        return flow_time(push, outputs[:m], labels[:m], step=settings["share"] / tops[m], **rules)

    def own(m):
        matrix = whole(kernel, m)
        return lambda residual: (matrix @ residual.ravel()).reshape(residual.shape)

    found = {
        "full": time(own(n), start),
        "mean": time(lambda residual: mean @ residual, start),
        "zero": time(own(n), 0 * start),
        **{f"first {m}": time(own(m), start, m) for m in settings["first"]},
        "kernel_max": largest(mean) / n,
        "all_outputs_max": tops[n],
        "spread": spread(kernel),
        "start": float(np.sqrt(np.mean(start**2))),
    }
    return {name: None if value is None else float(f"{value:.6g}") for name, value in found.items()}


def whole(kernel, m: int):
    """The kernel (n, o, n, o) of the first m inputs as a matrix (m o, m o)."""
    part = kernel[:m, :, :m]
    return np.ascontiguousarray(part).reshape(m * kernel.shape[1], -1)


KEPT = ("accuracy", "sigma_w_squared", "sigma_b_squared")
PROTOCOL = {name: learning_speed.PROTOCOL[name] for name in KEPT} | {
    "share": 0.5,
    "limit": 2000,
    "images": 300,
    "first": [75, 150],
}


def panel(depth: int, width: int, first_seed: int) -> dict:
    """Twenty networks of each ensemble of one architecture."""
    return PROTOCOL | {
        "architectures": [[depth, width, 20]],
        "seeds": list(range(first_seed, first_seed + 20)),
    }


EXPERIMENT = Experiment(
    summary="time of gradient flow to 25% on CIFAR-10 with kernels at initialisation, ten outputs",
    scales={
        "quick": PROTOCOL | {"architectures": [[10, 60, 1]], "seeds": [0], "images": 40, "first": [20]},
        "50x400": panel(50, 400, 100),
        "100x400": panel(100, 400, 120),
        "50x800": panel(50, 800, 140),
        "200x400": panel(200, 400, 160),
        "50x1600": panel(50, 1600, 180),
        "paper": PROTOCOL
        | {
            "architectures": [[50, 400, 20], [100, 400, 20], [200, 400, 20], [50, 800, 20], [50, 1600, 20]],
            "seeds": list(range(200, 220)),
            "images": 1000,
            "first": [250, 500],
        },
    },
    slices=slices,
    run=run,
    data=("cifar10",),
)
