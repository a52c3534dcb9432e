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
from ntk_helpers.experiments import catapult, learning_speed, learning_speed_digits, learning_speed_flow
from ntk_helpers.networks import Network
from ntk_helpers.training import steps_to_accuracy

pytestmark = pytest.mark.slow("trains networks of several depths")

RESULTS = Path(__file__).parents[2] / "notebooks" / "results"


def test_curvature_against_the_jacobian(double_precision):
    net = Network((6, 8, 8, 4), "tanh", sigma_w=1.5, sigma_b=0.3, parameterization="standard")
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
    source = json.loads((Path(folder) / "huang_learning_speed.json").read_text())
    ours = json.loads((RESULTS / "published" / "huang_figure_4.json").read_text())
    assert len(ours["panels"]) == 5
    for panel, curves in ours["panels"].items():
        depth, width = panel.split(" x ")
        for weights in ("gaussian", "orthogonal"):
            for which in ("train", "test"):
                rows, curve = source[f"L{depth}_N{width}"][weights][which], curves[weights][which]
                rates = [learning_speed.rate(i) for i in curve["i"]]
                np.testing.assert_allclose(rates, [row["learning_rate"] for row in rows], rtol=1e-5)
                assert curve["mean"] == [row["mean_steps"] for row in rows]
                assert curve["std"] == [row["std_steps"] for row in rows]
                assert {row["runs"] for row in rows} == {ours["runs"]}


def test_flow_time_of_one_mode():
    """Two outputs, a constant kernel: the difference u of the outputs obeys u' = -2 c / (1 + e^u)."""
    labels, kernel = np.zeros(6, int), 0.7
    start = np.tile([[-2.0, 0.0]], (6, 1))
    time = learning_speed_flow.flow_time(
        lambda residual: kernel * np.tile(residual.sum(axis=0), (6, 1)),
        start,
        labels,
        step=1e-3,
        accuracy=0.5,
        limit=10_000,
    )
    # With u = f_0 - f_1: u' = 2 c (1 - p), p = 1 / (1 + e^-u); so u + e^u grows by 2 c t, until u = 0.
    expected = (0 + 1 - (-2 + np.exp(-2.0))) / (2 * kernel)
    assert time == pytest.approx(expected, abs=2e-3)
    assert (
        learning_speed_flow.flow_time(lambda r: 0 * r, start, labels, step=1, accuracy=0.5, limit=5) is None
    )


def test_flow_follows_training_at_a_small_rate(double_precision, monkeypatch):
    """A wide network trained at a small rate has its answer at the time that its kernel at the start says."""
    digits = data.load("digits")
    monkeypatch.setattr(learning_speed, "images", lambda: digits)
    net = Network(
        (64, 1500, 10), "tanh", sigma_w=1.0, sigma_b=0.1, weights="orthogonal", parameterization="standard"
    )
    monkeypatch.setattr(learning_speed, "network", lambda settings, piece: net)
    settings = learning_speed_flow.EXPERIMENT.scales["quick"] | {"images": 40, "share": 0.02, "limit": 5000}
    piece = {"depth": 2, "width": 1500, "weights": "orthogonal", "seed": 1}
    found = learning_speed_flow.run(settings | {"accuracy": 0.6}, piece)
    params = net.init(jax.random.fold_in(jax.random.key(1), 1))
    rate = 0.05 / found["all_outputs_max"]
    answer = steps_to_accuracy(
        net,
        jax.tree.map(lambda leaf: leaf[None], params),
        digits.x_train[:40],
        digits.y_train[:40],
        digits.x_train[:40],
        digits.y_train[:40],
        accuracy=0.6,
        learning_rate=rate,
        steps=3000,
    )
    assert rate * int(answer.test[0]) == pytest.approx(found["full"], rel=0.05)


def test_curvature_of_squares_against_the_jacobian(double_precision):
    net = Network((64, 7, 10), "tanh", sigma_w=1.2, sigma_b=0.3, parameterization="standard")
    params = net.init(jax.random.key(0), dtype="float64")
    x, _ = catapult.images("float64")
    flat, unravel = ravel_pytree(params)
    jacobian = jax.jacobian(lambda theta: net.apply(unravel(theta), x))(flat).reshape(320, -1)
    top = np.linalg.eigvalsh(jacobian @ jacobian.T)[-1] / 32
    assert catapult.curvature(net, params, x) == pytest.approx(float(top), rel=1e-6)


def test_catapult_starts_at_its_marks():
    settings = catapult.EXPERIMENT.scales["quick"]
    for weights in ("gaussian", "orthogonal"):
        found = catapult.run(settings, {"part": "catapult", "weights": weights})
        np.testing.assert_allclose(np.array(found["mark"])[:, 0, 0], settings["parts"][0]["marks"], rtol=1e-3)
        assert (np.array(found["loss"])[:, 0, 0] == 1).all()


def test_digits_at_marks_have_these_marks():
    points = [("orthogonal", 1.05, 2.01e-5, mark) for mark in (0.5, 2.0)]
    *_, marks = learning_speed_digits.speeds(4, points, [1, 2], steps=2, by_mark=True, first=3)
    np.testing.assert_allclose(marks, [[0.5] * 2, [2.0] * 2], rtol=1e-5)


def test_digits_scale_unit_networks_rightly(double_precision):
    """The shared program answers as a network of the law itself does, and its marks are rate x curvature."""
    w2, b2, rate, depth = 3.0, 0.05, 0.1, 3
    points = [("orthogonal", 1.05, 2.01e-5, 0.3), ("gaussian", w2, b2, rate)]
    train, test, marks = learning_speed_digits.speeds(depth, points, [7, 8], steps=40, dtype="float64")
    net = Network(
        (64, 32, 32, 10),
        "tanh",
        sigma_w=w2**0.5,
        sigma_b=b2**0.5,
        weights="gaussian",
        parameterization="standard",
    )
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
