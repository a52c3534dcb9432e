"""How far weights and tangent kernel move in training, against the width (chapter 4, Figure 2 of paper O).

Erf networks of three hidden layers, Gaussian and orthogonal weights, full-batch gradient descent on the first
images of MNIST. For every network and several numbers of steps: the relative Frobenius change of each weight
matrix, of the Jacobian and of the tangent kernel, and the change of each weight matrix that the kernel of
infinite width predicts from the outputs at the start.

Paper O does not publish how its Figure 2 was trained. The scale "paper" takes the protocol of Lee et al.
(2019), Figure 1: 128 images, learning rate 1, 2^15 steps; "cpu" has all widths and fewer steps.

Each width and seed has a key of its own, which the two ensembles share: the orthogonal matrix is the Q of the
Gaussian one. Differences between the ensembles are differences of pairs, not of independent networks.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from ntk_helpers import data, dynamics
from ntk_helpers.empirical import empirical_ntk
from ntk_helpers.experiments._runner import Experiment
from ntk_helpers.kernels import fcn_kernels
from ntk_helpers.networks import WEIGHTS, Network
from ntk_helpers.training import train

CLASSES = 10
#: Random vectors behind the norm of the Jacobian's change.
PROBES = 4


def layer_shares(x, *, depth: int, activation: str, sigma_w: float, sigma_b: float) -> np.ndarray:
    """The share of each weight matrix in the infinite-width NTK of a plain network: (depth, n, n).

    Layer l has Theta_w^l = sigma_w^2 E[phi phi] B^l with B^l = prod_{r > l} sigma_w^2 E[phi' phi'], the
    factors read off the recursion Theta^r = Sigma^r + sigma_w^2 E[phi' phi'] Theta^{r-1}. Biases have the
    rest, sigma_b^2 B^l. Raises ValueError as `fcn_kernels` does.
    """
    upto = [
        fcn_kernels(x, depth=l, activation=activation, sigma_w=sigma_w, sigma_b=sigma_b)
        for l in range(1, depth + 1)
    ]
    shares, back = [], np.ones_like(upto[0].ntk)
    for l in reversed(range(depth)):
        shares.append((upto[l].nngp - sigma_b**2) * back)
        if l > 0:
            back = back * (upto[l].ntk - upto[l].nngp) / upto[l - 1].ntk
    return np.stack(shares[::-1])


def predicted_changes(shares, ntk, residual, *, learning_rate: float, at) -> np.ndarray:
    """|W^l_k - W^l_0|_F after k steps of gradient descent as the width tends to infinity: (len(at), depth).

    W^l_k - W^l_0 = -sum_i a_i . df(x_i)/dW^l with a = (eta / N) sum_{j < k} residual_j, so its squared norm
    is a^T Theta_w^l a, summed over the outputs. shares: (depth, N, N); ntk: (N, N); residual: (N, o) at the
    start; at: numbers of steps. Raises ValueError as `dynamics.gradient_descent` does.
    """
    n = len(residual)
    # Points whose kernel rows are unit vectors move by exactly -a.
    kernel = np.concatenate([ntk, np.eye(n)])
    state = np.concatenate([residual, np.zeros_like(residual)])
    path = dynamics.gradient_descent(kernel, state, learning_rate=learning_rate, steps=max(at))
    pulls = path[np.asarray(at), n:]
    return np.sqrt(np.einsum("tio,lij,tjo->tl", pulls, shares, pulls, optimize=True))


def snapshot(net: Network, x, params) -> dict:
    """Parameters, outputs (n, o) and tangent kernel (n, n, o, o) of one network in training."""
    kernel = empirical_ntk(net, params, x, trace_outputs=False)
    return {"params": params, "outputs": net.apply(params, x), "ntk": kernel}


@partial(jax.jit, static_argnums=0)
def jacobian_change(net: Network, start, now, x):
    """|J_now - J_start|_F / |J_start|_F of the outputs at `x`, from E |J^T v|^2 = |J|_F^2 for random signs v.

    The error of the squared norm is of relative order (rank PROBES)^{-1/2}; all networks have the same v.
    """
    signs = jax.random.rademacher(jax.random.key(0), (PROBES, len(x), net.widths[-1]), x.dtype)

    _, pull_start = jax.vjp(lambda p: net.apply(p, x), start)
    _, pull_now = jax.vjp(lambda p: net.apply(p, x), now)

    def squares(v):
        (before,), (after,) = pull_start(v), pull_now(v)
        square = lambda tree: sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(tree))  # noqa: E731
        return square(jax.tree.map(jnp.subtract, after, before)), square(before)

    change, size = jax.lax.map(squares, signs)
    return jnp.sqrt(jnp.sum(change) / jnp.sum(size))


def relative(now, start) -> float:
    """|now - start|_F / |start|_F."""
    now, start = np.ravel(now).astype(np.float64), np.ravel(start).astype(np.float64)
    return float(np.linalg.norm(now - start) / np.linalg.norm(start))


def changes(net: Network, params, x, y, *, learning_rate: float, at) -> list[list[dict]]:
    """Train a stack of networks, and return for each network a row for each number of steps in `at`.

    The m networks of `params` are in float32, x is (n, d) and y (n, o). A row holds `steps`, `loss`, and the
    relative changes since the start: `weights` (one a matrix), `weights_predicted` (of `predicted_changes`,
    over |W_0|_F), `jacobian`, `ntk` (mean over the outputs, as `empirical_ntk` returns it) and `ntk_outputs`
    (all pairs of outputs). The rows of a network that diverged end where a number is not finite. Raises
    ValueError as `training.train` does.
    """
    at = sorted({0, *at})
    x, y = jnp.asarray(x, jnp.float32), jnp.asarray(y, jnp.float32)
    trained = train(
        net,
        params,
        x,
        y,
        learning_rate=learning_rate,
        steps=max(at),
        observe=partial(snapshot, net, x),
        at=at,
    )
    limit: dict = {
        "depth": net.depth,
        "activation": net.activation,
        "sigma_w": net.sigma_w,
        "sigma_b": net.sigma_b,
    }
    shares, ntk = layer_shares(x, **limit), fcn_kernels(x, **limit).ntk
    result = []
    for network in range(len(trained.taken)):
        seen = [_picked(trained.observations, network, k) for k in range(len(at))]
        start = seen[0]
        begin = [np.asarray(weights) for weights, _ in net.layers(start["params"])]
        sizes = [np.linalg.norm(weights) for weights in begin]
        residual = np.asarray(start["outputs"] - y, np.float64)
        moves = predicted_changes(shares, ntk, residual, learning_rate=learning_rate, at=at) / sizes
        rows = []
        for steps, now, predicted in zip(at, seen, moves, strict=True):
            if steps > trained.taken[network]:
                break
            ends = [np.asarray(weights) for weights, _ in net.layers(now["params"])]
            means = [np.einsum("ijkk->ij", each["ntk"]) for each in (now, start)]
            row = {
                "loss": np.sum((np.asarray(now["outputs"], np.float64) - y) ** 2) / (2 * len(x)),
                "weights": [relative(*pair) for pair in zip(ends, begin, strict=True)],
                "weights_predicted": list(predicted),
                "jacobian": jacobian_change(net, start["params"], now["params"], x),
                "ntk": relative(*means),
                "ntk_outputs": relative(now["ntk"], start["ntk"]),
            }
            if not all(np.isfinite(value) for value in jax.tree.leaves(row)):
                break
            rows.append({"steps": steps} | jax.tree.map(lambda value: float(f"{value:.5g}"), row))
        result.append(rows)
    return result


def _picked(stack, *index):
    return jax.tree.map(lambda leaf: leaf[index], stack)


def slices(settings: dict) -> list[dict]:
    """Both ensembles together, small networks in one stack, large ones one by one; the small widths first."""
    return [
        {"width": width, "seeds": settings["seeds"][first : min(count, first + stack)]}
        for width, count, stack in settings["networks"]
        for first in range(0, count, stack)
    ]


def keys_of(piece: dict) -> jax.Array:
    """A key for each seed, another one at each width.

    The two ensembles have the same keys: an orthogonal matrix is the Q of the Gaussian one.
    """
    return jnp.stack([jax.random.fold_in(jax.random.key(seed), piece["width"]) for seed in piece["seeds"]])


def run(settings: dict, piece: dict) -> dict:
    """For each ensemble the rows of the networks of one width, one list a seed."""
    images = data.load("mnist")
    n = settings["images"]
    x, labels = images.x_train[:n], np.asarray(images.y_train[:n])
    nets = [
        Network(
            widths=(x.shape[1], *[piece["width"]] * settings["hidden_layers"], CLASSES),
            activation=settings["activation"],
            sigma_w=settings["sigma_w"],
            sigma_b=settings["sigma_b"],
            weights=weights,
        )
        for weights in WEIGHTS
    ]
    keys = keys_of(piece)
    # They differ in the start alone, so that one program trains both.
    params = jax.tree.map(lambda *pair: jnp.concatenate(pair), *[jax.vmap(net.init)(keys) for net in nets])
    y = np.eye(CLASSES)[labels] - 1 / CLASSES
    rows = changes(nets[0], params, x, y, learning_rate=settings["learning_rate"], at=settings["steps"])
    return {weights: rows[e * len(keys) : (e + 1) * len(keys)] for e, weights in enumerate(WEIGHTS)}


def _scale(steps, networks) -> dict:
    """The settings of a scale, from pairs of a width and the number of networks of each ensemble."""
    return {
        "images": 128,
        "activation": "erf",
        "hidden_layers": 3,
        "sigma_w": 1.5,
        "sigma_b": 0.1,
        "learning_rate": 1.0,
        "steps": steps,
        "networks": [[width, count, max(1, min(count, 2048 // width))] for width, count in networks],
        "seeds": list(range(max(count for _, count in networks))),
    }


WIDTHS = [2**k for k in range(4, 13)]

EXPERIMENT = Experiment(
    summary="MNIST: change of weights and tangent kernel over training, against width, both ensembles",
    scales={
        "quick": _scale([1, 4, 16, 64], [[width, min(8, 2048 // width)] for width in WIDTHS[:6]]),
        "cpu": _scale(
            [1, 4, 16, 64],
            [*[[width, 10] for width in WIDTHS[:6]], [1024, 4], [2048, 3], [4096, 2]],
        ),
        "paper": _scale([4**k for k in range(8)] + [2**15], [[width, 10] for width in WIDTHS]),
    },
    slices=slices,
    run=run,
    data=("mnist",),
)
