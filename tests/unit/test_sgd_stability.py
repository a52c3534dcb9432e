"""The experiment on the step at which SGD fails."""

import jax
import numpy as np
import pytest

from ntk_helpers.dynamics import stability_threshold
from ntk_helpers.experiments import sgd_stability
from ntk_helpers.networks import Network


@pytest.fixture(scope="module")
def found():
    """A linear network without a hidden layer: its kernel does not move."""
    x, y = sgd_stability.fours_and_nines("digits", 10)
    net = Network((64, 1), "linear", sigma_w=1.0, sigma_b=0.0)
    with jax.enable_x64(True):
        stack = jax.vmap(lambda key: net.init(key, dtype="float64"))(jax.random.split(jax.random.key(0), 2))
        batches = np.random.default_rng(1).integers(10, size=(3, 30, 2))
        return x, sgd_stability.measured(net, stack, x, y, batches, np.geomspace(0.4, 50.0, 8))


def test_a_kernel_that_does_not_move_is_frozen(found):
    _, values = found
    converged = values["frozen"] < 1e6
    assert 0.2 < converged.mean() < 0.8
    np.testing.assert_allclose(values["network"][converged], values["frozen"][converged], rtol=1e-7)


def test_thresholds(found):
    x, values = found
    kernel = x @ x.T / 64
    assert values["exact"] == pytest.approx(stability_threshold(kernel, batch_size=2))
    assert values["descent"] == pytest.approx(2 * 10 / np.linalg.eigvalsh(kernel)[-1])
    lam, rate = np.linalg.eigvalsh(kernel), values["mean"][0]
    assert np.mean(0.5 * rate * lam / (2 - 0.5 * rate * lam / 10)) == pytest.approx(1)
    assert sgd_stability.mean_threshold(kernel, 1.0) == pytest.approx(2 / np.mean(np.diag(kernel)))
    assert np.all((values["exact"] < values["mean"]) & (values["exact"] < values["descent"]))


def test_half_of_the_runs():
    """Between the last step at which none fails and the first at which all do; midway if half do."""
    ends = np.full((2, 4, 2), 0.1)
    ends[0, 2:], ends[1, 2, 0], ends[1, 3] = np.inf, np.nan, 2.0
    expected = np.log([np.sqrt(2 * 4), 4.0])
    np.testing.assert_allclose(
        sgd_stability.log_half(sgd_stability.failed(ends), np.array([1.0, 2.0, 4.0, 8.0])), expected
    )
