"""Function-space dynamics against enumeration, dense matrix exponentials and Monte Carlo."""

import itertools
import warnings

import jax
import numpy as np
import pytest
from scipy.linalg import expm

from ntk_helpers import dynamics

pytestmark = pytest.mark.slow("enumerates or samples paths of SGD")


def problem(n, tests=0, outputs=None, rank=None, seed=0):
    """A kernel of shape (n + tests, n) with condition number of a few hundred, and a residual."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n + tests, rank or n + 2))
    kernel = features @ features[:n].T
    shape = (n + tests,) if outputs is None else (n + tests, outputs)
    return kernel, rng.standard_normal(shape)


def enumerated(kernel, residual, learning_rate, batch_size, steps, replacement):
    """Moments by running every sequence of batches: all are equally likely."""
    n = kernel.shape[1]
    draw = itertools.product if replacement else itertools.permutations
    batches = list(draw(range(n), repeat=batch_size) if replacement else draw(range(n), batch_size))
    mean, second, count = 0.0, 0.0, 0
    for sequence in itertools.product(batches, repeat=steps):
        z, path = residual.copy(), [residual]
        for batch in sequence:
            z = z - learning_rate / batch_size * sum(
                np.outer(kernel[:, i], z[i]).reshape(z.shape) for i in batch
            )
            path.append(z)
        path = np.array(path)
        mean, second, count = mean + path, second + path[:, :, None] * path[:, None, :], count + 1
    return mean / count, second / count


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize(("n", "batch_size", "steps", "tests"), [(3, 2, 3, 2), (4, 1, 3, 0), (2, 2, 4, 1)])
@pytest.mark.parametrize("outputs", [None, 2])
def test_sgd_moments_equal_the_enumeration_of_every_batch_sequence(
    n, batch_size, steps, tests, outputs, replacement
):
    kernel, residual = problem(n, tests, outputs)
    rate = 0.3 * n / np.linalg.eigvalsh(kernel[:n])[-1]
    moments = dynamics.sgd_moments(
        kernel, residual, learning_rate=rate, batch_size=batch_size, steps=steps, replacement=replacement
    )
    mean, second = enumerated(kernel, residual, rate, batch_size, steps, replacement)
    np.testing.assert_allclose(moments.mean, mean, rtol=0, atol=1e-13 * np.abs(mean).max())
    np.testing.assert_allclose(moments.second, second, rtol=0, atol=1e-13 * np.abs(second).max())


@pytest.mark.parametrize("replacement", [True, False])
def test_sgd_moments_agree_with_monte_carlo_within_its_errors(replacement):
    kernel, residual = problem(12, 3)
    arguments = {"learning_rate": 2 * 12 / np.trace(kernel[:12]), "batch_size": 3, "steps": 20}
    moments = dynamics.sgd_moments(kernel, residual, replacement=replacement, **arguments)
    paths = dynamics.sample_sgd(
        jax.random.key(1), kernel, residual, samples=20_000, replacement=replacement, **arguments
    )
    paths = np.asarray(paths)
    for exact, power in ((moments.mean, 1), (moments.second, 2)):
        z = []
        for k in range(1, 21):  # the products of all steps together would take a gigabyte
            draws = paths[:, k] if power == 1 else paths[:, k, :, None] * paths[:, k, None, :]
            error = draws.std(axis=0) / np.sqrt(len(draws))
            z.append((draws.mean(axis=0) - exact[k]) / error)
        z = np.array(z)
        # a thousand correlated scores: five standard errors for the largest, and no drift on average
        assert np.abs(z).max() < 5
        assert 0.6 < np.sqrt((z**2).mean()) < 1.5


@pytest.mark.parametrize("replacement", [True, False])
def test_sgd_moments_equal_the_printed_equation_step_by_step(replacement):
    """The form in the eigenbasis against the plain products of matrices, on 20 steps of larger batches."""
    kernel, residual = problem(12, 3, rank=7)
    rate = 2 * 12 / np.trace(kernel[:12])
    moments = dynamics.sgd_moments(
        kernel, residual, learning_rate=rate, batch_size=3, steps=20, replacement=replacement
    )
    noise = 1 / 3 if replacement else 9 / 33
    mean, second = residual, np.outer(residual, residual)
    with dynamics.float64():
        for k in range(1, 21):
            mean, second = dynamics.sgd_moments_step(kernel, mean, second, learning_rate=rate, noise=noise)
            np.testing.assert_allclose(moments.mean[k], mean, rtol=0, atol=1e-12 * np.abs(mean).max())
            np.testing.assert_allclose(moments.second[k], second, rtol=0, atol=1e-12 * np.abs(second).max())


def test_the_full_batch_without_replacement_is_gradient_descent():
    kernel, residual = problem(6, 2)
    moments = dynamics.sgd_moments(
        kernel, residual, learning_rate=0.1, batch_size=6, steps=9, replacement=False
    )
    path = dynamics.gradient_descent(kernel, residual, learning_rate=0.1, steps=9)
    np.testing.assert_allclose(moments.mean, path, rtol=1e-12)
    np.testing.assert_allclose(moments.covariance, 0, atol=1e-12)


def noise_operator(kernel):
    """M -> K [diag(M)/N - M/N^2] K^T as a dense matrix on vec(M), written from its definition."""
    points, n = kernel.shape
    columns = []
    for i, j in itertools.product(range(points), repeat=2):
        m = np.zeros((points, points))
        m[i, j] = 1
        train = m[:n, :n]
        columns.append((kernel @ (np.diag(np.diag(train)) / n - train / n**2) @ kernel.T).ravel())
    return np.array(columns).T


@pytest.mark.parametrize("rank", [None, 3])
def test_sde_moments_equal_a_dense_matrix_exponential(rank):
    kernel, residual = problem(5, 1, rank=rank)
    points, n = kernel.shape
    rate, batch_size, times = 0.2, 2, np.array([0.0, 0.4, 3.0])
    drift = np.concatenate([kernel, np.zeros((points, points - n))], axis=1) / n
    generator = (
        -np.kron(drift, np.eye(points))
        - np.kron(np.eye(points), drift)
        + rate / batch_size * noise_operator(kernel)
    )
    moments = dynamics.sde_moments(kernel, residual, learning_rate=rate, batch_size=batch_size, times=times)
    start = np.outer(residual, residual)
    for t, mean, second in zip(times, *moments, strict=True):
        np.testing.assert_allclose(mean, expm(-t * drift) @ residual, rtol=1e-9, atol=1e-11)
        exact = (expm(t * generator) @ start.ravel()).reshape(start.shape)
        np.testing.assert_allclose(second, exact, rtol=0, atol=1e-8 * np.abs(start).max())


def test_sampled_sde_agrees_with_its_moments_within_errors_at_the_weak_order_of_the_scheme():
    kernel, residual = problem(4, 1)
    arguments = {"learning_rate": 0.2, "batch_size": 2, "times": np.array([0.0, 0.3])}
    exact = dynamics.sde_moments(kernel, residual, **arguments)
    bias = []
    for substeps in (8, 16):
        paths = dynamics.sample_sde(
            jax.random.key(0), kernel, residual, samples=100_000, substeps=substeps, **arguments
        )[:, 1]
        squares = (paths**2).sum(axis=1)
        error = squares.std() / np.sqrt(len(squares))
        bias.append((squares.mean() - np.trace(exact.second[1]), error))
    # weak order one: Richardson extrapolation removes the leading bias
    (coarse, e1), (fine, e2) = bias
    assert abs(2 * fine - coarse) < 4 * np.hypot(2 * e2, e1)
    assert abs(coarse) > 4 * e1, "the test has no power: refine it"


@pytest.mark.parametrize("rank", [None, 2])
def test_gradient_flow_equals_the_matrix_exponential(rank):
    kernel, residual = problem(4, 2, outputs=2, rank=rank)
    drift = np.concatenate([kernel, np.zeros((6, 2))], axis=1) / 4
    times = np.array([0.0, 0.1, 2.0])
    path = dynamics.gradient_flow(kernel, residual, times=times)
    for t, z in zip(times, path, strict=True):
        np.testing.assert_allclose(z, expm(-t * drift) @ residual, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("rate", [1e-9, 0.1, 0.5])
def test_gradient_descent_equals_the_loop(rate):
    kernel, residual = problem(4, 2, rank=3)
    path = dynamics.gradient_descent(kernel, residual, learning_rate=rate, steps=5)
    z = residual
    for k in range(6):
        np.testing.assert_allclose(path[k] - residual, z - residual, rtol=1e-9, atol=1e-14)
        z = z - rate / 4 * kernel @ z[:4]


@pytest.mark.parametrize("outputs", [None, 2])
def test_chosen_steps_are_those_of_the_whole_path(outputs):
    kernel, residual = problem(5, 2, outputs)
    rate, kept = 0.4 / np.linalg.eigvalsh(kernel[:5])[-1], [0, 1, 4, 9]
    sgd = {"learning_rate": rate, "batch_size": 2}
    for function, arguments in (
        (dynamics.gradient_descent, {"learning_rate": rate}),
        (dynamics.sgd_moments, sgd),
        (dynamics.sgd_moments, sgd | {"replacement": False}),
    ):
        every = function(kernel, residual, steps=9, **arguments)
        chosen = function(kernel, residual, steps=kept, **arguments)
        jax.tree.map(
            lambda full, part: np.testing.assert_allclose(part, full[kept], rtol=1e-13), every, chosen
        )
    paths = [
        dynamics.sample_sgd(jax.random.key(0), kernel, residual, steps=steps, samples=3, **sgd)
        for steps in (9, kept)
    ]
    np.testing.assert_array_equal(paths[1], paths[0][:, kept])


@pytest.mark.parametrize(
    ("batch_size", "replacement"), [(1, True), (2, True), (2, False), (5, True), (5, False)]
)
def test_stability_threshold_is_where_the_spectral_radius_is_one(batch_size, replacement):
    kernel, _ = problem(5, rank=4)
    threshold = dynamics.stability_threshold(kernel, batch_size=batch_size, replacement=replacement)
    nu = 1 / batch_size if replacement else (5 - batch_size) / (batch_size * 4)

    def radius(rate):
        step = np.eye(5) - rate / 5 * kernel
        operator = np.kron(step, step) + nu * rate**2 * noise_operator(kernel)
        return np.abs(np.linalg.eigvals(operator)).max()

    # the kernel has a null space, on which the radius is exactly one: look for growth
    assert radius(threshold * (1 + 1e-5)) > 1 + 1e-7
    assert radius(threshold * (1 - 1e-5)) < 1 + 1e-9
    assert threshold <= 2 * 5 / np.linalg.eigvalsh(kernel)[-1] * (1 + 1e-9)


def test_a_step_size_beyond_stability_warns_and_the_moments_are_still_right():
    kernel, residual = problem(3)
    rate = 1.5 * dynamics.stability_threshold(kernel, batch_size=1)
    with pytest.warns(
        UserWarning, match=f"above the mean-square stability threshold = {rate / 1.5:.4g}"
    ) as caught:
        moments = dynamics.sgd_moments(kernel, residual, learning_rate=rate, batch_size=1, steps=4)
    assert caught[0].filename == __file__
    np.testing.assert_allclose(moments.second, enumerated(kernel, residual, rate, 1, 4, True)[1], rtol=1e-10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dynamics.sgd_moments(kernel, residual, learning_rate=rate / 2, batch_size=1, steps=1)


def test_descent_beyond_stability_warns_and_the_residuals_are_still_right():
    kernel, residual = problem(4, 1)
    threshold = 2 * 4 / np.linalg.eigvalsh(kernel[:4])[-1]
    with pytest.warns(UserWarning, match=rf"above the stability threshold .* = {threshold:.4g}") as caught:
        path = dynamics.gradient_descent(kernel, residual, learning_rate=1.5 * threshold, steps=6)
    assert caught[0].filename == __file__
    z = residual
    for _ in range(6):
        z = z - 1.5 * threshold / 4 * kernel @ z[:4]
    np.testing.assert_allclose(path[-1], z, rtol=1e-9)
    dynamics.gradient_descent(kernel, residual, learning_rate=0.999 * threshold, steps=6)


KERNEL, RESIDUAL = problem(4)
GOOD = {"kernel": KERNEL, "residual": RESIDUAL, "learning_rate": 0.1, "batch_size": 2, "steps": 3}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"kernel": KERNEL + np.triu(np.ones((4, 4)), 1)}, "kernel must be symmetric"),
        ({"kernel": -KERNEL}, "kernel must be positive semi-definite"),
        ({"kernel": KERNEL[:2]}, r"kernel must have shape \(P, N\)"),
        ({"kernel": KERNEL * np.nan}, "kernel must be finite"),
        ({"residual": RESIDUAL[:2]}, "residual must have shape"),
        ({"residual": RESIDUAL * np.inf}, "residual must be finite"),
        (
            {"batch_size": 5, "replacement": False},
            "batch_size must be at most N = 4 without replacement, got 5",
        ),
        ({"batch_size": 0}, "batch_size must be a positive integer, got 0"),
        ({"batch_size": 1.5}, "batch_size must be a positive integer, got 1.5"),
        ({"steps": 0}, "steps must be a positive integer, got 0"),
        ({"steps": []}, "steps must be a positive integer or an increasing sequence"),
        ({"steps": [3, 2]}, "steps must be a positive integer or an increasing sequence"),
        ({"steps": [1, 1]}, "steps must be a positive integer or an increasing sequence"),
        ({"steps": [-1, 2]}, "steps must be a positive integer or an increasing sequence"),
        ({"steps": [0.5, 2]}, "steps must be a positive integer or an increasing sequence"),
        ({"learning_rate": -1.0}, "learning_rate must be a positive number, got -1.0"),
        ({"learning_rate": np.nan}, "learning_rate must be a positive number, got nan"),
    ],
)
def test_bad_input(bad, message):
    with pytest.raises(ValueError, match=message):
        dynamics.sgd_moments(**{**GOOD, **bad})


@pytest.mark.parametrize("times", [[-1.0], [1.0, 0.5], [[0.0]], [np.nan]])
def test_bad_times(times):
    with pytest.raises(ValueError, match="times must be"):
        dynamics.gradient_flow(KERNEL, RESIDUAL, times=times)


SDE = {"learning_rate": 0.1, "batch_size": 2, "times": [0.0, 1.0]}
SGD = {"learning_rate": 0.1, "batch_size": 2, "steps": 3}
KEY = jax.random.key(0)


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (KERNEL + np.triu(np.ones((4, 4)), 1), "kernel must be symmetric"),
        (-KERNEL, "kernel must be positive semi-definite"),
    ],
)
@pytest.mark.parametrize(
    "call",
    [
        lambda kernel: dynamics.gradient_flow(kernel, RESIDUAL, times=[1.0]),
        lambda kernel: dynamics.gradient_descent(kernel, RESIDUAL, learning_rate=0.1, steps=2),
        lambda kernel: dynamics.sde_moments(kernel, RESIDUAL, **SDE),
        lambda kernel: dynamics.sample_sde(KEY, kernel, RESIDUAL, samples=2, **SDE),
        lambda kernel: dynamics.sample_sgd(KEY, kernel, RESIDUAL, samples=2, **SGD),
        lambda kernel: dynamics.stability_threshold(kernel, batch_size=2),
    ],
)
def test_a_bad_kernel_is_refused_everywhere(call, kernel, message):
    with pytest.raises(ValueError, match=message):
        call(kernel)


def test_a_batch_larger_than_the_data_is_refused_everywhere():
    big = {"batch_size": 5, "replacement": False}
    with pytest.raises(ValueError, match="batch_size must be at most N = 4 without replacement, got 5"):
        dynamics.sample_sgd(KEY, KERNEL, RESIDUAL, samples=2, **SGD | big)
    with pytest.raises(ValueError, match="batch_size must be at most N = 4 without replacement, got 5"):
        dynamics.stability_threshold(KERNEL, **big)


def test_repeated_times_have_the_same_moments():
    options = {"learning_rate": 0.1, "batch_size": 2}
    once = dynamics.sde_moments(KERNEL, RESIDUAL, times=[0.0, 1.0, 2.0], **options)
    twice = dynamics.sde_moments(KERNEL, RESIDUAL, times=[0.0, 1.0, 1.0, 2.0, 2.0], **options)
    for a, b in zip(once, twice, strict=True):
        np.testing.assert_array_equal(a[[0, 1, 1, 2, 2]], b)


def test_moments_at_no_time_are_refused():
    with pytest.raises(ValueError, match="times must hold at least one time"):
        dynamics.sde_moments(KERNEL, RESIDUAL, times=[], learning_rate=0.1, batch_size=2)


def test_a_float32_kernel_is_diagnosed():
    """Of rank one: in float32 the eigenvalues that are 0 become a few 1e-8, of either sign."""
    x = np.random.default_rng(0).standard_normal((40, 1))
    kernel = (x @ x.T).astype(np.float32)
    kernel += np.diag(np.full(40, -2e-7 * np.abs(kernel).max(), np.float32))
    with pytest.raises(ValueError, match=r"got the eigenvalue .* It is float32, .* compute it in float64"):
        dynamics.gradient_flow(kernel, np.ones(40), times=[1.0])
    with pytest.raises(ValueError, match=r"got the eigenvalue -\S+$"):
        dynamics.gradient_flow(kernel.astype(float), np.ones(40), times=[1.0])


@pytest.mark.parametrize(
    "function",
    [
        lambda s: dynamics.gradient_flow(s * KERNEL, RESIDUAL, times=[0.0, 1.0]),
        lambda s: dynamics.gradient_descent(KERNEL, RESIDUAL, learning_rate=s, steps=2),
        lambda s: dynamics.sgd_moments(s * KERNEL, RESIDUAL, learning_rate=0.1, batch_size=1, steps=2).mean,
    ],
)
def test_what_cannot_be_traced_says_so(function):
    with pytest.raises(
        ValueError, match=r"computes with numbers: it cannot be traced by jax\.jit, jax\.grad"
    ):
        jax.jit(function)(0.1)
    assert np.isfinite(function(0.1)).all()


def test_an_int_is_no_key():
    with pytest.raises(ValueError, match="key must be a jax random key, got 0"):
        dynamics.sample_sgd(0, KERNEL, RESIDUAL, samples=2, **SGD)


def test_masked_kernels_and_residuals_are_refused():
    masked = np.ma.masked_less(RESIDUAL, -np.inf)
    with pytest.raises(ValueError, match="residual must not be a masked array"):
        dynamics.gradient_flow(KERNEL, masked, times=[1.0])
    with pytest.raises(ValueError, match="kernel must not be a masked array"):
        dynamics.gradient_flow(np.ma.masked_less(KERNEL, -np.inf), RESIDUAL, times=[1.0])
