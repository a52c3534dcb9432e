"""Steps to 25% accuracy on the digits: Figure 4 of paper O in small (chapter 16).

Tanh networks of width 32, Gaussian and orthogonal, in the standard parameterisation on scikit-learn's
digits; softmax cross-entropy, plain SGD, batches of 100, at most 300 steps. The answer on train is the
first step whose own batch, before its update, is more than 25% right; on test, the first step after which
more than 25% of the first 100 test images are. With each network goes its mark: the learning rate times the
largest eigenvalue of the loss's Gauss-Newton matrix at the start, on 20 images.

The settings were chosen with networks of other seeds. What decides was fixed before any of the scale
"paper" were drawn. A first draw of 20 seeds did not decide depth and rate (0.4 +- 0.3 and 0.8 +- 0.3); the
one here, of 100 seeds that were not in it, stands alone and is the last. Let g be the mean over train and
test, and over learning rates, of log(Gaussian / orthogonal) steps, where no answer within 30 steps counts
as 30, and e its standard error over the seeds.

speed: g of 20 nearly linear layers, all four rates, is above 3 e.
depth, rate, regime: the differences of g between 20 and 5 layers (rate 1), between rate 1 and rate 0.03 (20
    nearly linear layers), and between nearly linear and far from linear (20 layers, rates 0.1 and 0.03)
    have the sign that they have if they are above 3 e in size; else they are not decided.
catapult: more than half of the orthogonal networks far from linear at rate 0.1 start with a mark above 8
    and have their answer on train within 30 steps (exact one-sided binomial test at the level 0.00135). And
    of the nearly linear networks of 20 layers a larger share has this answer among those that start below 2
    than among those that start above 4 (the difference above 3 e).

The regime above compares rates, and with them nearly linear networks at marks below 1 with others at marks
above 10; the catapult above compares marks across rates. The scales "marks" and "rates" take them apart, 20
layers, 60 fresh networks a point, at most 100 steps (no answer counts as 100). In "marks" each network has
the rate that gives it the mark of its point; in "rates" all networks of a point have one rate. A pilot with
twelve other seeds chose the grids. Fixed before the run:

regime, matched: the mean of g over the marks 0.3, 1, 2, nearly linear less far, has a sign beyond 3 e.
regime, best: the best rate of a law and an ensemble is the one with the least mean log steps over the first
    30 seeds; the steps there are taken from the other 30. Then g of each law, and the difference, by 3 e.
mark or rate: at one rate (the grid's 0.18 to 1), Gaussian and nearly linear, do networks with larger marks
    take more steps on train: the mean over the rates of Fisher's z of the rank correlation, beyond 3 standard
    errors. And at one mark, do those with larger rates: so over the marks 2, 4, 8. And the share of nearly
    linear orthogonal networks with an answer on train in 30 steps is smaller at mark 8 than at mark 2, by
    3 e.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np

from ntk_helpers import data
from ntk_helpers.experiments._runner import Experiment
from ntk_helpers.experiments.learning_speed import curvature
from ntk_helpers.networks import WEIGHTS, Layers, Network
from ntk_helpers.training import steps_to_accuracy

NEAR_LINEAR, FAR = (1.05, 2.01e-5), (3.0, 0.05)
RATES = [10 ** (-i / 2) for i in range(4)]
#: depth -> points (weights, sigma_w^2, sigma_b^2, learning rate)
POINTS = {
    20: [(w, *NEAR_LINEAR, rate) for rate in RATES for w in WEIGHTS]
    + [(w, *FAR, rate) for rate in RATES[2:] for w in WEIGHTS],
    5: [(w, *NEAR_LINEAR, RATES[0]) for w in WEIGHTS],
}


#: Marks, and learning rates, of the scales that take the two apart.
MARKS = [0.3, 1, 2, 4, 8]
GRID = [10 ** (-i / 4) for i in range(-1, 8)]


def speeds(
    depth, points, seeds, *, steps: int, dtype: str = "float32", by_mark: bool = False, first: int = 0
):
    """Steps on train, steps on test (0: no answer) and marks, each (points, seeds).

    Parameters
    ----------
    depth : number of weight layers.
    points : of (weights, sigma_w^2, sigma_b^2, learning rate), or with `by_mark` of (..., mark), where each
        network has the rate that gives it this mark; each point and seed has its own network and order of the
        images.
    seeds : of the networks.
    steps : the number of steps at most.
    dtype : that of the parameters.
    by_mark : whether the points have marks.
    first : the number of the first point, by which the draws of a seed differ.
    """
    digits = data.load("digits")
    shape = (64, *[32] * (depth - 1), 10)
    # Standard parameters are unit ones times sigma_w and sigma_b: one program draws and trains all.
    unit = {
        w: Network(shape, "tanh", sigma_w=1.0, sigma_b=1.0, weights=w, parameterization="standard")
        for w in WEIGHTS
    }
    networks, orders = [], []
    for point, (weights, w2, b2, _) in enumerate(points):
        for seed in seeds:
            start, order = jax.random.split(
                jax.random.fold_in(jax.random.key(seed), 100 * depth + first + point)
            )
            drawn = unit[weights].init(start, dtype=dtype)
            networks.append([(math.sqrt(w2) * w, math.sqrt(b2) * b) for w, b in drawn])
            orders.append(order)
    params = tuple(Layers(*run) for run in jax.tree.map(lambda *leaves: jnp.stack(leaves), *networks))
    net = unit[WEIGHTS[0]]
    top = np.asarray(jax.lax.map(lambda p: curvature(net, p, digits.x_train[:20])[1], params))
    rates = np.repeat([last for *_, last in points], len(seeds)) / (top if by_mark else 1)
    answer = steps_to_accuracy(
        net,
        params,
        digits.x_train,
        digits.y_train,
        digits.x_test[:100],
        digits.y_test[:100],
        accuracy=0.25,
        learning_rate=rates,
        steps=steps,
        batch_size=100,
        key=jnp.stack(orders),
    )
    return [np.reshape(a, (len(points), len(seeds))) for a in (answer.train, answer.test, rates * top)]


def slices(settings: dict) -> list[dict]:
    """A slice for each depth; where marks are taken apart from rates, for each law and ensemble."""
    if "values" in settings:
        return [{"depth": 20, "law": list(law), "weights": w} for law in (NEAR_LINEAR, FAR) for w in WEIGHTS]
    return [{"depth": depth} for depth in POINTS]


def run(settings: dict, piece: dict) -> dict:
    """For each point of one depth: the steps on train and test, None without an answer, and the marks."""
    if "values" in settings:
        points = [(piece["weights"], *piece["law"], value) for value in settings["values"]]
        apart = {"by_mark": settings["by_mark"], "first": len(points) * slices(settings).index(piece)}
    else:
        points, apart = POINTS[piece["depth"]], {}
    train, test, marks = speeds(piece["depth"], points, settings["seeds"], steps=settings["steps"], **apart)
    return {
        "points": [list(point) for point in points],
        "train": [[int(step) or None for step in row] for row in train],
        "test": [[int(step) or None for step in row] for row in test],
        "marks": [[float(f"{mark:.4g}") for mark in row] for row in marks],
    }


EXPERIMENT = Experiment(
    summary="steps to 25% accuracy on the digits, Gaussian and orthogonal weights, 20 and 5 layers",
    scales={
        "quick": {"steps": 30, "seeds": list(range(2000, 2003))},
        "paper": {"steps": 300, "seeds": list(range(4000, 4100))},
        "marks": {"steps": 100, "seeds": list(range(5000, 5060)), "by_mark": True, "values": MARKS},
        "rates": {"steps": 100, "seeds": list(range(5100, 5160)), "by_mark": False, "values": GRID},
    },
    slices=slices,
    run=run,
    data=("digits",),
)
