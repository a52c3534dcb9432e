"""The experiment of Figure 4 of paper O: its curvatures, its slices, and the authors' numbers in the book."""

import json
import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from ntk_helpers import data
from ntk_helpers.experiments import learning_speed, learning_speed_digits
from ntk_helpers.networks import Network
from ntk_helpers.training import steps_to_accuracy

RESULTS = Path(__file__).parent.parent / "notebooks" / "results"


def test_curvature_against_the_jacobian(double_precision):
    net = Network((6, 8, 8, 4), "tanh", 1.5, 0.3, parameterization="standard")
    params = net.init(jax.random.key(0), dtype="float64")
    x = jax.random.normal(jax.random.key(1), (5, 6))
    flat, unravel = ravel_pytree(params)
    jacobian = jax.jacobian(lambda theta: net.apply(unravel(theta), x))(flat)
    p = jax.nn.softmax(net.apply(params, x))
    spread = jax.vmap(lambda q: jnp.diag(q) - jnp.outer(q, q))(p)
    gauss_newton = jnp.einsum("iap,iab,ibq->pq", jacobian, spread, jacobian) / 5
    kernel = jnp.einsum("iap,jap->ij", jacobian, jacobian) / 4
    of_kernel, of_loss = learning_speed.curvature(net, params, x)
    assert of_kernel == pytest.approx(float(jnp.linalg.eigvalsh(kernel)[-1]) / 5, rel=1e-10)
    assert of_loss == pytest.approx(float(jnp.linalg.eigvalsh(gauss_newton)[-1]), rel=1e-10)


def test_paper_scale_is_the_protocol():
    settings = learning_speed.EXPERIMENT.scales["paper"]
    assert (settings["accuracy"], settings["batch_size"], settings["steps"]) == (0.25, 1000, 20 * 50)
    assert (settings["sigma_w_squared"], settings["sigma_b_squared"]) == (1.05, 2.01e-5)
    assert len(settings["seeds"]) == 20
    assert learning_speed.rate(6) == pytest.approx(0.0251189, rel=1e-5)
    pieces = learning_speed.slices(settings)
    assert len(pieces) == 5 * 32 * 2
    net = learning_speed.network(settings, pieces[0])
    assert (net.depth, net.widths[0], net.widths[1], net.widths[-1]) == (50, 3072, 400, 10)


def test_numbers_of_the_authors_are_copied_right():
    folder = os.environ.get("NTK_BOOK_REFERENCE")
    if not folder:
        pytest.skip("NTK_BOOK_REFERENCE names no folder with the authors' numbers")
    source = json.loads((Path(folder) / "huang_learning_speed.json").read_text())["L50_N400"]
    ours = json.loads((RESULTS / "huang_figure_4.json").read_text())
    for weights in ("gaussian", "orthogonal"):
        for which in ("train", "test"):
            rows, curve = source[weights][which], ours[weights][which]
            rates = [learning_speed.rate(i) for i in curve["i"]]
            np.testing.assert_allclose(rates, [row["learning_rate"] for row in rows], rtol=1e-5)
            assert curve["mean"] == [row["mean_steps"] for row in rows]
            assert curve["std"] == [row["std_steps"] for row in rows]
            assert {row["runs"] for row in rows} == {ours["runs"]}


def test_digits_scale_unit_networks_rightly(double_precision):
    """The shared program answers as a network of the law itself does, and its marks are rate x curvature."""
    w2, b2, rate, depth = 3.0, 0.05, 0.1, 3
    points = [("orthogonal", 1.05, 2.01e-5, 0.3), ("gaussian", w2, b2, rate)]
    train, test, marks = learning_speed_digits.speeds(depth, points, [7, 8], steps=40, dtype="float64")
    net = Network((64, 32, 32, 10), "tanh", w2**0.5, b2**0.5, "gaussian", "standard")
    digits = data.load("digits")
    for column, seed in enumerate((7, 8)):
        start, order = jax.random.split(jax.random.fold_in(jax.random.key(seed), 100 * depth + 1))
        params = net.init(start, dtype="float64")
        alone = steps_to_accuracy(
            net,
            jax.tree.map(lambda leaf: leaf[None], params),
            digits.x_train,
            digits.y_train,
            digits.x_test[:100],
            digits.y_test[:100],
            accuracy=0.25,
            learning_rate=rate,
            steps=40,
            batch_size=100,
            key=order[None],
        )
        assert (alone.train[0], alone.test[0]) == (train[1, column], test[1, column])
        top = learning_speed.curvature(net, params, digits.x_train[:20])[1]
        assert marks[1, column] == pytest.approx(rate * float(top), rel=1e-10)
    assert (train > 0).all()
    assert len({*train.ravel()}) > 1


def test_digits_have_independent_points_and_seeds():
    points = [list(point) for point in learning_speed_digits.POINTS[20]]
    recorded = json.loads((RESULTS / "learning_speed_digits.json").read_text())
    deep = recorded["records"][0]["result"]
    assert deep["points"] == points
    for name in ("train", "test", "marks"):
        assert np.shape(np.array(deep[name], dtype=float)) == (len(points), 100)
    marks = np.array(deep["marks"])
    assert len({*marks.ravel()}) > 0.9 * marks.size
