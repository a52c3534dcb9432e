"""The kernels of finite networks against automatic differentiation, a peer and exact means; their memory."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ntk_helpers import empirical, monte_carlo
from ntk_helpers.empirical import empirical_nngp, empirical_ntk
from ntk_helpers.kernels import fcn_kernels, residual_kernels
from ntk_helpers.monte_carlo import monte_carlo_kernels
from ntk_helpers.networks import Network
from ntk_helpers.peers import neural_tangents

# A standard normal variable passes this in all but 6 of 100,000 draws; the seeds are fixed besides.
SIGMAS = 4.0


pytestmark = [pytest.mark.usefixtures("double_precision"), pytest.mark.slow("draws thousands of networks")]


def network(widths, activation="tanh", **changes):
    return Network(widths, activation, **({"sigma_w": 1.4, "sigma_b": 0.3} | changes))


def inputs(net, count=5, seed=9):
    return jax.random.normal(jax.random.key(seed), (count, net.widths[0]), "float64")


def relative_error(value, reference):
    return float(jnp.abs(value - reference).max() / jnp.abs(reference).max())


# ---- the tangent kernel of one network


@partial(jax.jit, static_argnums=0)
def contracted_jacobians(net, params, x1, x2):
    """The definition: Jacobians by differentiation, contracted over every parameter; (n1, n2, o, o)."""

    def jacobian(x):
        leaves = jax.tree.leaves(jax.jacobian(lambda params: net.apply(params, x))(params))
        return jnp.concatenate([leaf.reshape(len(x), net.widths[-1], -1) for leaf in leaves], axis=2)

    return jnp.einsum("aip,bjp->abij", jacobian(x1), jacobian(x2))


def any_params(net, seed=0, dtype="float64"):
    """Parameters of no particular law: the kernel is defined at every point, not only at initialisation."""
    generator = np.random.default_rng(seed)
    shapes = jax.eval_shape(net.init, jax.random.key(0))
    return jax.tree.map(lambda leaf: jnp.asarray(generator.normal(size=leaf.shape), dtype), shapes)


@pytest.mark.parametrize("parameterization", ["ntk", "standard"])
@pytest.mark.parametrize(
    ("architecture", "widths", "activation"),
    [
        ("fcn", (4, 3), "tanh"),
        ("fcn", (5, 5, 5, 5), "relu"),
        ("fcn", (3, 7, 7, 7, 4, 6, 2), "tanh"),
        ("residual", (5, 5, 5, 5), "erf"),
        ("residual", (3, 7, 7, 7, 2), "relu"),
    ],
)
def test_it_is_the_contraction_of_jacobians(architecture, widths, activation, parameterization):
    net = network(widths, activation, architecture=architecture, parameterization=parameterization)
    params = any_params(net)
    x1 = inputs(net)
    x2 = inputs(net, 3, seed=2)
    both = contracted_jacobians(net, params, x1, jnp.concatenate([x1, x2]))
    for other, reference in ((None, both[:, :5]), (x2, both[:, 5:])):
        full = empirical_ntk(net, params, x1, other, trace_outputs=False)
        mean = empirical_ntk(net, params, x1, other)
        assert full.shape == reference.shape
        assert relative_error(full, reference) < 1e-12
        assert relative_error(mean, jnp.trace(reference, axis1=2, axis2=3) / net.widths[-1]) < 1e-12


@pytest.mark.parametrize("parameterization", ["ntk", "standard"])
def test_it_agrees_with_neural_tangents(parameterization):
    nt = neural_tangents()
    net = network((6, 9, 9, 2), "erf", parameterization=parameterization)
    params = any_params(net)
    dense = [
        nt.stax.Dense(n, W_std=net.sigma_w, b_std=net.sigma_b, parameterization=parameterization)
        for n in net.widths[1:]
    ]
    _, apply, _ = nt.stax.serial(dense[0], nt.stax.Erf(), dense[1], nt.stax.Erf(), dense[2])
    theirs = [part for weights, biases in net.layers(params) for part in ((weights.T, biases[None]), ())][:-1]
    x1, x2 = inputs(net), inputs(net, 3, seed=4)
    np.testing.assert_allclose(apply(theirs, x1), net.apply(params, x1), rtol=1e-12)
    contraction = nt.NtkImplementation.JACOBIAN_CONTRACTION
    reference = jax.jit(nt.empirical_ntk_fn(apply, trace_axes=(), implementation=contraction))(x1, x2, theirs)
    assert relative_error(empirical_ntk(net, params, x1, x2, trace_outputs=False), reference) < 1e-12


def test_one_layer_by_hand():
    x1, x2 = np.array([[1.0, 2.0]]), np.array([[3.0, -1.0], [0.5, 0.25]])
    for parameterization, expected in (("ntk", 1.4**2 / 2 * x1 @ x2.T + 0.3**2), ("standard", x1 @ x2.T + 1)):
        net = network((2, 3), parameterization=parameterization)
        np.testing.assert_allclose(empirical_ntk(net, any_params(net), x1, x2), expected, rtol=1e-14)


def test_a_small_step_of_gradient_descent_moves_the_outputs_by_it():
    net = network((3, 8, 8, 1), parameterization="standard")
    params = net.init(jax.random.key(5), dtype="float64")
    x, y = inputs(net), jnp.sin(jnp.arange(5.0))[:, None]
    apply = jax.jit(lambda params: net.apply(params, x))
    gradient = jax.jit(jax.grad(lambda params: 0.5 * jnp.sum((net.apply(params, x) - y) ** 2)))(params)
    step = 1e-6
    moved = jax.tree.map(lambda p, g: p - step * g, params, gradient)
    change = (apply(moved) - apply(params)) / step
    predicted = -empirical_ntk(net, params, x) @ (apply(params) - y)
    # What is left is of second order in the step: step times a curvature of order 100 here.
    assert relative_error(change, predicted) < 1e-3
    halved = jax.tree.map(lambda p, g: p - step / 2 * g, params, gradient)
    change_of_half = (apply(halved) - apply(params)) / (step / 2)
    ratio = jnp.linalg.norm(change - predicted) / jnp.linalg.norm(change_of_half - predicted)
    assert 1.9 < ratio < 2.1


def test_float32_keeps_its_digits():
    net = network((64, 64, 64, 64, 3))
    params = any_params(net, dtype="float32")
    x = np.asarray(inputs(net), np.float32)
    kernel = empirical_ntk(net, params, x)
    assert kernel.dtype == "float32"
    in_double = jax.tree.map(lambda leaf: leaf.astype("float64"), params)
    # Sums of at most 3 * 64 products through 4 layers: well below 100 units of the last place, 1.2e-7.
    assert relative_error(kernel, empirical_ntk(net, in_double, x)) < 1e-5


def test_it_works_inside_jit_and_vmap():
    net = network((3, 6, 6, 2))
    each = [any_params(net, seed) for seed in range(3)]
    params = jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)
    x = inputs(net)
    together = jax.jit(jax.vmap(lambda params: empirical_ntk(net, params, x)))(params)
    for m in range(3):
        alone = empirical_ntk(net, each[m], x)
        np.testing.assert_allclose(together[m], alone, rtol=1e-12)


def test_a_thousand_layers_compile_as_one():
    def equations(depth):
        net = network((4, *[8] * (depth - 1), 1))
        shapes = jax.eval_shape(net.init, jax.random.key(0))
        kernel = jax.make_jaxpr(lambda params, x: empirical_ntk(net, params, x))
        return str(kernel(shapes, jnp.ones((2, 4), "float32"))).count("\n")

    assert equations(1000) == equations(100)


# ---- in blocks, within the memory bound


def least_memory(net, params, x, **options):
    with pytest.raises(ValueError, match=r"memory_limit must be at least \d+ bytes, .* got 1$") as error:
        empirical_ntk(net, params, x, memory_limit=1, **options)
    return int(str(error.value).split("at least ")[1].split()[0])


@pytest.mark.parametrize("trace_outputs", [True, False])
@pytest.mark.parametrize("factor", [1, 3])
def test_blocks_make_no_difference(factor, trace_outputs, monkeypatch):
    net = network((3, 6, 6, 6, 2), weights="orthogonal")
    params = any_params(net)
    x1, x2 = inputs(net, 7), inputs(net, 5, seed=3)
    options = {"trace_outputs": trace_outputs}
    limit = factor * least_memory(net, params, x1, **options)
    whole = [empirical_ntk(net, params, x1, other, **options) for other in (None, x2)]
    shapes = []

    def watched(net, trace_outputs, params, x1, x2, kernel=empirical._ntk):
        shapes.append((len(x1), None if x2 is None else len(x2)))
        return kernel(net, trace_outputs, params, x1, x2)

    monkeypatch.setattr(empirical, "_ntk", watched)
    for other, reference in zip((None, x2), whole, strict=True):
        shapes.clear()
        blocked = empirical_ntk(net, params, x1, other, memory_limit=limit, **options)
        np.testing.assert_allclose(blocked, reference, rtol=1e-12, atol=1e-12)
        assert len(shapes) > 1
        # One shape on the diagonal, one off it: two compilations whatever the number of inputs.
        assert len(set(shapes)) <= 2
        with pytest.raises(ValueError, match="memory_limit must be at least"):
            empirical_ntk(net, params, x1, other, memory_limit=limit / factor - 1, **options)


@pytest.mark.parametrize(
    ("widths", "n1", "n2", "trace_outputs"),
    [
        ((32, *[32] * 30, 1), 64, None, True),  # the stored pre-activations
        ((8, 128, 128, 20), 40, 24, True),  # the derivatives of many outputs
        ((8, 16, 16, 4), 150, None, False),  # the kernel itself
        ((16, 256, 256, 256, 1), 4, 4, True),  # the copies of the weights of a short run
        ((16, *[256] * 6, 1), 4, 4, True),  # and of one layer of a long one
    ],
)
def test_the_compiled_program_stays_within_the_bound(widths, n1, n2, trace_outputs):
    net = network(widths)
    shapes = jax.eval_shape(net.init, jax.random.key(0))
    x1, x2 = (None if n is None else jnp.ones((n, widths[0]), "float32") for n in (n1, n2))
    fixed, each_input, each_pair = empirical.memory(net, trace_outputs)
    model = 4 * (fixed + (n1 + (n2 or 0)) * each_input + n1 * (n2 or n1) * each_pair)
    compiled = empirical._ntk.lower(net, trace_outputs, shapes, x1, x2).compile().memory_analysis()
    assert compiled.temp_size_in_bytes <= model
    # A bound far above what is used would cut into needless blocks.
    assert model < 8 * (compiled.temp_size_in_bytes + compiled.output_size_in_bytes)


# ---- many networks


def test_the_statistics_are_those_of_the_networks_one_by_one(monkeypatch):
    net = network((3, 5, 5, 2), weights="orthogonal")
    key, count = jax.random.key(12), 7
    x1, x2 = inputs(net, 3), inputs(net, 2, seed=1)
    drawn = [net.init(k, dtype="float64") for k in jax.random.split(key, count)]
    monkeypatch.setattr(monte_carlo, "CPU_CACHE", 3 * 8 * 1200)  # about three networks at once
    for other in (None, x2):
        result = monte_carlo_kernels(net, key, x1, other, networks=count, dtype="float64")
        assert result.networks == count
        for estimate, kernel in ((result.nngp, empirical_nngp), (result.ntk, empirical_ntk)):
            samples = np.array([kernel(net, params, x1, other) for params in drawn])
            mean, variance = samples.mean(0), samples.var(0, ddof=1)
            np.testing.assert_allclose(estimate.mean, mean, rtol=1e-12)
            np.testing.assert_allclose(estimate.standard_error, np.sqrt(variance / count), rtol=1e-10)
            np.testing.assert_allclose(estimate.relative_variance, variance / mean**2, rtol=1e-10)
            assert all(field.dtype == np.float64 for field in estimate)


def test_chunks_make_no_difference():
    net = network((3, 5, 5, 2))
    key, x = jax.random.key(13), inputs(net)
    one_by_one = monte_carlo_kernels(
        net, key, x, networks=5, dtype="float64", memory_limit=least_for_one(net, x)
    )
    at_once = monte_carlo_kernels(net, key, x, networks=5, dtype="float64")
    for a, b in zip(jax.tree.leaves(one_by_one), jax.tree.leaves(at_once), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)


def least_for_one(net, x):
    with pytest.raises(
        ValueError, match=r"memory_limit must be at least \d+ bytes, for one network"
    ) as error:
        monte_carlo_kernels(net, jax.random.key(0), x, networks=2, dtype="float64", memory_limit=1)
    return int(str(error.value).split("at least ")[1].split()[0])


def assert_mean(estimate, expected):
    np.testing.assert_array_less(abs(estimate.mean - expected), SIGMAS * estimate.standard_error)


@pytest.mark.parametrize("activation", ["relu", "erf"])
@pytest.mark.parametrize(("architecture", "theory"), [("fcn", fcn_kernels), ("residual", residual_kernels)])
def test_with_one_hidden_gaussian_layer_the_mean_is_the_limit(architecture, theory, activation):
    # Averaging the one hidden layer and the last is what the recursion does: no bias at any width.
    net = network((4, 16, 2), activation, architecture=architecture)
    x = inputs(net, 3)
    sampled = monte_carlo_kernels(net, jax.random.key(14), x, networks=4000)
    exact = theory(x, depth=2, activation=activation, sigma_w=net.sigma_w, sigma_b=net.sigma_b)
    assert_mean(sampled.nngp, exact.nngp)
    assert_mean(sampled.ntk, exact.ntk)
    assert np.max(sampled.ntk.standard_error / np.sqrt(np.outer(*[np.diag(exact.ntk)] * 2))) < 0.02


@pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
def test_of_linear_networks_the_mean_is_the_limit_at_any_depth(weights):
    net = network((4, 8, 5, 5, 5, 2), "linear", weights=weights, sigma_w=1.0)
    x = inputs(net, 3)
    sampled = monte_carlo_kernels(net, jax.random.key(15), x, networks=4000)
    exact = fcn_kernels(x, depth=5, activation="linear", sigma_w=net.sigma_w, sigma_b=net.sigma_b)
    assert_mean(sampled.nngp, exact.nngp)
    assert_mean(sampled.ntk, exact.ntk)


def test_the_relative_variance_of_a_linear_network_is_exact():
    # Theta(x, x) = sigma_w^2 q (A + B), A and B independent chi-squared over n: relative variance 1/n.
    # Of the NNGP kernel sigma_w^2 q A: 2/n.
    n = 8
    net = network((8, n, 1), "linear", sigma_b=0.0)
    sampled = monte_carlo_kernels(net, jax.random.key(16), inputs(net, 2), networks=20_000)
    for estimate, expected in ((sampled.ntk, 1 / n), (sampled.nngp, 2 / n)):
        found, error = np.diag(estimate.relative_variance), np.diag(estimate.relative_variance_error)
        np.testing.assert_array_less(abs(found - expected), SIGMAS * error)
        np.testing.assert_array_less(error, 0.05 * expected)


def test_a_square_linear_orthogonal_network_has_no_variance():
    net = network((6, 6, 6, 6), "linear", weights="orthogonal", sigma_b=0.0)
    sampled = monte_carlo_kernels(net, jax.random.key(17), inputs(net, 2), networks=10, dtype="float64")
    assert np.max(sampled.ntk.relative_variance) < 1e-24


def test_the_error_of_the_relative_variance_is_its_scatter():
    samples = np.random.default_rng(18).chisquare(6, size=(400, 2000, 1, 1))
    estimates = [monte_carlo._estimate(monte_carlo._moments(group)) for group in samples]
    scatter = np.std([estimate.relative_variance for estimate in estimates], ddof=1)
    predicted = np.mean([estimate.relative_variance_error for estimate in estimates])
    # A standard deviation from 400 values has relative error 1 / sqrt(800); terms in 1/M are smaller still.
    assert predicted == pytest.approx(scatter, rel=SIGMAS / math.sqrt(800))


def test_moments_merge():
    samples = np.random.default_rng(19).gamma(2.0, size=(30, 2, 2))
    merged = monte_carlo._Moments()
    for part in (samples[:1], samples[1:12], samples[12:]):
        merged = merged.merge(monte_carlo._moments(part))
    for a, b in zip(merged, monte_carlo._moments(samples), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_one_network_has_a_mean_but_no_scatter():
    net = network((3, 4, 1))
    sampled = monte_carlo_kernels(net, jax.random.key(0), inputs(net), networks=1)
    assert np.isfinite(sampled.ntk.mean).all()
    assert np.isnan(sampled.ntk.standard_error).all()
    assert np.isnan(sampled.ntk.relative_variance).all()


@pytest.mark.parametrize("transform", [jax.jit, jax.grad])
def test_averages_inside_a_traced_function(transform):
    net, key = network((3, 4, 1)), jax.random.key(0)
    x = np.asarray(inputs(net))
    expected, inside = monte_carlo_kernels(net, key, x, networks=3), []

    def function(s):
        inside.append(monte_carlo_kernels(net, key, x, networks=3))
        return 2 * s

    transform(function)(1.0)
    np.testing.assert_array_equal(inside[0].ntk.mean, expected.ntk.mean)
    with pytest.raises(ValueError, match=r"monte_carlo_kernels computes with numbers: it cannot be traced"):
        transform(lambda s: monte_carlo_kernels(net, key, s * x, networks=3).ntk.mean.sum())(1.0)


# ---- bad input


@pytest.mark.parametrize("name", ["x1", "x2"])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.ones((2, 4)), r"must have shape \(n, 3\) for this network, got \(2, 4\)"),
        (np.ones(3), r"must have shape \(n, 3\) for this network, got \(3,\)"),
        (np.array([[1.0, np.nan, 2.0]]), "must be finite, got a NaN or an infinity"),
        (np.array([[1.0, np.inf, 2.0]]), "must be finite, got a NaN or an infinity"),
    ],
)
def test_bad_inputs_are_refused(name, bad, message):
    net = network((3, 4, 2))
    params = any_params(net)
    arguments = {"x1": np.ones((2, 3))} | {name: bad}
    with pytest.raises(ValueError, match=f"{name} {message}"):
        empirical_ntk(net, params, **arguments)
    with pytest.raises(ValueError, match=f"{name} {message}"):
        monte_carlo_kernels(net, jax.random.key(0), **arguments, networks=2)


def test_parameters_of_another_network_are_refused():
    net, other = network((3, 4, 2)), network((3, 5, 2))
    for function in (empirical_ntk, empirical_nngp):
        with pytest.raises(ValueError, match=r"params must be those of net.init for widths \(3, 4, 2\)"):
            function(net, any_params(other), np.ones((2, 3)))


@pytest.mark.parametrize("networks", [0, -1, 2.5, True, None])
def test_a_number_of_networks_that_is_none_is_refused(networks):
    net = network((3, 4, 2))
    with pytest.raises(ValueError, match=f"networks must be a positive integer, got {networks}"):
        monte_carlo_kernels(net, jax.random.key(0), np.ones((2, 3)), networks=networks)


def test_no_inputs_are_refused():
    net = Network((3, 4, 1), "tanh", sigma_w=1.0, sigma_b=0.1)
    with pytest.raises(ValueError, match=r"x1 must hold at least one input, got shape \(0, 3\)"):
        empirical_ntk(net, net.init(jax.random.key(0)), np.empty((0, 3)))


def test_empirical_kernels_whatever_the_caller_has_set():
    net = Network((3, 4, 4, 2), "tanh", sigma_w=1.0, sigma_b=0.1, weights="orthogonal")
    x = np.random.default_rng(0).standard_normal((3, 3)).astype(np.float32)
    expected = empirical_ntk(net, net.init(jax.random.key(0)), x)
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"), jax.debug_nans(True):
        params = net.init(jax.random.key(0))
        np.testing.assert_array_equal(empirical_ntk(net, params, x), expected)
        net.apply(params, x)
        empirical_nngp(net, params, x)
