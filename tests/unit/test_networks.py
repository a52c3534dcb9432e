"""Finite networks: what they compute, how their parameters are drawn, and what they refuse."""

import copy
import dataclasses
import math
import multiprocessing
import os
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ntk_helpers import activations
from ntk_helpers.networks import Network

ACTIVATIONS = ["linear", "relu", "leaky_relu", "erf", "tanh", "elu", "silu", "gelu", "softplus", "sigmoid"]
# A standard normal variable passes this in all but 6 of 100,000 draws; the seeds are fixed besides.
SIGMAS = 4.0


pytestmark = [
    pytest.mark.usefixtures("double_precision"),
    pytest.mark.slow("compiles networks of many shapes"),
]


def network(widths, activation="tanh", **changes):
    return Network(widths, activation, **({"sigma_w": 1.4, "sigma_b": 0.3} | changes))


@partial(jax.jit, static_argnums=0, static_argnames="dtype")  # compiled: one program, not one an operation
def init(net, key, dtype="float64"):
    return net.init(key, dtype=dtype)


@partial(jax.jit, static_argnums=0)
def apply(net, params, x):
    return net.apply(params, x)


def any_params(net, dtype="float64"):
    """Parameters of no particular law, for what holds at all of them: drawing takes a second to compile."""
    generator = np.random.default_rng(0)
    shapes = jax.eval_shape(partial(net.init, dtype=dtype), jax.random.key(0))
    return jax.tree.map(lambda leaf: jnp.asarray(generator.normal(size=leaf.shape), leaf.dtype), shapes)


def draws(net, count, seed=0, dtype="float64"):
    return jax.jit(jax.vmap(lambda key: net.init(key, dtype=dtype)))(
        jax.random.split(jax.random.key(seed), count)
    )


def inputs(net, count=4, seed=9):
    return jax.random.normal(jax.random.key(seed), (count, net.widths[0]), "float64")


def assert_mean(samples, expected):
    """The mean of independent samples (first axis) is as expected, within its standard error."""
    samples = np.asarray(samples)
    error = samples.std(0, ddof=1) / math.sqrt(len(samples))
    np.testing.assert_array_less(abs(samples.mean(0) - expected), SIGMAS * error)


# ---- what a network computes


def written_out(net, params, x):
    """The defining formulas, layer by layer and example by example."""
    outputs = []
    for y in np.asarray(x):
        for l, (weights, biases) in enumerate(net.layers(params)):
            z = y if l == 0 else np.tanh(y)
            ntk = net.parameterization == "ntk"
            new = (net.sigma_w / math.sqrt(len(z)) if ntk else 1) * np.asarray(weights) @ z
            new = new + (net.sigma_b if ntk else 1) * np.asarray(biases)
            y = new + y[: len(new)] if net.architecture == "residual" and l > 0 else new
        outputs.append(y)
    return np.array(outputs)


@pytest.mark.parametrize("parameterization", ["ntk", "standard"])
@pytest.mark.parametrize(
    ("architecture", "widths"),
    [
        ("fcn", (3, 2)),
        ("fcn", (5, 5, 5, 5)),  # the first layer has the shape of the next but no activation before it
        ("fcn", (3, 7, 7, 7, 4, 4, 6, 2)),
        ("residual", (3, 2)),
        ("residual", (5, 5, 5, 5)),
        ("residual", (3, 7, 7, 7, 2)),
    ],
)
def test_outputs_are_those_of_the_definition(architecture, widths, parameterization):
    net = network(widths, architecture=architecture, parameterization=parameterization)
    params = any_params(net)
    x = inputs(net)
    outputs = apply(net, params, x)
    assert outputs.shape == (4, widths[-1])
    np.testing.assert_allclose(outputs, written_out(net, params, x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("architecture", "weights"), [("fcn", "gaussian"), ("residual", "orthogonal")])
def test_one_key_gives_one_function_in_both_parameterisations(architecture, weights):
    ntk, standard = (
        network(
            (3, 6, 6, 6, 2), architecture=architecture, weights=weights, parameterization=parameterization
        )
        for parameterization in ("ntk", "standard")
    )
    key = jax.random.key(2)
    x = inputs(ntk)
    np.testing.assert_allclose(
        apply(ntk, init(ntk, key), x),
        apply(standard, init(standard, key), x),
        rtol=1e-12,
    )


def test_a_narrow_residual_output_is_a_part_of_the_wide_one():
    wide, narrow = (network((3, 6, 6, 6, o), architecture="residual") for o in (6, 2))
    first, hidden = any_params(wide)
    last = type(hidden)(hidden.weights[2:, :2], hidden.biases[2:, :2])
    hidden_of_narrow = type(hidden)(hidden.weights[:2], hidden.biases[:2])
    x = inputs(wide)
    np.testing.assert_allclose(
        apply(narrow, (first, hidden_of_narrow, last), x), apply(wide, (first, hidden), x)[:, :2], rtol=1e-12
    )


def test_a_thousand_layers_compile_as_one():
    def equations(depth):
        net = network((4, *[8] * (depth - 1), 1), sigma_w=1.0)
        shapes = jax.eval_shape(net.init, jax.random.key(0))
        gradient = jax.grad(lambda params, x: net.apply(params, x).sum())
        return str(jax.make_jaxpr(gradient)(shapes, jnp.ones((2, 4), "float32"))).count("\n")

    assert equations(1000) == equations(100)
    net = network((4, *[8] * 999, 1), sigma_w=1.0)
    params = any_params(net, "float32")
    gradient = jax.jit(jax.grad(lambda params: net.apply(params, jnp.ones((2, 4))).sum()))(params)
    assert net.depth == 1000
    assert [leaf.shape for leaf in jax.tree.leaves(params)][2:4] == [(998, 8, 8), (998, 8)]
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(gradient))


def test_the_layers_are_listed_in_order():
    net = network((3, 4, 4, 4, 2))
    params = any_params(net)
    listed = net.layers(params)
    assert [weights.shape for weights, _ in listed] == [(4, 3), (4, 4), (4, 4), (2, 4)]
    assert [biases.shape for _, biases in listed] == [(4,), (4,), (4,), (2,)]
    np.testing.assert_array_equal(listed[2][0], params[1].weights[1])


# ---- how parameters are drawn


@pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
@pytest.mark.parametrize("shape", [(4, 4), (3, 6), (6, 3)])
def test_entries_have_unit_variance_whatever_the_shape(shape, weights):
    n_out, n_in = shape
    params = draws(network((n_in, n_out), weights=weights), 4000)
    entries, biases = np.asarray(params[0].weights[:, 0]), np.asarray(params[0].biases[:, 0])
    # The entries of one matrix are dependent: average over the matrix before taking the standard error.
    assert_mean(entries.mean((1, 2)), 0.0)
    assert_mean(entries[:, 0, 0] ** 2, 1.0)
    assert_mean(entries[:, -1, -1] ** 2, 1.0)
    assert_mean(biases, 0.0)
    assert_mean(biases**2, 1.0)
    assert_mean(biases**4, 3.0)
    # The fourth moment of a Gaussian entry is 3, of a Haar one 3 N / (N + 2), N the longer side.
    longest = max(shape)
    assert_mean(entries[:, 0, 0] ** 4, 3.0 if weights == "gaussian" else 3 * longest / (longest + 2))


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-13), ("float32", 1e-5)])
@pytest.mark.parametrize("shape", [(5, 5), (5, 8), (8, 5), (1, 6), (6, 1)])
def test_orthogonal_weights_are_orthogonal_on_the_shorter_side(shape, dtype, tolerance):
    n_out, n_in = shape
    (layer,) = init(network((n_in, n_out), weights="orthogonal"), jax.random.key(5), dtype=dtype)
    weights = np.asarray(layer.weights[0])
    if n_out <= n_in:
        np.testing.assert_allclose(weights @ weights.T, n_in * np.eye(n_out), atol=n_in * tolerance)
    if n_out >= n_in:
        np.testing.assert_allclose(weights.T @ weights, n_out * np.eye(n_in), atol=n_out * tolerance)


def test_orthogonal_networks_drawn_together_do_not_block_each_other():
    """Batched decompositions at once wait for each other for ever where the pool has two threads."""
    program = """
import jax
from ntk_helpers.networks import Network

net = Network((784, 256, 256, 256, 10), "tanh", sigma_w=1.0, sigma_b=0.0, weights="orthogonal")
jax.block_until_ready(jax.jit(jax.vmap(net.init))(jax.random.split(jax.random.key(0), 4)))
"""
    # NPROC is the size of the pool that XLA makes on a CPU.
    environment = os.environ | {"NPROC": "2", "JAX_PLATFORMS": "cpu"}
    subprocess.run([sys.executable, "-c", program], env=environment, timeout=300, check=True)


def test_square_orthogonal_weights_have_the_moments_of_haar_measure():
    n = 5
    params = draws(network((n, n), weights="orthogonal"), 40_000, seed=6)
    q = np.asarray(params[0].weights[:, 0]) / math.sqrt(n)
    # Weingarten calculus on O(n): Collins and Sniady, Commun. Math. Phys. 264 (2006), 773.
    assert_mean(q[:, 0, 0] ** 4, 3 / (n * (n + 2)))
    assert_mean(q[:, 0, 0] ** 2 * q[:, 0, 1] ** 2, 1 / (n * (n + 2)))
    assert_mean(q[:, 0, 0] ** 2 * q[:, 1, 1] ** 2, (n + 1) / (n * (n - 1) * (n + 2)))
    assert_mean(q[:, 0, 0] * q[:, 0, 1] * q[:, 1, 0] * q[:, 1, 1], -1 / (n * (n - 1) * (n + 2)))
    # The signs that a QR decomposition leaves arbitrary: all entries are symmetric, both determinants likely.
    assert_mean(q, 0.0)
    assert_mean(np.linalg.det(q), 0.0)


def test_square_orthogonal_weights_have_the_eigenvalues_of_haar_measure():
    n = 8
    params = draws(network((n, n), weights="orthogonal"), 20_000, seed=7)
    q = np.asarray(params[0].weights[:, 0]) / math.sqrt(n)
    angles = np.angle(np.linalg.eigvals(q))
    for k in (1, 2, 3, 4):
        # Diaconis and Shahshahani, J. Appl. Probab. 31A (1994), 49: up to k = n/2 the traces of powers have
        # the mean and variance of Gaussian variables exactly. Independent eigenvalues would have variance
        # of order n, not k.
        traces = np.cos(k * angles).sum(1)
        mean = (k + 1) % 2
        assert_mean(traces, mean)
        assert_mean((traces - mean) ** 2, k)


@pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
def test_layers_are_independent(weights):
    first, hidden = draws(network((3, 3, 3, 3), weights=weights), 4000, seed=8)
    entries = [first.weights[:, 0], hidden.weights[:, 0], hidden.weights[:, 1]]
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert_mean(entries[a] * entries[b], 0.0)
    assert_mean(hidden.biases[:, 0] * hidden.biases[:, 1], 0.0)
    assert_mean(hidden.biases[:, 0] * hidden.weights[:, 0, 0], 0.0)


def test_the_standard_parameterisation_holds_the_factors_in_the_parameters():
    net = network((50, 200), sigma_w=1.7, sigma_b=0.2, parameterization="standard")
    (layer,) = net.init(jax.random.key(10), dtype="float64")
    # Relative error of a variance from m Gaussian samples: sqrt(2/m).
    assert np.mean(layer.weights**2) == pytest.approx(1.7**2 / 50, rel=SIGMAS * math.sqrt(2 / 10_000))
    assert np.mean(layer.biases**2) == pytest.approx(0.2**2, rel=SIGMAS * math.sqrt(2 / 200))


def test_without_bias_variance_the_standard_parameterisation_starts_from_zero_biases():
    (layer,) = network((3, 4), sigma_b=0, parameterization="standard").init(jax.random.key(0))
    np.testing.assert_array_equal(layer.biases, 0)


# ---- as a value: types, transformations


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parameters_decide_the_type(dtype):
    shapes = jax.eval_shape(partial(network((3, 4, 4, 2)).init, dtype=dtype), jax.random.key(0))
    params = any_params(network((3, 4, 4, 2)), dtype)
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(shapes)} == {dtype}
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(params)} == {dtype}
    for name in ACTIVATIONS:
        assert apply(network((3, 4, 4, 2), name), params, np.ones((2, 3))).dtype == dtype


def test_parameters_are_float32_unless_asked():
    assert network((3, 2)).init(jax.random.key(0))[0].weights.dtype == "float32"
    assert network((3, 2)).init(jax.random.key(0), dtype=jnp.float64)[0].weights.dtype == "float64"


def test_a_network_is_an_immutable_value():
    net = network([3, np.int64(4), 2], sigma_b=np.float64(0.3))
    same = network((3, 4, 2), activations.get("tanh"))
    assert net == same
    assert hash(net) == hash(same)
    assert net != network((3, 4, 2), weights="orthogonal")
    with pytest.raises(dataclasses.FrozenInstanceError):
        net.sigma_w = 2.0


def test_many_networks_at_once_are_the_networks_one_by_one():
    net = network((3, 5, 5, 2), weights="orthogonal")
    keys = jax.random.split(jax.random.key(11), 3)
    x = inputs(net)
    together = jax.jit(jax.vmap(lambda key: net.apply(net.init(key, dtype="float64"), x)))(keys)
    for outputs, key in zip(together, keys, strict=True):
        alone = apply(net, init(net, key), x)
        np.testing.assert_allclose(outputs, alone, rtol=1e-12)


# ---- bad input

GOOD = {"widths": (3, 4, 2), "activation": "tanh", "sigma_w": 1.0, "sigma_b": 0.1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"widths": (3, 0, 2)}, "widths must be positive integers, got 0"),
        ({"widths": (3, -4, 2)}, "widths must be positive integers, got -4"),
        ({"widths": (3, 4.0, 2)}, r"widths must be positive integers, got 4\.0"),
        ({"widths": (3, True, 2)}, "widths must be positive integers, got True"),
        ({"widths": (3,)}, r"widths must hold at least the input and the output width, got \(3,\)"),
        ({"widths": 7}, r"widths must be a tuple \(d, n_1, ..., n_L\) of positive integers, got 7"),
        ({"activation": "no such"}, "no such"),
        ({"sigma_w": -1.0}, r"sigma_w must be a finite standard deviation, 0 or more, got -1\.0"),
        ({"sigma_w": math.nan}, "sigma_w .* got nan"),
        ({"sigma_b": math.inf}, "sigma_b .* got inf"),
        ({"sigma_b": "0.1"}, "sigma_b .* got '0.1'"),
        ({"weights": "haar"}, "weights must be one of 'gaussian', 'orthogonal', got 'haar'"),
        ({"parameterization": "ntp"}, "parameterization must be one of 'ntk', 'standard', got 'ntp'"),
        ({"architecture": "conv"}, "architecture must be one of 'fcn', 'residual', got 'conv'"),
        ({"architecture": "residual", "widths": (3, 4, 5, 2)}, r"one hidden width n .* got \(3, 4, 5, 2\)"),
        ({"architecture": "residual", "widths": (3, 4, 5)}, r"output width o <= n, .* got \(3, 4, 5\)"),
    ],
)
def test_a_network_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Network(**(GOOD | changes))


@pytest.mark.parametrize("shape", [(5, 4), (3,), (2, 5, 3)])
def test_inputs_of_the_wrong_shape_are_refused(shape):
    net = Network(**GOOD)
    with pytest.raises(ValueError, match=r"x must have shape \(n, 3\) for this network, got \(") as error:
        net.apply(net.init(jax.random.key(0)), np.ones(shape))
    assert str(shape) in str(error.value)


def test_parameters_of_another_network_are_refused():
    net = Network(**GOOD)
    for params in (network((3, 5, 2)).init(jax.random.key(0)), (), None, [np.ones(3)]):
        with pytest.raises(ValueError, match=r"params must be those of net.init for widths \(3, 4, 2\)"):
            net.apply(params, np.ones((2, 3)))


@pytest.mark.parametrize("dtype", ["float16", "int32", "double precision", object])
def test_other_types_are_refused(dtype):
    with pytest.raises(ValueError, match="dtype must be 'float32' or 'float64', got"):
        Network(**GOOD).init(jax.random.key(0), dtype=dtype)


def test_float64_is_not_taken_for_float32_in_silence():
    jax.config.update("jax_enable_x64", False)
    with pytest.raises(ValueError, match="dtype 'float64' needs 64-bit jax"):
        Network(**GOOD).init(jax.random.key(0), dtype="float64")


def test_networks_can_be_pickled_and_copied():
    net = network((3, 5, 1), activations.leaky_relu(0.3))
    for other in (pickle.loads(pickle.dumps(net)), copy.copy(net), copy.deepcopy(net)):
        assert other == net
        assert hash(other) == hash(net)


def test_networks_can_be_sent_to_a_process_pool():
    nets = [network((3, 5, 1), activation) for activation in ("tanh", "elu", activations.leaky_relu(0.3))]
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        back = list(pool.map(copy.copy, nets))
    assert back == nets
    assert list(map(hash, back)) == list(map(hash, nets))


@pytest.mark.parametrize("key", [0, 1.5, np.float32(1), "key", None])
def test_a_key_that_is_none_is_refused(key):
    with pytest.raises(ValueError, match=r"key must be a jax random key, got .*: take jax.random.key"):
        network((3, 5, 1)).init(key)


def test_masked_inputs_are_refused():
    net = network((3, 5, 1))
    x = np.ma.masked_less(np.ones((2, net.widths[0])), 0)
    with pytest.raises(ValueError, match="x must not be a masked array"):
        net.apply(net.init(jax.random.key(0)), x)
