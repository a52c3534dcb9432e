"""SGD with momentum in function space: every batch sequence, and the map of all moments as one matrix."""

import itertools
import warnings

import numpy as np
import pytest

from ntk_helpers.dynamics import sgd_moments, stability_threshold
from ntk_helpers.momentum import momentum_moments, momentum_threshold


def problem(n, tests=0, seed=0):
    """A kernel of shape (n + tests, n) with unequal diagonal, and a residual."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n + tests, n + 2))
    return features @ features[:n].T, rng.standard_normal(n + tests)


def enumerated(kernel, start, learning_rate, batch_size, momentum, steps, replacement):
    """Mean and second moment of the residual over all sequences of batches."""
    draw = itertools.product if replacement else itertools.permutations
    arguments = {"repeat": batch_size} if replacement else {"r": batch_size}
    batches = list(draw(range(kernel.shape[1]), **arguments))
    ends = []
    for sequence in itertools.product(batches, repeat=steps):
        z, velocity = start, np.zeros_like(start)
        for batch in sequence:
            gradient = sum(kernel[:, i] * z[i] for i in batch) / batch_size
            velocity = momentum * velocity - learning_rate * gradient
            z = z + velocity
        ends.append(z)
    ends = np.array(ends)
    return ends.mean(axis=0), ends.T @ ends / len(ends)


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("momentum", [0.8, -0.5])
def test_moments_equal_the_enumeration_of_every_batch_sequence(momentum, replacement):
    kernel, start = problem(3, tests=1)
    arguments = {"learning_rate": 0.1, "batch_size": 2, "momentum": momentum, "replacement": replacement}
    mean, second = enumerated(kernel, start, steps=3, **arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the threshold may be crossed
        moments = momentum_moments(kernel, start, steps=[1, 3], **arguments)
    assert moments.second.shape == (2, 4, 4)
    np.testing.assert_allclose(moments.mean[-1], mean, atol=1e-13)
    np.testing.assert_allclose(moments.second[-1], second, atol=1e-13)


def test_without_momentum_it_is_sgd():
    kernel, start = problem(5, tests=2)
    arguments = {"learning_rate": 0.05, "batch_size": 2, "steps": 6}
    ours = momentum_moments(kernel, start, momentum=0.0, **arguments)
    plain = sgd_moments(kernel, start, **arguments)
    np.testing.assert_allclose(ours.mean, plain.mean, atol=1e-13)
    np.testing.assert_allclose(ours.second, plain.second, atol=1e-13)


def spectral_radius(kernel, rate, beta, nu):
    """Of the map of the second moments of (z, w)."""
    n, eye = len(kernel), np.eye(len(kernel))
    step = np.block([[eye - rate / n * kernel, beta * eye], [-rate / n * kernel, beta * eye]])
    spread = np.diag(eye.ravel()) / n - np.eye(n * n) / n**2
    both, residual = np.vstack([kernel, kernel]), np.eye(n, 2 * n)
    kick = np.kron(both, both) @ spread @ np.kron(residual, residual)
    return np.max(np.abs(np.linalg.eigvals(np.kron(step, step) + nu * rate**2 * kick)))


@pytest.mark.parametrize("momentum", [0.9, 0.5, -0.5])
@pytest.mark.parametrize(("batch_size", "replacement"), [(1, True), (3, True), (3, False)])
def test_threshold_has_spectral_radius_one(momentum, batch_size, replacement):
    kernel, _ = problem(5)
    nu = 1 / batch_size if replacement else (5 - batch_size) / (batch_size * 4)
    rate = momentum_threshold(kernel, batch_size=batch_size, momentum=momentum, replacement=replacement)
    assert abs(spectral_radius(kernel, rate, momentum, nu) - 1) < 1e-9
    for factor in (0.3, 0.6, 0.95):
        assert spectral_radius(kernel, factor * rate, momentum, nu) < 1
    for factor in (1.05, 2.0):
        assert spectral_radius(kernel, factor * rate, momentum, nu) > 1


def test_threshold_of_the_full_batch_and_without_momentum():
    kernel, _ = problem(4)
    descent = 2 * 4 / np.linalg.eigvalsh(kernel)[-1]
    full = momentum_threshold(kernel, batch_size=4, momentum=0.5, replacement=False)
    assert np.isclose(full, 1.5 * descent)
    assert momentum_threshold(kernel, batch_size=2, momentum=0) == stability_threshold(kernel, batch_size=2)


def test_small_momentum_joins_on():
    kernel, _ = problem(4)
    near = momentum_threshold(kernel, batch_size=2, momentum=1e-7)
    assert np.isclose(near, stability_threshold(kernel, batch_size=2), rtol=1e-5)


@pytest.mark.parametrize("momentum", [1.0, -1.0, "a", None, np.nan, [0.5]])
def test_bad_momentum(momentum):
    kernel, start = problem(3)
    with pytest.raises(ValueError, match="momentum must be a number between -1 and 1"):
        momentum_moments(kernel, start, learning_rate=0.1, batch_size=1, momentum=momentum, steps=1)


def test_bad_residual_and_warning():
    kernel, start = problem(3)
    arguments = {"batch_size": 1, "momentum": 0.5, "steps": 1}
    with pytest.raises(ValueError, match="residual must have one axis"):
        momentum_moments(kernel, start[:, None], learning_rate=0.1, **arguments)
    with pytest.warns(UserWarning, match="mean-square stability threshold"):
        momentum_moments(kernel, start, learning_rate=10.0, **arguments)
