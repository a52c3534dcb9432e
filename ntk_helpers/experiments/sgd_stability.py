"""The step at which SGD fails, beside the thresholds of the kernel at the start (chapter 18).

ReLU networks without biases in the NTK parameterisation, one output, squared error halved, labels 1 and -1,
batches drawn with replacement. Each network is trained at steps that are multiples of the exact threshold of
its own kernel at the start, each with a few orders of the batches; a run fails if the mean square residual at
the end is not below 0.9, where answering zero gives 1. `half` is the step at which half of the runs fail. The
same is done with the kernel frozen, with the same batches.

The scale "paper" has 48 fours and nines of MNIST, centred, mean squared pixel one: depths 2 and 6 of width
100, batches of 1, 4 and 16, 160 steps, eight networks of each ensemble with keys of their own, sixteen
multiples, four orders. The grid and the number of steps were chosen in a pilot with other seeds. Fixed
before the run:

* Grid: every run succeeds at the least step and fails at the largest.
* Frozen: in each of the six cases the mean logarithm of `half` of the frozen kernels over their exact
  thresholds is within 0.3 of zero.
* Batches: from S = 1 to 16 the logarithm of `half` of the networks grows by the amount that the exact
  threshold predicts more nearly than by that of descent, network by network, by four standard errors.
* Depth: at S = 16 the mean logarithm of `half` over the exact threshold is larger at six layers than at two,
  by three standard errors.
* Ensembles: in each case the two means of the logarithm of `half` over the exact threshold differ if Welch's
  t is beyond the two-sided level 0.0027; else it is not decided.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import brentq

from ntk_helpers import data
from ntk_helpers.dynamics import stability_threshold
from ntk_helpers.empirical import empirical_ntk
from ntk_helpers.experiments._runner import Experiment
from ntk_helpers.networks import WEIGHTS, Network

FAILED = 0.9


def mean_threshold(kernel, nu: float) -> float:
    """The step at which the mean of h, (18.1), reaches one: the criterion of the trace, with finite steps.

    Parameters
    ----------
    kernel : (N, N), positive semidefinite.
    nu : the variance factor of a batch, 1 / S with replacement.
    """
    lam = np.linalg.eigvalsh(kernel)
    n = len(lam)

    def mean(rate):
        return np.mean(nu * rate * lam / (2 - (1 - nu) * rate * lam / n))

    pole = 2 * n / lam[-1] / (1 - nu) if nu < 1 else np.inf
    return brentq(lambda rate: mean(rate) - 1, 1e-9 / lam[-1], min(pole * (1 - 1e-12), 3 / nu / lam.mean()))


@partial(jax.jit, static_argnums=0)
def trained(net, stack, rates, batches, x, y):
    """Mean square residual after SGD: (m, rates, orders).

    Parameters
    ----------
    net : a Network with one output.
    stack : parameters of m networks.
    rates : (m, rates).
    batches : (orders, steps, S), integers.
    x, y : inputs and labels (N,).
    """

    def run(params, rate, order):
        def step(params, batch):
            def loss(params):
                return jnp.mean((net.apply(params, x[batch])[:, 0] - y[batch]) ** 2) / 2

            return jax.tree.map(lambda p, g: p - rate * g, params, jax.grad(loss)(params)), None

        end = jax.lax.scan(step, params, order)[0]
        return jnp.mean((net.apply(end, x)[:, 0] - y) ** 2)

    orders = jax.vmap(run, (None, None, 0))
    return jax.vmap(jax.vmap(orders, (None, 0, None)), (0, 0, None))(stack, rates, batches)


def frozen(kernels, rates, batches, starts) -> np.ndarray:
    """The same for kernels (m, N, N) that do not move, from residuals `starts` (m, N)."""
    many, size = starts.shape[1], batches.shape[2]
    z = np.repeat(np.repeat(starts[:, None, None], rates.shape[1], 1), len(batches), 2)
    counts = np.sum(batches[..., None] == np.arange(many), axis=2)  # (orders, steps, N)
    for count in np.moveaxis(counts, 1, 0):
        z = z - rates[:, :, None, None] / size * np.einsum("mij,mroj->mroi", kernels, count * z)
        z = np.clip(z, -1e50, 1e50)  # far beyond recovery
    return np.mean(z**2, axis=-1)


def failed(ends) -> np.ndarray:
    """Shares (m, rates) of the orders whose run failed."""
    return np.mean(~(np.asarray(ends) < FAILED), axis=2)


def log_half(shares, multiples) -> np.ndarray:
    """Logarithm of the multiple at which half of the runs of a network fail, by Spearman and Karber: (m,).

    Parameters
    ----------
    shares : (m, rates), of the runs that failed: none at the first multiple, all at the last.
    multiples : (rates,), in equal steps of the logarithm.
    """
    return np.log(multiples[0]) + np.log(multiples[1] / multiples[0]) * (np.sum(1 - shares, axis=1) - 0.5)


def measured(net, stack, x, y, batches, multiples) -> dict[str, np.ndarray]:
    """Thresholds of the kernels of a stack at the start, and mean square residuals at the end.

    Returns
    -------
    exact, mean, descent : (m,), the three thresholds; network, frozen : (m, rates, orders), the residuals at
    the end for steps that are `multiples` of the exact threshold.
    """
    kernels = np.asarray(jax.lax.map(lambda params: empirical_ntk(net, params, x), stack))
    kernels = (kernels + np.swapaxes(kernels, 1, 2)) / 2
    starts = np.asarray(jax.vmap(net.apply, (0, None))(stack, x))[:, :, 0] - y
    size = batches.shape[2]
    exact = np.array([stability_threshold(kernel, batch_size=size) for kernel in kernels])
    rates = exact[:, None] * multiples
    return {
        "exact": exact,
        "mean": np.array([mean_threshold(kernel, 1 / size) for kernel in kernels]),
        "descent": 2 * len(x) / np.linalg.eigvalsh(kernels)[:, -1],
        "network": np.asarray(trained(net, stack, rates, batches, x, y)),
        "frozen": frozen(kernels, rates, batches, starts),
    }


# The experiment


def fours_and_nines(name: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first images of the two classes, centred, mean squared pixel one; labels -1 (four) and 1 (nine)."""
    loaded = data.load(name)
    chosen = np.isin(loaded.y_train, (4, 9))
    x = loaded.x_train[chosen].astype(np.float64)
    x = x - x.mean(axis=0)
    x = x / np.sqrt(np.mean(x**2))
    return x[:count], np.where(loaded.y_train[chosen][:count] == 9, 1.0, -1.0)


def slices(settings: dict) -> list[dict]:
    """One slice for each depth, batch size and ensemble."""
    return [
        {"depth": depth, "size": size, "weights": weights}
        for depth in settings["depths"]
        for size in settings["sizes"]
        for weights in WEIGHTS
    ]


def run(settings: dict, piece: dict) -> dict:
    """Thresholds of the networks and the shares of runs that failed: (m,), and (m, rates) for shares."""
    with jax.enable_x64(True):
        x, y = fours_and_nines(settings["data"], settings["images"])
        widths = (x.shape[1], *[settings["width"]] * (piece["depth"] - 1), 1)
        net = Network(widths, "relu", sigma_w=2**0.5, sigma_b=0.0, weights=piece["weights"])
        # networks of two ensembles, or of two depths, are independent; those of two batch sizes are the same
        which = 10 * piece["depth"] + WEIGHTS.index(piece["weights"])
        keys = jnp.stack([jax.random.fold_in(jax.random.key(seed), which) for seed in settings["seeds"]])
        stack = jax.vmap(partial(net.init, dtype="float64"))(keys)
        order = np.random.default_rng([settings["order"], piece["depth"], piece["size"]])
        batches = order.integers(len(x), size=(settings["orders"], settings["steps"], piece["size"]))
        found = measured(net, stack, x, y, batches, np.array(settings["multiples"]))
    residuals = {name: failed(found.pop(name)) for name in ("network", "frozen")}
    return {name: np.round(v, 4).tolist() for name, v in residuals.items()} | {
        name: [float(f"{v:.5g}") for v in values] for name, values in found.items()
    }


COMMON = {
    "data": "mnist",
    "images": 48,
    "width": 100,
    "depths": [2, 6],
    "sizes": [1, 4, 16],
    "steps": 160,
    "multiples": [float(f"{v:.4g}") for v in np.geomspace(0.4, 150.0, 16)],
    "orders": 4,
    "order": 1841,
}

EXPERIMENT = Experiment(
    summary="the step at which SGD fails beside the thresholds of the kernel, both ensembles, MNIST",
    scales={
        "quick": COMMON
        | {"data": "digits", "images": 12, "width": 16, "depths": [2], "sizes": [1, 4], "steps": 40}
        | {"seeds": [0, 1]},
        "pilot": COMMON | {"seeds": [90, 91]},
        "paper": COMMON | {"seeds": list(range(8))},
    },
    slices=slices,
    run=run,
    data=("mnist", "digits"),
)
