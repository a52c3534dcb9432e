"""Kernels against neural-tangents, mpmath, finite networks and their own symmetries."""

import dataclasses
import functools
import warnings

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntk_helpers import activations, mean_field
from ntk_helpers._precision import float64
from ntk_helpers.kernels import (
    block,
    depth_profile,
    fcn_kernels,
    interpolant,
    layer,
    relu,
    residual_kernels,
)
from ntk_helpers.kernels import inputs as first_layer

pytestmark = pytest.mark.slow("compiles the kernels of many activations, or follows them in many digits")

EPS = np.finfo(float).eps
NETWORK = {"depth": 4, "activation": "relu", "sigma_w": 1.3, "sigma_b": 0.2}
ALL = ["linear", "relu", "leaky_relu", "erf", "tanh", "elu", "silu", "gelu", "softplus", "sigmoid"]


def inputs(n, d=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)) * rng.uniform(0.5, 2.0, (n, 1))


@pytest.fixture(scope="module")
def stax():
    from ntk_helpers.peers import neural_tangents

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return neural_tangents().stax


def peer_kernels(stax, x1, x2, depth, activation, sigma_w, sigma_b, residual=False):
    layers = {
        "linear": stax.Identity,
        "relu": stax.Relu,
        "leaky_relu": functools.partial(stax.LeakyRelu, alpha=0.01),
        "erf": stax.Erf,
        "gelu": functools.partial(stax.Gelu, approximate=False),
    }
    dense = functools.partial(stax.Dense, 1, sigma_w, sigma_b)
    branch = [layers[activation](), dense()]
    if residual:
        block = stax.serial(
            stax.FanOut(2), stax.parallel(stax.Identity(), stax.serial(*branch)), stax.FanInSum()
        )
        blocks = [block] * (depth - 1)
    else:
        blocks = branch * (depth - 1)
    with float64(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kernel_fn = stax.serial(dense(), *blocks)[2]
        result = kernel_fn(jnp.asarray(x1), None if x2 is None else jnp.asarray(x2), ("nngp", "ntk"))
        return np.asarray(result.nngp), np.asarray(result.ntk)


# Against neural-tangents


@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    depth=st.integers(1, 20),
    activation=st.sampled_from(["linear", "relu", "leaky_relu", "erf", "gelu"]),
    sigma_w=st.floats(0.5, 1.8),
    sigma_b=st.sampled_from([0.0, 0.05, 0.3, 1.0]),
    residual=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_kernels_agree_with_neural_tangents(stax, depth, activation, sigma_w, sigma_b, residual, seed):
    depth = min(depth, 6) if activation == "gelu" or residual else depth
    x1, x2 = inputs(4, seed=seed), inputs(3, seed=seed + 1)
    ours = residual_kernels if residual else fcn_kernels
    try:
        nngp, ntk = ours(x1, x2, depth=depth, activation=activation, sigma_w=sigma_w, sigma_b=sigma_b)
    except ValueError as error:
        assert "must stay in" in str(error)  # noqa: PT017 (a variance that left the range)
        return
    expected = peer_kernels(stax, x1, x2, depth, activation, sigma_w, sigma_b, residual)
    scale = np.sqrt(
        np.outer(*(fcn_variances(x, depth, activation, sigma_w, sigma_b, residual) for x in (x1, x2)))
    )
    # neural-tangents carries c: E[phi' phi'] loses eps / (1 - c)^(1/2) in each layer, at most sqrt(eps).
    # 1e-7 bounds that with its factor, 1e-11 what is smooth in c.
    assert np.max(np.abs(nngp - expected[0]) / scale) < 1e-11
    assert np.max(np.abs(ntk - expected[1]) / (scale * depth)) < 1e-7


def fcn_variances(x, depth, activation, sigma_w, sigma_b, residual):
    ours = residual_kernels if residual else fcn_kernels
    return np.diag(ours(x, depth=depth, activation=activation, sigma_w=sigma_w, sigma_b=sigma_b).nngp)


# Against wide finite networks, by automatic differentiation


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "elu"])
def test_kernels_are_the_limit_of_wide_networks(activation, residual):
    depth, width, sigma_w, sigma_b, draws = 3, 256, 1.2, 0.4, 100
    x = inputs(3, 4, seed=5)
    phi = activations.get(activation).phi

    def apply(params, x):
        first, *rest = params
        y = sigma_w / np.sqrt(x.shape[1]) * x @ first[0] + sigma_b * first[1]
        for weights, bias in rest:
            branch = sigma_w / np.sqrt(width) * phi(y) @ weights + sigma_b * bias
            y = y + branch if residual else branch
        return y

    def one(key):
        keys = jax.random.split(key, 2 * depth)
        shapes = [(x.shape[1], width)] + [(width, width)] * (depth - 1)
        params = [
            (jax.random.normal(keys[2 * k], shape), jax.random.normal(keys[2 * k + 1], (width,)))
            for k, shape in enumerate(shapes)
        ]
        _, pull = jax.vjp(lambda params: apply(params, x)[:, 0], params)
        gradients = jnp.stack(
            [jnp.concatenate([g.ravel() for g in jax.tree.leaves(pull(e)[0])]) for e in jnp.eye(len(x))]
        )
        y = apply(params, x)
        return y @ y.T / width, gradients @ gradients.T

    with float64():
        nngp, ntk = (
            np.asarray(k) for k in jax.lax.map(jax.jit(one), jax.random.split(jax.random.key(0), draws))
        )
    limit = (residual_kernels if residual else fcn_kernels)(
        x, depth=depth, activation=activation, sigma_w=sigma_w, sigma_b=sigma_b
    )
    for samples, exact in ((nngp, limit.nngp), (ntk, limit.ntk)):
        error = samples.std(axis=0, ddof=1) / np.sqrt(draws)
        # 6 entries, a bias of order depth/width = 1% of the kernel beside 4.5 standard errors
        assert np.all(
            np.abs(samples.mean(axis=0) - exact) < 4.5 * error + 0.01 * np.abs(np.diag(exact)).max()
        )
        assert np.all(error < 0.05 * np.diag(exact).max())


# Against mpmath


def exact_profile(depth, q, c, sigma_w, sigma_b, slope, residual, digits=40):
    """(gamma, Sigma, Theta) of leaky ReLU by the recursion in c, in many digits."""
    with mp.workdps(digits):
        sw2, sb2, b = mp.mpf(sigma_w) ** 2, mp.mpf(sigma_b) ** 2, mp.mpf(slope)
        q1, q2, c = mp.mpf(q[0]), mp.mpf(q[1]), mp.mpf(c)
        sigma = theta = c * mp.sqrt(q1 * q2)
        kink, half = (1 - b) ** 2 / (2 * mp.pi), (1 + b**2) / 2
        for _ in range(depth - 1):
            s = mp.sqrt(q1 * q2)
            angle = mp.acos(sigma / s)
            moment = s * (b * mp.cos(angle) + kink * (mp.sin(angle) + (mp.pi - angle) * mp.cos(angle)))
            increment = sb2 + sw2 * moment
            theta = (residual + sw2 * (b + kink * (mp.pi - angle))) * theta + increment
            sigma = residual * sigma + increment
            q1, q2 = (residual * q + sb2 + sw2 * half * q for q in (q1, q2))
        return 1 - sigma / mp.sqrt(q1 * q2), sigma, theta


@pytest.mark.parametrize("residual", [0, 1])
@pytest.mark.parametrize("slope", [0.0, 0.3, -1.0])
@pytest.mark.parametrize("c1", [0.5, -1.0, -0.999999, 1 - 1e-12])
def test_kernels_profile_agrees_with_mpmath(residual, slope, c1):
    network = {
        "activation": activations.leaky_relu(slope),
        "sigma_w": 1.1,
        "sigma_b": 0.3,
        "q1": (1.0, 2.5),
        "c1": c1,
    }
    depths = [1, 2, 5, 60]
    profile = depth_profile(depths, architecture="residual" if residual else "fcn", **network)
    for k, depth in enumerate(depths):
        gamma, sigma, theta = exact_profile(depth, network["q1"], c1, 1.1, 0.3, slope, residual)
        # Each layer adds a few roundings, relative to gamma and to sqrt(q q'). The first gamma is itself
        # rounded, which the angle feels more near c = -1.
        first = 2 * EPS * (1 - c1)
        angle = first / np.sqrt(max(1 - c1**2, EPS))
        assert abs(profile.one_minus_c[k] - gamma) < 10 * depth * EPS * gamma + first
        assert abs(profile.nngp[k] - sigma) < 20 * depth * EPS * np.sqrt(np.prod(profile.q[k]))
        scale = np.sqrt(np.prod(profile.ntk_diagonal[k]))
        assert abs(profile.ntk[k] - theta) < (40 * depth * EPS + angle) * scale


def test_kernels_angle_polynomials_agree_with_mpmath():
    """One layer of ReLU at sigma_w^2 = 2 without bias: gamma', and E[phi' phi'] from Theta and from none."""
    gamma = np.concatenate([np.logspace(-14, 0, 200), 2 - np.logspace(-12, 0, 50), [2.0]])
    numbers = relu.relu_map(layer.recursion("relu", np.sqrt(2), 0.0, 0.0))
    with float64():
        after, *growth = relu.next_gamma(numbers, 1, 0, 1, 0, gamma)
        after, ratio = np.asarray(after), np.asarray(layer.grow(1.0, *growth))
    with mp.workdps(40):
        for k, g in enumerate(gamma):
            angle = mp.acos(1 - mp.mpf(g))
            exact = (mp.sin(angle) + (mp.pi - angle) * mp.cos(angle)) / mp.pi
            assert abs(after[k] / (1 - exact) - 1) < 4 * EPS
            assert abs(ratio[k] - exact - (1 - angle / mp.pi)) < 4 * EPS


def test_kernels_relu_on_the_edge_of_chaos_to_ten_million_layers():
    # 1 - c^l = 9 pi^2 / (2 l^2) (1 + O(log(l)/l))
    depths = np.array([10**4, 10**5, 10**6, 10**7])
    profile = depth_profile(depths, activation="relu", sigma_w=np.sqrt(2), sigma_b=0.0)
    ratio = profile.one_minus_c * depths**2 / (4.5 * np.pi**2)
    deviation = (1 - ratio) * depths / np.log(depths)
    assert np.all(np.abs(deviation) < 5)
    assert np.all(np.abs(np.diff(1 - ratio)) < 1e-2)
    # Hayou et al.: Theta(x, x') / L -> 1/4, Theta(x, x) = L
    assert np.all(np.abs(profile.ntk / depths - 0.25) < 10 * np.log(depths) / depths)
    np.testing.assert_allclose(profile.ntk_diagonal[:, 0], depths, rtol=1e-8)  # sqrt(2)^2 = 2 (1 + 2e-16)


def test_kernels_profile_does_not_lose_a_source_below_the_last_digit_of_theta():
    """Linear and at the edge Theta = L (1 - gamma), where at the end gamma is half a digit of Theta."""
    gamma, depths = 2.0**-37, np.array([10**4, 3 * 10**5, 3 * 10**6])
    profile = depth_profile(depths, activation="linear", sigma_w=1.0, sigma_b=0.0, c1=1 - gamma)
    np.testing.assert_allclose(profile.ntk, depths * (1 - gamma), rtol=4 * EPS)
    np.testing.assert_array_equal(profile.ntk_diagonal[:, 0], depths)


@pytest.mark.parametrize("activation", ["tanh", "elu"])
def test_kernels_diagonal_on_the_edge_is_a_geometric_sum_to_three_million_layers(activation):
    """Theta(x, x) = q (chi^L - 1)/(chi - 1) = q L (1 + (chi - 1) L/2 + ...), chi - 1 being rounding."""
    sigma_w, q = mean_field.edge_of_chaos(activation, sigma_b=0.2)
    depths = 3 * 10**6 // 4 ** np.arange(5)
    profile = depth_profile(depths, activation=activation, sigma_w=sigma_w, sigma_b=0.2, q1=(q, q))
    drift = profile.ntk_diagonal[:, 0] / (profile.q[:, 0] * depths) - 1
    assert abs(drift[0]) < EPS * depths[0]
    np.testing.assert_allclose(drift, drift[0] * depths / depths[0], rtol=0, atol=8 * EPS)


@pytest.mark.parametrize("activation", ["erf", "tanh", "gelu", "silu"])
def test_kernels_interpolant_departs_from_the_slope_as_it_should(activation):
    """At theta -> 0: E[phi' phi'] by q E[phi''^2] gamma, the mean of it over gamma by half of that."""
    phi, q = activations.get(activation), 0.7
    table = interpolant.converged_map(phi, q)
    curvature = float(phi.correlation_derivatives(q, 2)[1]) / q
    assert table.power == 2
    at_zero = [np.polyval(row, -1.0) for row in table.pieces[0].T]  # gamma = theta^2/2
    np.testing.assert_allclose(at_zero, [curvature / 4, curvature / 2], rtol=1e-13)


def test_kernels_interpolant_where_the_derivative_jumps():
    """ReLU by the general recursion: E[phi' phi'] departs from the slope by theta/(2 pi)."""
    relu = activations.get("relu")
    table = interpolant.converged_map(dataclasses.replace(relu, slopes=None), 0.7)
    assert table.power == 1
    at_zero = [np.polyval(row, -1.0) for row in table.pieces[0].T]
    np.testing.assert_allclose(at_zero, [1 / (3 * np.pi), 1 / (2 * np.pi)], rtol=1e-13)


def test_kernels_relu_recursion_to_ten_thousand_layers_in_many_digits():
    depth = 10**4
    gamma, _, theta = exact_profile(depth, (1.0, 1.0), 0.5, np.sqrt(2), 0.0, 0.0, 0)
    profile = depth_profile([depth], activation="relu", sigma_w=np.sqrt(2), sigma_b=0.0)
    # depth/2 roundings of relative size eps/2 in 1/sqrt(gamma) or, for Theta, in each factor
    assert abs(profile.one_minus_c[0] / gamma - 1) < 0.5 * depth * EPS
    assert abs(profile.ntk[0] / theta - 1) < depth * EPS


@pytest.mark.parametrize("activation", ["erf", "tanh", "elu"])
def test_kernels_interpolant_agrees_with_the_direct_recursion(activation):
    phi = activations.get(activation)
    q, sw2 = 0.8, 1.7
    table = interpolant.converged_map(phi, q)
    gamma = np.concatenate([np.logspace(-14, 0, 60), 2 - np.logspace(-8, 0, 30)])
    gap, slope_gap = phi.gaps(np.full_like(gamma, q), np.full_like(gamma, q), gamma)
    with float64():
        table = table._replace(pieces=jnp.asarray(table.pieces))
        start = (1.0, 0.0), (0.0, 0.0), (0.0, 0.0)
        layer = jax.jit(jax.vmap(lambda g: interpolant.converged_layer(table, sw2, (q, q, g, *start))))
        _, _, after, (theta, _), _, _ = jax.device_get(layer(gamma))
    np.testing.assert_allclose(after, sw2 * gap / q, rtol=2e-14)
    derivative = theta - q * (1 - after)
    np.testing.assert_allclose(derivative, sw2 * (table.slope - slope_gap), rtol=0, atol=2e-14)


@pytest.mark.parametrize("sigma_w", [1.0, 1.6])
def test_kernels_profile_of_erf_agrees_with_mpmath(sigma_w):
    """Past the depth where the interpolant takes over, ordered and chaotic."""
    sigma_b, q, c, depth = 0.3, (1.0, 0.4), 0.3, 400
    profile = depth_profile([20, depth], activation="erf", sigma_w=sigma_w, sigma_b=sigma_b, q1=q, c1=c)
    with mp.workdps(80):
        sw2, sb2 = mp.mpf(sigma_w) ** 2, mp.mpf(sigma_b) ** 2
        q1, q2 = mp.mpf(q[0]), mp.mpf(q[1])
        s = theta = mp.mpf(c) * mp.sqrt(q1 * q2)
        for layer in range(2, depth + 1):
            increment = sb2 + sw2 * 2 / mp.pi * mp.asin(2 * s / mp.sqrt((1 + 2 * q1) * (1 + 2 * q2)))
            theta = increment + sw2 * 4 / mp.pi / mp.sqrt((1 + 2 * q1) * (1 + 2 * q2) - 4 * s**2) * theta
            q1, q2 = (sb2 + sw2 * 2 / mp.pi * mp.asin(2 * v / (1 + 2 * v)) for v in (q1, q2))
            s = increment
            if layer in (20, depth):
                k = int(layer == depth)
                gamma = 1 - s / mp.sqrt(q1 * q2)
                # 400 layers of relative errors 1e-15, or their fixed point
                assert abs(profile.one_minus_c[k] / gamma - 1) < 1e-12
                assert abs(profile.ntk[k] / theta - 1) < 1e-12


def test_kernels_profile_is_the_matrix_recursion():
    for activation, residual in [("relu", True), ("tanh", False), ("gelu", False), ("softplus", True)]:
        x = inputs(2, seed=3)
        network = {"activation": activation, "sigma_w": 0.9, "sigma_b": 0.2}
        first = fcn_kernels(x, depth=1, **network).nngp
        c1 = first[0, 1] / np.sqrt(first[0, 0] * first[1, 1])
        profile = depth_profile(
            [6], q1=np.diag(first), c1=c1, architecture="residual" if residual else "fcn", **network
        )
        nngp, ntk = (residual_kernels if residual else fcn_kernels)(x, depth=6, **network)
        np.testing.assert_allclose([profile.nngp[0], profile.ntk[0]], [nngp[0, 1], ntk[0, 1]], rtol=1e-12)
        np.testing.assert_allclose(profile.q[0], np.diag(nngp), rtol=1e-13)
        np.testing.assert_allclose(profile.ntk_diagonal[0], np.diag(ntk), rtol=1e-13)


def test_kernels_profile_rescales_what_leaves_float64():
    network = {"activation": "relu", "sigma_w": 1.0, "sigma_b": 0.3, "architecture": "residual"}
    plain, scaled = depth_profile([50], **network), depth_profile([50], rescale=True, **network)
    factor = np.exp(scaled.log_scale[0])
    np.testing.assert_allclose(factor, 1.5**49, rtol=1e-13)
    for name in ("q", "nngp", "ntk", "ntk_diagonal"):
        np.testing.assert_allclose(getattr(scaled, name) * factor, getattr(plain, name), rtol=1e-12)
    np.testing.assert_allclose(scaled.one_minus_c, plain.one_minus_c, rtol=1e-12)
    with pytest.raises(ValueError, match="range of float64"):
        depth_profile([10**4], **network)
    assert np.isfinite(depth_profile([10**4], rescale=True, **network).ntk).all()
    with pytest.raises(ValueError, match="rescale"):
        depth_profile([3], rescale=True, activation="tanh", sigma_w=1.0, sigma_b=0.0)


# First layer


@pytest.mark.parametrize("sign", [1, -1])
def test_kernels_first_layer_keeps_near_duplicates_and_opposites(sign):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((8, 30))
    y = sign * np.array([[3.0], [1.0]] * 4) * x + np.array([[1e-7], [1e-9]] * 4) * rng.standard_normal(
        (8, 30)
    )
    for sigma_b in (0.0, 0.7):
        with float64():
            (_, u1, _), (_, u2, _) = (first_layer.directions(z, np.sqrt(2.0), sigma_b) for z in (x, y))
            gamma = np.asarray(first_layer.first_gamma(u1, u2, np.zeros((8, 8), bool)))
        with mp.workdps(50):
            for i in range(8):
                for j in range(8):
                    a, b = mp.matrix(x[i].tolist()), mp.matrix(y[j].tolist())
                    dot = lambda u, v, b=sigma_b: 2 * mp.fdot(u, v) / 30 + mp.mpf(b) ** 2  # noqa: E731
                    exact = 1 - dot(a, b) / mp.sqrt(dot(a, a) * dot(b, b))
                    near = min(exact, 2 - exact)
                    # parallel inputs of different norms: the rounding of a - b, eps |a|, on top
                    bound = 1e-13 * near + 4 * EPS * mp.sqrt(near)
                    # near 2, that of gamma itself, half a unit in its last place
                    assert abs(gamma[i, j] - exact) < bound + (EPS / 2 if exact > 1 else 0)
    same = fcn_kernels(np.stack([x[0], x[0]]), depth=30, activation="relu", sigma_w=1.4, sigma_b=0.1)
    np.testing.assert_allclose(same.ntk, same.ntk[0, 0], rtol=1e-14)


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("sign", [1, -1])
def test_kernels_first_layer_keeps_what_lies_between_near_and_far(sign, traced):
    """1 - c (or 1 + c) from 1e-1 to 1e-5, on both sides of where the formula changes."""
    gaps = np.array([1e-1, 3e-2, 0.0101, 0.0099, 9e-3, 1e-3, 1e-4, 1e-5])
    rng = np.random.default_rng(2)
    x, noise = rng.standard_normal((2, len(gaps), 30))
    noise -= np.sum(noise * x, axis=1, keepdims=True) / np.sum(x * x, axis=1, keepdims=True) * x
    noise *= np.linalg.norm(x, axis=1, keepdims=True) / np.linalg.norm(noise, axis=1, keepdims=True)
    y = sign * (x + np.sqrt(1 / (1 - gaps[:, None]) ** 2 - 1) * noise)

    def gammas(x, y):
        (_, u1, _), (_, u2, _) = (first_layer.directions(z, 1.3, 0.0) for z in (x, y))
        return first_layer.first_gamma(u1, u2, np.zeros((len(gaps), len(gaps)), bool))

    with float64():
        found = np.diag(jax.jit(gammas)(x, y) if traced else gammas(x, y))
    with mp.workdps(40):
        for gap, one, a, b in zip(gaps, found, x, y, strict=True):
            a, b = mp.matrix(a.tolist()), mp.matrix(b.tolist())
            exact = 1 - mp.fdot(a, b) / mp.sqrt(mp.fdot(a, a) * mp.fdot(b, b))
            near = min(exact, 2 - exact)
            assert abs(near / gap - 1) < 1e-9
            # from |u - v|^2/2 the rounding of u - v, elsewhere that of a product of 30 terms
            rounding = 4 * EPS * mp.sqrt(near) if near < first_layer.NEAR else 30 * EPS
            assert abs(one - exact) < rounding + (EPS / 2 if exact > 1 else 0)


@pytest.mark.parametrize("depth", [3, 18])
def test_kernels_of_near_duplicates_agree_with_mpmath(depth):
    """Theta feels sqrt(gamma): from the product of the directions it would have half of the digits."""
    x, noise = inputs(5, 30), np.random.default_rng(1).standard_normal(30)
    x[3] = x[0] + 1e-7 * noise
    result = fcn_kernels(x, depth=depth, activation="relu", sigma_w=1.3, sigma_b=0.0)
    for i, j in ((0, 3), (0, 2)):
        with mp.workdps(40):
            a, b = mp.matrix(x[i].tolist()), mp.matrix(x[j].tolist())
            q1, q2, dot = (mp.mpf(1.3) ** 2 * mp.fdot(u, v) / 30 for u, v in ((a, a), (b, b), (a, b)))
            _, _, theta = exact_profile(depth, (q1, q2), dot / mp.sqrt(q1 * q2), 1.3, 0.0, 0.0, 0)
        assert abs(result.ntk[i, j] / theta - 1) < 40 * depth * EPS


# Properties


# One activation of each kind of closed form in every run, all in make test-everywhere.
SAMPLE = {(fcn_kernels, name) for name in ("relu", "erf", "tanh", "elu")} | {(residual_kernels, "gelu")}


@pytest.mark.parametrize(
    ("kernel_function", "activation"),
    [
        pytest.param(function, name, marks=() if (function, name) in SAMPLE else pytest.mark.everywhere)
        for function in (fcn_kernels, residual_kernels)
        for name in ALL
    ],
)
def test_kernels_are_symmetric_and_positive(activation, kernel_function):
    x = np.concatenate([inputs(8), np.zeros((1, 6)), inputs(1) * (1 + 1e-9), -inputs(1)])
    network = {"depth": 3, "activation": activation, "sigma_w": 1.1, "sigma_b": 0.0}
    result = kernel_function(x, **network)
    rectangle = kernel_function(x, x[:4], **network)
    for kernel, part in zip(result, rectangle, strict=True):
        assert kernel.dtype == np.float64
        assert isinstance(kernel, np.ndarray)
        assert np.isfinite(kernel).all()
        assert np.array_equal(kernel, kernel.T)
        # the rounding of an n by n matrix moves its eigenvalues by n eps times the largest
        values = np.linalg.eigvalsh(kernel)
        assert values[0] > -4 * len(x) * EPS * values[-1]
        np.testing.assert_allclose(kernel[:, :4], part, rtol=1e-13, atol=1e-13 * values[-1])
    variances = np.diag(result.nngp)
    assert np.all(np.abs(result.nngp) <= np.sqrt(np.outer(variances, variances)) * (1 + 8 * EPS))


def test_kernels_do_not_depend_on_blocks(monkeypatch):
    x, y = inputs(23), inputs(17, seed=9)
    whole, rectangle = fcn_kernels(x, **NETWORK), fcn_kernels(x, y, **NETWORK)
    monkeypatch.setattr(block, "SIDES", (5,))
    for tiled, expected in ((fcn_kernels(x, **NETWORK), whole), (fcn_kernels(x, y, **NETWORK), rectangle)):
        for a, b in zip(tiled, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-14)
    assert np.array_equal(tiled.nngp.shape, (23, 17))
    symmetric = fcn_kernels(x, **NETWORK)
    assert all(np.array_equal(k, k.T) for k in symmetric)


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_kernels_compile_once_for_all_numbers_of_inputs(activation):
    program = block.relu_layers if activation == "relu" else block.general_layers
    network = {"activation": activation, "sigma_w": 1.3, "sigma_b": 0.2}
    fcn_kernels(inputs(25), depth=4, **network)
    compiled = program._cache_size()
    for n, features, depth in [(20, 6, 3), (30, 6, 7), (17, 9, 3), (32, 9, 50)]:
        fcn_kernels(inputs(n, features), depth=depth, **network)
    assert program._cache_size() == compiled


def test_kernels_relu_is_homogeneous():
    x, scales = inputs(7), np.random.default_rng(2).uniform(0.1, 10.0, 7)
    network = dict(NETWORK, sigma_b=0.0, depth=9)
    for a, b in zip(fcn_kernels(x, **network), fcn_kernels(scales[:, None] * x, **network), strict=True):
        np.testing.assert_allclose(b, np.outer(scales, scales) * a, rtol=1e-12)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.sampled_from(["relu", "erf", "tanh", "gelu"]), st.integers(0, 1000))
def test_kernels_are_invariant_under_orthogonal_maps(activation, seed):
    rotation = np.linalg.qr(np.random.default_rng(seed).standard_normal((6, 6)))[0]
    network = {"depth": 3, "activation": activation, "sigma_w": 1.2, "sigma_b": 0.1}
    x = inputs(5, seed=seed)
    for a, b in zip(fcn_kernels(x, **network), fcn_kernels(x @ rotation, **network), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * np.diag(a).max())


@pytest.mark.parametrize("activation", ["relu", "erf", "tanh", "elu", "softplus", "sigmoid"])
def test_kernels_correlation_map_is_increasing(activation):
    """d/dc E[phi phi] = q E[phi' phi'] >= 0 for these increasing activations (Price's theorem)."""
    gammas = [
        depth_profile([2], activation=activation, sigma_w=1.5, sigma_b=0.2, c1=c).one_minus_c[0]
        for c in np.linspace(-1, 1, 21)
    ]
    assert np.all(np.diff(gammas) < 0)
    assert gammas[-1] == 0.0


def test_kernels_of_one_layer_and_of_linear_networks():
    x = inputs(5)
    gram = 0.04 + 1.69 * x @ x.T / 6
    for kernel in fcn_kernels(x, **dict(NETWORK, depth=1)):
        np.testing.assert_allclose(kernel, gram, rtol=1e-13, atol=1e-14)
    linear = fcn_kernels(x, depth=4, activation="linear", sigma_w=1.0, sigma_b=0.0)
    np.testing.assert_allclose(linear.ntk, 4 * x @ x.T / 6, atol=1e-13)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_kernels_without_weights(activation):
    """sigma_w = 0 leaves the bias alone."""
    for sigma_b in (0.0, 0.5):
        result = fcn_kernels(inputs(3), depth=3, activation=activation, sigma_w=0.0, sigma_b=sigma_b)
        for kernel in result:
            np.testing.assert_allclose(kernel, sigma_b**2, rtol=1e-15)


def test_kernels_are_float64_without_the_global_switch():
    assert not jax.config.jax_enable_x64
    result = fcn_kernels(inputs(3).astype(np.float32), **NETWORK)
    assert result.ntk.dtype == np.float64
    assert jnp.ones(1).dtype == np.float32


def test_kernels_results_can_be_written():
    for x2 in (None, inputs(3)):
        assert all(kernel.flags.writeable for kernel in fcn_kernels(inputs(4), x2, **NETWORK))


# Traced by jit, grad and vmap


def derivative_cases():
    a = inputs(1, 3)
    return {"generic": (a, inputs(1, 3, seed=1)), "identical": (a, a), "opposite": (a, -a)}


@pytest.mark.parametrize(
    ("kernel_function", "activation", "sigma_b"),
    [
        (fcn_kernels, "relu", 0.0),
        (fcn_kernels, "tanh", 0.4),
        (residual_kernels, "relu", 0.4),
        pytest.param(fcn_kernels, "relu", 0.4, marks=pytest.mark.everywhere),
        pytest.param(residual_kernels, "relu", 0.0, marks=pytest.mark.everywhere),
        pytest.param(residual_kernels, "tanh", 0.4, marks=pytest.mark.everywhere),
    ],
)
def test_kernels_derivatives_are_finite_differences(kernel_function, activation, sigma_b):
    """In x, sigma_w and sigma_b; where the NTK of ReLU has a cusp, symmetric ones."""
    network = {"depth": 3, "activation": activation}

    def kernels_of(x1, sigma_w, sigma_b, x2):
        return jnp.stack(kernel_function(x1, x2, sigma_w=sigma_w, sigma_b=sigma_b, **network))[:, 0, 0]

    with float64():
        gradient = jax.jit(jax.jacrev(kernels_of, argnums=(0, 1, 2)))
    for x1, x2 in derivative_cases().values():
        with float64():
            by_x, by_w, by_b = (np.asarray(g) for g in gradient(jnp.asarray(x1), 1.3, sigma_b, x2))

        def difference(change, x1=x1, x2=x2, step=1e-5):
            ends = []
            for sign in (1, -1):
                x, w, b = (sign * step * c for c in change)
                result = kernel_function(x1 + x, x2, sigma_w=1.3 + w, sigma_b=abs(sigma_b + b), **network)
                ends.append(np.array([result.nngp[0, 0], result.ntk[0, 0]]))
            return (ends[0] - ends[1]) / (2 * step)

        for k in range(3):
            np.testing.assert_allclose(by_x[:, 0, k], difference((np.eye(3)[k], 0, 0)), atol=1e-6)
        np.testing.assert_allclose(by_w, difference((0, 1, 0)), atol=1e-6)
        np.testing.assert_allclose(by_b, difference((0, 0, 1)), atol=1e-6)


def test_kernels_derivative_at_a_zero_input_is_that_of_the_linear_part():
    """Without bias: 3 for a linear kernel; 1/4, the odd part in c, from Sigma and Theta of one ReLU layer."""
    x2 = inputs(1, 3)
    for activation, depth, expected in (("linear", 3, 3.0), ("relu", 2, 0.25 + 0.25)):

        def ntk(x, activation=activation, depth=depth):
            network = {"depth": depth, "activation": activation, "sigma_w": 1.0, "sigma_b": 0.0}
            return fcn_kernels(x, x2, **network).ntk[0, 0]

        with float64():
            value, gradient = jax.value_and_grad(ntk)(jnp.zeros((1, 3)))
        assert float(value) == 0.0
        np.testing.assert_allclose(np.asarray(gradient), expected * x2 / 3, rtol=1e-13)


def test_kernels_under_jit_and_vmap_are_those_of_the_driver():
    x, widths = inputs(5), np.array([0.7, 1.3])
    with float64():
        run = jax.jit(jax.vmap(lambda w: fcn_kernels(x, depth=4, activation="relu", sigma_w=w, sigma_b=0.2)))
        traced = run(widths)
        batch = jax.jit(jax.vmap(lambda x: fcn_kernels(x, **NETWORK)))(np.stack([x, 2 * x]))
    expected = [fcn_kernels(x, depth=4, activation="relu", sigma_w=w, sigma_b=0.2) for w in widths]
    for name in ("nngp", "ntk"):
        np.testing.assert_allclose(getattr(traced, name), [getattr(e, name) for e in expected], rtol=1e-13)
        np.testing.assert_allclose(
            getattr(batch, name)[1], getattr(fcn_kernels(2 * x, **NETWORK), name), rtol=1e-13
        )


def test_kernels_inside_a_traced_function_work_and_poison_nothing():
    x = inputs(4)

    @jax.jit
    def scaled(factor):
        return factor * fcn_kernels(x, **NETWORK).ntk

    expected = fcn_kernels(x, **NETWORK).ntk
    np.testing.assert_allclose(scaled(2.0), 2.0 * expected, rtol=1e-6)
    np.testing.assert_array_equal(fcn_kernels(x, **NETWORK).ntk, expected)
    with pytest.raises(ValueError, match="needs 64 bits where its arguments are traced"):
        jax.jit(lambda x: fcn_kernels(x, **NETWORK))(x)
    np.testing.assert_array_equal(fcn_kernels(x, **NETWORK).ntk, expected)
    with pytest.raises(ValueError, match="depth_profile computes with numbers: it cannot be traced"):
        jax.jit(lambda q: depth_profile([3], activation="relu", sigma_w=1.0, sigma_b=0.0, q1=(q, 1.0)))(1.0)


def test_kernels_whatever_the_caller_has_set():
    x, expected = inputs(4), fcn_kernels(inputs(4), **NETWORK)
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"), jax.debug_nans(True):
        for activation in ("relu", "tanh"):
            result = fcn_kernels(x, **dict(NETWORK, activation=activation))
            if activation == "relu":
                np.testing.assert_array_equal(result.ntk, expected.ntk)
            depth_profile([40], activation=activation, sigma_w=1.2, sigma_b=0.1)


# Inputs of very different norms


@pytest.mark.parametrize("sigma_b", [0.0, 0.3])
@pytest.mark.parametrize("ratio", [1e3, 1e12, 1e16, 1e150])
def test_kernels_of_parallel_inputs_of_very_different_norm(ratio, sigma_b):
    x = inputs(1, 30)
    result = fcn_kernels(x, ratio * x, depth=3, activation="relu", sigma_w=1.3, sigma_b=sigma_b)
    with mp.workdps(400):
        a = mp.mpf(1.69) / 30 * mp.fdot(*[mp.matrix(x[0].tolist())] * 2)
        b = mp.mpf(sigma_b) ** 2
        q1, q2, dot = a + b, a * mp.mpf(ratio) ** 2 + b, a * mp.mpf(ratio) + b
        _, sigma, theta = exact_profile(3, (q1, q2), dot / mp.sqrt(q1 * q2), 1.3, sigma_b, 0.0, 0, digits=400)
        assert abs(result.nngp[0, 0] / sigma - 1) < 40 * EPS
        assert abs(result.ntk[0, 0] / theta - 1) < 40 * EPS


@pytest.mark.parametrize("ratio", [1e2, 1e6, 1e12])
def test_kernels_profile_of_very_different_variances(ratio):
    """The general recursion on erf, against mpmath: the correlation keeps its digits."""
    q = (1e-8, 1e-8 * ratio)
    profile = depth_profile([2, 3], activation="erf", sigma_w=1.4, sigma_b=0.0, q1=q, c1=0.999)
    with mp.workdps(60):
        q1, q2 = mp.mpf(q[0]), mp.mpf(q[1])
        s = mp.mpf(1 - mp.mpf(1 - 0.999)) * mp.sqrt(q1 * q2)
        sw2 = mp.mpf(1.4) ** 2
        for k in range(2):
            s = sw2 * 2 / mp.pi * mp.asin(2 * s / mp.sqrt((1 + 2 * q1) * (1 + 2 * q2)))
            q1, q2 = (sw2 * 2 / mp.pi * mp.asin(2 * v / (1 + 2 * v)) for v in (q1, q2))
            exact = 1 - s / mp.sqrt(q1 * q2)
            assert abs(profile.one_minus_c[k] - exact) < 40 * EPS


# Bad input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": 0}, "depth must be a positive integer, got 0"),
        ({"depth": 2.5}, "depth must be a positive integer, got 2.5"),
        ({"depth": True}, "depth must be a positive integer, got True"),
        ({"sigma_w": -1.0}, "sigma_w must be a finite standard deviation, 0 or more, got -1.0"),
        ({"sigma_b": np.nan}, "sigma_b must be a finite"),
        ({"sigma_w": "a"}, "sigma_w must be a finite"),
        ({"sigma_w": np.inf}, "sigma_w must be a finite"),
        ({"activation": "sine"}, "activation"),
        ({"depth": 3000, "sigma_w": 3.0}, "range of float64"),
        ({"activation": "gelu", "sigma_w": 3.0, "depth": 60}, "variance q must stay in"),
        ({"activation": "elu", "sigma_w": 3.0, "depth": 60}, "variance q must stay in"),
    ],
)
def test_kernels_name_bad_arguments(change, message):
    for function in (fcn_kernels, residual_kernels):
        with pytest.raises(ValueError, match=message):
            function(inputs(3), **dict(NETWORK, **change))


@pytest.mark.parametrize(
    ("x1", "x2", "message"),
    [
        (np.ones(3), None, r"x1 must have shape \(examples, features\)"),
        (np.ones((3, 0)), None, "x1 must have shape"),
        (np.array([[1.0, np.nan]]), None, "x1 must be finite"),
        (np.ones((2, 3)), np.ones((2, 4)), "same number of features"),
        (np.ones((2, 3)), np.full((2, 3), np.inf), "x2 must be finite"),
        ("text", None, "x1 must be an array of real numbers"),
        ([[1.0], [1.0, 2.0]], None, "x1"),
        (np.ones((2, 3), complex), None, "x1 must be an array of real numbers"),
    ],
)
def test_kernels_name_bad_inputs(x1, x2, message):
    with pytest.raises(ValueError, match=message):
        fcn_kernels(x1, x2, **NETWORK)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depths": [3, 0]}, "depths must be a positive integer, got 0"),
        ({"depths": []}, "depths must hold at least one"),
        ({"depths": [2.5]}, "depths must be a positive integer"),
        ({"q1": (1.0, 0.0)}, "q1 must be two positive variances"),
        ({"q1": 1.0}, "q1 must be two positive variances"),
        ({"c1": 1.5}, "c1 must be a correlation"),
        ({"architecture": "conv"}, "architecture must be one of 'fcn', 'residual', got 'conv'"),
        ({"activation": "silu", "sigma_w": 3.0, "depths": [100]}, "variance q must stay in"),
    ],
)
def test_kernels_profile_names_bad_arguments(change, message):
    arguments = {"depths": [3], "activation": "relu", "sigma_w": 1.0, "sigma_b": 0.0, **change}
    with pytest.raises(ValueError, match=message):
        depth_profile(arguments.pop("depths"), **arguments)
