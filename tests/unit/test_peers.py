"""neural-tangents on this JAX: every part that the book leans on, against closed forms and plain JAX."""

import importlib.util
import subprocess
import sys
import textwrap

import jax
import jax.core
import jax.numpy as jnp
import numpy as np
import pytest
from jax.interpreters import ad
from scipy.linalg import expm

from ntk_helpers.peers import neural_tangents

pytestmark = pytest.mark.slow("imports and compiles neural-tangents")

SIGMA_W, SIGMA_B = 1.5, 0.3
# Some tens of roundings, of which the arc cosine near a correlation of one makes the square root.
ROUNDING = np.sqrt(100 * np.finfo(np.float64).eps)


@pytest.fixture(scope="module", autouse=True)
def double_precision():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.fixture(scope="module")
def nt():
    if importlib.util.find_spec("neural_tangents") is None:
        pytest.skip("neural-tangents is not installed")
    return neural_tangents()


def inputs(n: int, d: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


def relu_net(nt, width: int, outputs: int = 1, depth: int = 3):
    layers = []
    for _ in range(depth - 1):
        layers += [nt.stax.Dense(width, SIGMA_W, SIGMA_B), nt.stax.Relu()]
    return nt.stax.serial(*layers, nt.stax.Dense(outputs, SIGMA_W, SIGMA_B))


def relu_kernels(x: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """NNGP and NTK by the arc-cosine kernels (Cho & Saul 2009)."""
    nngp = SIGMA_B**2 + SIGMA_W**2 * x @ x.T / x.shape[1]
    ntk = nngp
    for _ in range(depth - 1):
        scale = np.sqrt(np.outer(np.diag(nngp), np.diag(nngp)))
        angle = np.arccos(np.clip(nngp / scale, -1, 1))
        product = scale * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)
        derivative = (np.pi - angle) / (2 * np.pi)
        nngp = SIGMA_B**2 + SIGMA_W**2 * product
        ntk = nngp + SIGMA_W**2 * derivative * ntk
    return nngp, ntk


def test_analytic_kernels_equal_the_arc_cosine_recursion(nt):
    x = inputs(6, 5, seed=0)
    *_, kernel_fn = relu_net(nt, width=1)
    ours = kernel_fn(x, None, ("nngp", "ntk"))
    nngp, ntk = relu_kernels(x, depth=3)
    np.testing.assert_allclose(ours.nngp, nngp, rtol=ROUNDING)
    np.testing.assert_allclose(ours.ntk, ntk, rtol=ROUNDING)


def test_batched_kernel_equals_the_kernel(nt):
    x = inputs(6, 5, seed=0)
    *_, kernel_fn = relu_net(nt, width=1)
    np.testing.assert_allclose(nt.batch(kernel_fn, 2)(x, x, "ntk"), kernel_fn(x, x, "ntk"), rtol=ROUNDING)


def test_predict_is_gradient_flow_of_the_kernel(nt):
    x, time = inputs(6, 5, seed=1), 2.0
    y = np.sign(inputs(6, 1, seed=2))
    *_, kernel_fn = relu_net(nt, width=1)
    kernel = np.asarray(kernel_fn(x, None, "ntk"))
    train, test = slice(0, 4), slice(4, 6)
    fit = nt.predict.gradient_descent_mse(kernel[train, train], y[train])
    at_train, at_test = fit(time, np.zeros((4, 1)), np.zeros((2, 1)), kernel[test, train])
    # f' = -Theta (f - y) / n from f = 0: the loss of neural-tangents is the mean over the n outputs, halved.
    moved = np.eye(4) - expm(-time * kernel[train, train] / 4)
    expected_test = kernel[test, train] @ np.linalg.solve(kernel[train, train], moved @ y[train])
    # Solving with the kernel multiplies rounding by its condition number.
    bound = ROUNDING * np.linalg.cond(kernel[train, train])
    np.testing.assert_allclose(at_train, moved @ y[train], atol=bound)
    np.testing.assert_allclose(at_test, expected_test, atol=bound)


def test_the_largest_learning_rate_is_that_of_the_largest_eigenvalue(nt):
    kernel = relu_kernels(inputs(4, 5, seed=1), depth=3)[1]
    expected = 2 * 4 / np.linalg.eigvalsh(kernel)[-1]
    for largest in (nt.predict.max_learning_rate, jax.jit(nt.predict.max_learning_rate)):
        assert largest(kernel) == pytest.approx(expected, rel=ROUNDING)


@pytest.mark.parametrize("name", ["AUTO", "STRUCTURED_DERIVATIVES"])
def test_implementations_that_do_not_work_name_those_that_do(nt, name):
    *_, apply_fn, _ = relu_net(nt, width=4)
    with pytest.raises(NotImplementedError, match=f"{name} .*JACOBIAN_CONTRACTION.*NTK_VECTOR_PRODUCTS"):
        nt.empirical_ntk_fn(apply_fn, implementation=nt.NtkImplementation[name])


def test_ensemble_prediction_ends_at_kernel_regression(nt):
    x = inputs(6, 5, seed=1)
    y = np.sign(inputs(4, 1, seed=2))
    *_, kernel_fn = relu_net(nt, width=1)
    predict = nt.predict.gradient_descent_mse_ensemble(kernel_fn, x[:4], y)
    mean = predict(x_test=x[4:], get="ntk", t=None)
    kernel = relu_kernels(x, depth=3)[1]
    expected = kernel[4:, :4] @ np.linalg.solve(kernel[:4, :4], y)
    np.testing.assert_allclose(mean, expected, atol=ROUNDING * np.linalg.cond(kernel[:4, :4]))


def test_empirical_kernel_is_the_product_of_jacobians(nt):
    x = inputs(4, 5, seed=3)
    init_fn, apply_fn, _ = relu_net(nt, width=16, outputs=2)
    _, params = init_fn(jax.random.key(0), (-1, 5))
    jacobian = jax.jacobian(lambda p: apply_fn(p, x))(params)
    flat = [j.reshape(4, 2, -1) for j in jax.tree.leaves(jacobian)]
    expected = np.asarray(sum(jnp.einsum("iop,jqp->ijoq", j, j) for j in flat))
    found = nt.empirical_ntk_fn(apply_fn, trace_axes=())(x, None, params)
    np.testing.assert_allclose(found, expected, atol=ROUNDING * np.abs(expected).max())
    mean_over_outputs = nt.empirical_ntk_fn(apply_fn)(x, None, params)
    np.testing.assert_allclose(
        mean_over_outputs, np.einsum("ijoo->ij", expected) / 2, atol=ROUNDING * np.abs(expected).max()
    )


def test_monte_carlo_kernels_average_to_the_analytic_ones(nt):
    x, width, batches, batch = inputs(3, 5, seed=4), 128, 10, 20
    init_fn, apply_fn, kernel_fn = relu_net(nt, width)
    counts = batch * np.arange(1, batches + 1)
    sampled = nt.monte_carlo_kernel_fn(init_fn, apply_fn, jax.random.key(0), counts.tolist(), vmap_axes=0)
    running_means = np.stack(list(sampled(x, None, "ntk")))
    # Independent estimates from the running means; their spread gives the standard error of the whole.
    estimates = np.diff(running_means * counts[:, None, None], axis=0, prepend=0) / batch
    standard_error = estimates.std(axis=0, ddof=1) / np.sqrt(batches)
    exact = np.asarray(kernel_fn(x, None, "ntk"))
    # The mean of the empirical NTK is off by O(1 / width); four standard errors for six distinct entries.
    assert np.all(standard_error < 0.05 * exact.max())
    assert np.all(np.abs(estimates.mean(axis=0) - exact) < 4 * standard_error + exact / width)


def test_second_call_returns_the_same_module(nt):
    assert neural_tangents() is nt


def in_a_fresh_interpreter(code: str) -> None:
    """Run code where neural_tangents is not imported yet and every warning is an error."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_import_leaves_jax_as_it_was_and_warns_of_nothing(nt):
    in_a_fresh_interpreter(
        """
        import sys, warnings
        import jax, jax.core
        from jax.interpreters import ad
        from ntk_helpers.peers import neural_tangents
        jax_util = sys.modules.get("jax.util")
        before = set(dir(jax.core)), set(dir(ad)), list(warnings.filters)
        nt = neural_tangents()
        assert (set(dir(jax.core)), set(dir(ad)), list(warnings.filters)) == before
        assert sys.modules.get("jax.util") is jax_util
        assert "neural_tangents.experimental" not in sys.modules and not hasattr(nt, "experimental")
        assert "tensorflow" not in sys.modules
        nt.stax.Dense(3)
        """
    )


def test_works_after_a_plain_import_has_failed(nt):
    in_a_fresh_interpreter(
        """
        from ntk_helpers.peers import neural_tangents
        try:
            import neural_tangents as plain
        except ImportError:
            plain = None
        assert plain is None, "neural-tangents imports by itself: ntk_helpers.peers has become needless"
        assert neural_tangents().stax.serial
        """
    )


@pytest.fixture
def not_imported(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "neural_tangents"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.parametrize("absent", ["neural_tangents", "frozendict"])
def test_absence_is_an_import_error_with_the_command_that_mends_it(monkeypatch, not_imported, absent):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == absent else found(name, *rest)
    )
    with pytest.raises(ImportError, match=rf"{absent}.*pip install --no-deps neural-tangents==0\.6\.5"):
        neural_tangents()


def test_a_release_that_does_not_import_is_named_with_the_reason(monkeypatch, not_imported, tmp_path):
    package = tmp_path / "neural_tangents"
    package.mkdir()
    (package / "__init__.py").write_text("from jax.core import a_name_that_jax_never_had\n")
    (tmp_path / "frozendict.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    before = set(dir(jax.core)), set(dir(ad))
    with pytest.raises(ImportError, match=rf"JAX {jax.__version__} .*a_name_that_jax_never_had.*0\.6\.5"):
        neural_tangents()
    assert (set(dir(jax.core)), set(dir(ad))) == before
