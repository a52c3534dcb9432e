"""Large learning rates along training: the loss and its largest curvature, both ensembles (chapter 16).

Full-batch gradient descent on 32 images of scikit-learn's digits, squared error, nearly linear tanh
networks (1.05, 2.01e-5) in the standard parameterisation. kappa is the largest eigenvalue of the loss's
Gauss-Newton matrix, that of the tangent kernel over all outputs divided by 32. Each network has the
learning rate eta that gives it a mark eta kappa at the start; the loss, divided by that at the start, and
eta kappa are recorded along the way.

* "catapult": 20 layers of width 32, marks 1 to 8, 60 steps, ten networks a mark and ensemble.
* "sharpening": the same networks from marks 0.5 and 1, 1,000 steps, four networks.

What decides was fixed before the run, after a pilot of four and two other seeds. Catapult: from marks 3.5,
5 and 8 the networks that do not diverge come down: eta kappa, mean over the last ten steps, is below 3 and
below the start in at least nine of ten, in either ensemble; and the loss rises above its start in a larger
share of networks at mark 8 than at mark 1, by Fisher's exact test at the level 0.00135, both ensembles
together. No wall: more than half of the networks of either ensemble at mark 5 end with a loss below that at
the start (exact binomial test at the level 0.00135 for both together). Sharpening, where it stops: from
mark 1, eta kappa exceeds 1.8 in all four orthogonal networks, and the mean over its last 200 steps lies in
[1.8, 2.2] in each; from mark 0.5 it rises by at least a half in each within the 1,000 steps. The pilot had
orthogonal networks only; Gaussian ones are held to the same rules and reported beside.
"""

import jax
import jax.numpy as jnp
import numpy as np

from ntk_helpers import data
from ntk_helpers.empirical import empirical_ntk
from ntk_helpers.experiments._runner import Experiment
from ntk_helpers.networks import WEIGHTS, Network
from ntk_helpers.training import train

IMAGES, CLASSES = 32, 10


def images(dtype: str = "float32"):
    """Inputs and one-hot targets."""
    digits = data.load("digits")
    x = np.asarray(digits.x_train[:IMAGES], dtype)
    return x, np.eye(CLASSES, dtype=dtype)[digits.y_train[:IMAGES]]


def curvature(net: Network, params, x) -> jax.Array:
    """The largest eigenvalue of the kernel over all outputs, divided by the number of inputs."""
    kernel = empirical_ntk(net, params, x, trace_outputs=False).transpose(0, 2, 1, 3)
    kernel = kernel.reshape(len(x) * CLASSES, -1)
    vector = jnp.ones(len(kernel), kernel.dtype).at[::3].add(0.5)

    def power(vector, _):
        vector = kernel @ vector
        return vector / jnp.linalg.norm(vector), None

    vector, _ = jax.lax.scan(power, vector, None, length=60)
    return vector @ (kernel @ vector) / len(x)


def slices(settings: dict) -> list[dict]:
    """A slice for each part and ensemble."""
    return [{"part": part["part"], "weights": weights} for part in settings["parts"] for weights in WEIGHTS]


def run(settings: dict, piece: dict) -> dict:
    """Relative losses and eta kappa, (marks, networks, times); None where a number is not finite."""
    (part,) = [part for part in settings["parts"] if part["part"] == piece["part"]]
    x, y = images()
    shape = (x.shape[1], *[part["width"]] * (part["depth"] - 1), CLASSES)
    net = Network(
        shape,
        "tanh",
        sigma_w=part["sigma_w_squared"] ** 0.5,
        sigma_b=part["sigma_b_squared"] ** 0.5,
        weights=piece["weights"],
        parameterization="standard",
    )
    marks, seeds, steps = part["marks"], settings["seeds"][: part["networks"]], part["steps"]
    # Networks of two ensembles, or of two marks, are independent.
    keys = [
        jax.random.fold_in(jax.random.key(seed), 2 * j + WEIGHTS.index(piece["weights"]))
        for j in range(len(marks))
        for seed in seeds
    ]
    params = jax.lax.map(net.init, jnp.stack(keys))
    tops = np.asarray(jax.lax.map(lambda one: curvature(net, one, x), params))
    rates = np.repeat(marks, len(seeds)) / tops

    def observed(one):
        return jnp.sum((net.apply(one, x) - y) ** 2), curvature(net, one, x)

    loss, kappa = train(
        net,
        params,
        x,
        y,
        learning_rate=rates,
        steps=steps,
        observe=observed,
        at=range(0, steps + 1, part["every"]),
    ).observations
    found = {"loss": loss / loss[:, :1], "mark": rates[:, None] * kappa}
    return {
        name: [
            [[float(f"{v:.4g}") if np.isfinite(v) else None for v in row] for row in block]
            for block in values.reshape(len(marks), len(seeds), -1)
        ]
        for name, values in found.items()
    }


NEAR_LINEAR = {"sigma_w_squared": 1.05, "sigma_b_squared": 2.01e-5}
PARTS = [
    NEAR_LINEAR
    | {"part": "catapult", "depth": 20, "width": 32, "marks": [1, 1.9, 2.5, 3.5, 5, 8]}
    | {"networks": 10, "steps": 60, "every": 2},
    NEAR_LINEAR
    | {"part": "sharpening", "depth": 20, "width": 32, "marks": [0.5, 1]}
    | {"networks": 4, "steps": 1000, "every": 20},
]

EXPERIMENT = Experiment(
    summary="loss and largest curvature along training at large learning rates, both ensembles, digits",
    scales={
        "quick": {"seeds": [0], "parts": [PARTS[0] | {"depth": 4, "width": 12, "networks": 1, "steps": 4}]},
        "paper": {"seeds": list(range(6000, 6010)), "parts": PARTS},
    },
    slices=slices,
    run=run,
    data=("digits",),
)
