"""The experiment of Figure 4 of paper O: its curvatures, its slices, and the authors' numbers in the book."""

import json
import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from ntk_helpers.experiments import learning_speed
from ntk_helpers.networks import Network

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
