"""The theory of finite width: against closed forms, the limit's own code, and random networks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate

from ntk_helpers import mean_field
from ntk_helpers.activations import Activation, leaky_relu
from ntk_helpers.empirical import empirical_ntk
from ntk_helpers.finite_width import edge_slope, leading_order, relative_variance
from ntk_helpers.kernels import fcn_kernels
from ntk_helpers.networks import WEIGHTS, Network

pytestmark = [pytest.mark.usefixtures("double_precision"), pytest.mark.slow("draws thousands of networks")]

absolute = Activation("absolute", jnp.abs, lambda y: jnp.sign(y), (0.0,), (1.0, -1.0))
TWO_SLOPES = [("linear", 1.0), ("relu", 2.0), (absolute, 1.0), (leaky_relu(0.3), 2 * 1.0081 / 1.09**2)]


def sampled(net, x, networks, seed=0):
    """Tangent kernels (networks, k, k) of one output each, or (networks, k, k, o, o) of several."""
    one = net.widths[-1] == 1
    keys = jax.random.split(jax.random.key(seed), networks)

    def kernel(key):
        return empirical_ntk(net, net.init(key, dtype="float64"), x, trace_outputs=one)

    return np.asarray(jax.jit(lambda keys: jax.lax.map(kernel, keys))(keys))


def score(values, expected):
    """Difference of the mean of `values` from what was expected, in standard errors."""
    return (values.mean() - expected) / (values.std(ddof=1) / np.sqrt(len(values)))


@pytest.mark.parametrize(("activation", "kappa"), TWO_SLOPES)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize(("depth", "n"), [(1, 5), (2, 5), (7, 20), (30, 12)])
def test_closed_form_of_equal_widths(activation, kappa, weights, depth, n):
    j = np.arange(depth)
    if weights == "gaussian":
        a = 1 + (3 * kappa - 1) / n
        p = (a**j + 2 * (1 - 1 / n) ** j) / 3
    else:
        a = 1 + 3 * (kappa - 1) / (n + 2)
        p = ((1 + 2 / n) * a**j + 2 * (1 - 1 / n)) / 3
    p[0] = 1.0
    pairs = np.where(j > 0, 2, 1) * (depth - j)
    expected = np.sum(pairs * a ** (depth - 1 - j) * p) / depth**2 - 1
    found = relative_variance((n,) * depth + (1,), activation=activation, weights=weights)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("widths", [(12, 5, 8, 1), (3, 8, 5, 2), (6, 6, 6, 1)])
def test_random_networks_of_unequal_widths(weights, widths):
    law = {"activation": leaky_relu(0.3), "sigma_w": 1.3, "sigma_b": 0.0}
    x = np.random.default_rng(1).standard_normal((1, widths[0]))
    kernels = sampled(Network(widths, weights=weights, **law), x, 10_000).reshape(10_000, -1)[:, 0]
    ratio = kernels / fcn_kernels(x, depth=3, **law).ntk[0, 0]
    this, other = (
        1 + relative_variance(widths, activation=leaky_relu(0.3), weights=ensemble)
        for ensemble in (weights, WEIGHTS[weights == "gaussian"])
    )
    assert abs(score(ratio, 1.0)) < 4
    assert abs(score(ratio**2, this)) < 4
    assert abs(score(ratio**2, other)) > 6


@pytest.mark.parametrize(("activation", "kappa"), TWO_SLOPES)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("depth", [1, 2, 9])
def test_leading_order_of_the_exact_variance(activation, kappa, weights, depth):
    found = leading_order(depth, activation=activation, sigma_w=kappa**0.5, sigma_b=0.0, weights=weights)
    first, second = (
        n * relative_variance((n,) * depth + (1,), activation=activation, weights=weights)
        for n in (10**4, 2 * 10**4)
    )
    assert found.ntk_variance[-1] == pytest.approx(2 * second - first, rel=1e-5, abs=1e-9)
    assert np.max(np.abs(found.ntk_mean)) < 1e-9  # Theorem 17.1
    gamma = float(weights == "orthogonal")
    between = depth - 1 / depth
    slope = (3 * (kappa - 1) + 2 * (1 - gamma)) * (depth - 1)
    expected = slope - 2 / 3 * (kappa - gamma) * between
    assert found.ntk_variance[-1] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_first_layer_with_more_inputs_than_units():
    widths, n = (60_000, 20_000, 1), 20_000
    exact = n * relative_variance(widths, activation="relu", weights="orthogonal")
    law = {"activation": "relu", "sigma_w": 1.0, "sigma_b": 0.0, "weights": "orthogonal"}
    assert leading_order(2, first_ratio=1 / 3, **law).ntk_variance[-1] == pytest.approx(exact, rel=1e-3)
    assert leading_order(2, first_ratio=1.0, **law).ntk_variance[-1] != pytest.approx(exact, rel=1e-2)


@pytest.mark.parametrize("name", ["tanh", "gelu", "relu", "elu"])
@pytest.mark.parametrize("c1", [None, 0.4, -0.7])
def test_limit_is_that_of_the_kernels(name, c1):
    found = leading_order(12, activation=name, sigma_w=1.4, sigma_b=0.3, q1=1.4**2 + 0.09, c1=c1)
    inner = 1.0 if c1 is None else (c1 * found.nngp[0] / c1 - 0.09) / 1.4**2
    x = np.array([[1.0, 0.0], [inner, np.sqrt(1 - min(inner**2, 1.0))]]) * np.sqrt(2)
    for depth in (1, 2, 12):
        limit = fcn_kernels(x, depth=depth, activation=name, sigma_w=1.4, sigma_b=0.3)
        assert found.nngp[depth - 1] == pytest.approx(limit.nngp[0, 1], rel=1e-9)
        assert found.ntk[depth - 1] == pytest.approx(limit.ntk[0, 1], rel=1e-9)


def test_one_hidden_layer_by_another_quadrature():
    """Theta = sigma_w^2 mean(tanh(y)^2 + q h^2 (1 - tanh^2)^2) with independent Gaussian y and h."""

    def mean(f):
        return integrate.quad(lambda y: f(y) * np.exp(-(y**2) / 2) / np.sqrt(2 * np.pi), -12, 12)[0]

    q = 0.7
    forward, back = (lambda y: np.tanh(q**0.5 * y) ** 2), (lambda y: 1 / np.cosh(q**0.5 * y) ** 4)
    first = mean(lambda y: forward(y) + q * back(y))
    second = mean(lambda y: forward(y) ** 2 + 2 * q * forward(y) * back(y) + 3 * q**2 * back(y) ** 2)
    law = {"activation": "tanh", "sigma_w": 1.3, "sigma_b": 0.0, "q1": q}
    one = leading_order(2, **law)
    # The NTK of depth 2 also has the noise of the covariance of layer 2, which is `forward` itself.
    assert one.ntk[-1] == pytest.approx(1.69 * first, rel=1e-10)
    assert one.ntk_variance[-1] == pytest.approx(second / first**2 - 1, rel=1e-10)
    # Orthogonal: y and h are uniform on spheres, so both lose their part along y^2 - 1 and h^2 - 1.
    y_part = mean(lambda y: (forward(y) + q * back(y)) * (y**2 - 1))
    h_part = 2 * q * mean(back)
    lost = (y_part**2 + h_part**2) / 2
    other = leading_order(2, weights="orthogonal", **law)
    expected = (second - first**2 - lost) / first**2
    assert other.ntk_variance[-1] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("sigma_b", [0.0, 0.4])
def test_random_tanh_networks(weights, sigma_b):
    n, depth, networks = 24, 4, 5000
    law = {"activation": "tanh", "sigma_w": 1.2, "sigma_b": sigma_b}
    net = Network((2, *[n] * (depth - 1), 1), weights=weights, **law)
    x = np.sqrt(2) * np.array([[1.0, 0.0], [0.3, np.sqrt(1 - 0.09)]])
    q1 = 1.44 + sigma_b**2
    kernels = sampled(net, x, networks, seed=2)
    for at, c1 in (((0, 0), None), ((0, 1), (0.3 * 1.44 + sigma_b**2) / q1)):
        found = leading_order(depth, q1=q1, c1=c1, weights=weights, **law)
        ratio = kernels[:, at[0], at[1]] / found.ntk[-1]
        mean, variance = found.ntk_mean[-1] / n, found.ntk_variance[-1] / n
        # The next order is of relative size depth / n^2 and variance / n; it is allowed for once.
        error = ratio.std() / np.sqrt(networks)
        assert abs(ratio.mean() - 1 - mean) < 4 * error + depth / n**2
        square = (ratio - ratio.mean()) ** 2
        assert abs(square.mean() / variance - 1) < 4 * square.std() / variance / np.sqrt(networks) + 2 / n
        other = leading_order(depth, q1=q1, c1=c1, weights=WEIGHTS[weights == "gaussian"], **law)
        assert abs(square.mean() * n / other.ntk_variance[-1] - 1) > 0.3  # the ensembles differ


@pytest.mark.parametrize("weights", WEIGHTS)
def test_covariances_over_outputs(weights):
    n, networks = 40, 3000
    net = Network((3, n, n, 2), "tanh", sigma_w=1.2, sigma_b=0.0, weights=weights)
    x = np.ones((1, 3))
    found = leading_order(3, activation="tanh", sigma_w=1.2, sigma_b=0.0, q1=1.44, weights=weights)
    theta = sampled(net, x, networks)[:, 0, 0] / found.ntk[-1]
    expected = {"common": found.common[-1], "spread": found.spread[-1].mean()}
    products = {
        "common": (theta[:, 0, 0] - theta[:, 0, 0].mean()) * (theta[:, 1, 1] - theta[:, 1, 1].mean()),
        "spread": theta[:, 0, 1] ** 2,
    }
    for name, values in products.items():
        error = n * values.std() / np.sqrt(networks)
        assert abs(n * values.mean() - expected[name]) < 4 * error + 3 * abs(expected[name]) / n
    assert found.ntk_variance[-1] == pytest.approx(found.common[-1] + found.spread[-1].sum())


def test_deep_limits():
    edge = {"sigma_w": 1.0, "sigma_b": 0.0, "q1": 0.5, "activation": "tanh"}
    gaussian, orthogonal = (leading_order(1000, weights=weights, **edge) for weights in WEIGHTS)
    assert gaussian.ntk_variance[-1] / 1000 == pytest.approx(2 / 3, rel=2e-3)
    assert gaussian.nngp_variance[-1] / 1000 == pytest.approx(2 / 3, rel=5e-3)
    assert 1000 * orthogonal.ntk_variance[-1] == pytest.approx(4, rel=2e-3)
    assert 1000 * orthogonal.nngp_variance[-1] == pytest.approx(8 / 3, rel=2e-2)
    pair = {"sigma_w": 2**0.5, "sigma_b": 0.0, "c1": 0.4, "activation": "relu"}
    for weights, slope, drift in (("gaussian", 89 / 15, 6 / 5), ("orthogonal", 52 / 15, 3 / 5)):
        found = leading_order(400, weights=weights, **pair)
        assert np.diff(found.ntk_variance)[-1] == pytest.approx(slope, rel=2e-3)
        assert np.diff(found.ntk_mean)[-1] == pytest.approx(drift, rel=1e-2)


@pytest.mark.parametrize("name", ["tanh", "erf", "elu"])
@pytest.mark.parametrize("weights", WEIGHTS)
def test_slope_on_the_edge(name, weights):
    sigma_w, q = mean_field.edge_of_chaos(name, sigma_b=0.4)
    law = {"activation": name, "sigma_w": sigma_w, "sigma_b": 0.4, "q1": q, "weights": weights}
    found = leading_order(400, **law)
    slope = edge_slope(name, sigma_b=0.4, weights=weights)
    assert np.diff(found.ntk_variance)[-1] == pytest.approx(slope, rel=1.5e-2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": 0}, "depth must be a positive integer"),
        ({"activation": "step"}, "activation must be"),
        ({"activation": Activation("bend", lambda y: jnp.maximum(y, 1.0), kinks=(1.0,))}, "kinks at 0"),
        ({"sigma_w": 0.0}, "sigma_w must be positive"),
        ({"sigma_b": -1.0}, "sigma_b must be a finite"),
        ({"sigma_b": 1.5}, "q1 must be finite and larger than sigma_b"),
        ({"q1": np.nan}, "q1 must be finite"),
        ({"q1": 1e9}, "too large for a quadrature"),
        ({"c1": 1.0}, "c1 must be a correlation"),
        ({"weights": "uniform"}, "weights must be one of"),
        ({"first_ratio": 0.0}, "first_ratio must be"),
    ],
)
def test_bad_input(change, message):
    good = {"depth": 3, "activation": "tanh", "sigma_w": 1.0, "sigma_b": 0.0}
    with pytest.raises(ValueError, match=message):
        leading_order(**(good | change))


def test_bad_input_of_the_exact_functions():
    for widths, message in (((3,), "at least the input"), ((3, 0, 1), "positive integer")):
        with pytest.raises(ValueError, match=message):
            relative_variance(widths, activation="relu")
    with pytest.raises(ValueError, match="two slopes"):
        relative_variance((3, 1), activation="tanh")
    with pytest.raises(ValueError, match="weights must be one of"):
        relative_variance((3, 1), activation="relu", weights="uniform")
    with pytest.raises(ValueError, match="q\\* > 0"):
        edge_slope("tanh", sigma_b=0.0)
