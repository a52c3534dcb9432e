"""Mean field theory against mpmath, known limits and its own definitions."""

import math

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntk_helpers import activations
from ntk_helpers.activations import Activation
from ntk_helpers.kernels import depth_profile
from ntk_helpers.mean_field import (
    chi,
    correlation_fixed_point,
    depth_scales,
    edge_of_chaos,
    fixed_point,
    fixed_points,
    phase,
)

pytestmark = pytest.mark.slow("finds edges of chaos of many activations")

EPS = np.finfo(float).eps
FUNCTIONS = {
    "tanh": (mp.tanh, lambda x: mp.sech(x) ** 2),
    "erf": (mp.erf, lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x)),
    "elu": (lambda x: x if x > 0 else mp.expm1(x), lambda x: mp.mpf(1) if x > 0 else mp.exp(x)),
    "silu": (
        lambda x: x / (1 + mp.exp(-x)),
        lambda x: (1 + mp.exp(-x) * (1 + x)) / (1 + mp.exp(-x)) ** 2,
    ),
    "gelu": (lambda x: x * mp.ncdf(x), lambda x: mp.ncdf(x) + x * mp.npdf(x)),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), lambda x: mp.exp(-x) / (1 + mp.exp(-x)) ** 2),
}


def expectation(f, q):
    """E f(sqrt(q) Z) in mpmath, the line cut where a kink or a steep part lies."""
    s = mp.sqrt(q)
    cuts = [-12, -6, -3, -1, -1 / s / 4, 0, 1 / s / 4, 1, 3, 6, 12]
    return mp.quad(lambda z: f(s * z) * mp.npdf(z), sorted(mp.mpf(c) for c in cuts))


@pytest.mark.parametrize("sigma_b", [0.05, 0.2, 1.0])
@pytest.mark.parametrize("activation", FUNCTIONS)
def test_mean_field_edge_of_chaos_solves_both_equations_in_mpmath(activation, sigma_b):
    sigma_w, q = edge_of_chaos(activation, sigma_b=sigma_b)
    phi, slope = FUNCTIONS[activation]
    with mp.workdps(25):
        # Newton's method from the result: the distance to the root in many digits
        def system(w, v):
            return (
                w**2 * expectation(lambda x: slope(x) ** 2, v) - 1,
                mp.mpf(sigma_b) ** 2 + w**2 * expectation(lambda x: phi(x) ** 2, v) - v,
            )

        w, v = mp.mpf(sigma_w), mp.mpf(q)
        at = mp.matrix(system(w, v))
        h = mp.mpf(10) ** -10
        jacobian = mp.matrix(2, 2)
        for k, moved in enumerate((system(w + h, v), system(w, v + h))):
            for i in range(2):
                jacobian[i, k] = (moved[i] - at[i]) / h
        step = mp.lu_solve(jacobian, -at)
    assert abs(step[0]) < 1e-12 * sigma_w


def test_mean_field_edge_of_chaos_without_bias():
    exact = {"tanh": 1, "erf": math.sqrt(math.pi) / 2, "elu": 1, "silu": 2, "gelu": 2}
    for activation, sigma_w in exact.items():
        edge = edge_of_chaos(activation, sigma_b=0.0)
        assert edge.sigma_w == pytest.approx(sigma_w, rel=1e-15)
        assert edge.q == 0.0
        # the limit is reached from above: F(q) is of second order or more in q
        assert edge_of_chaos(activation, sigma_b=1e-3).sigma_w == pytest.approx(sigma_w, rel=0.05)
    for slope in (0.0, 0.1, -0.5, 1.0):
        edge = edge_of_chaos(activations.leaky_relu(slope), sigma_b=0.0)
        assert edge.sigma_w == pytest.approx(math.sqrt(2 / (1 + slope**2)), rel=1e-15)
        assert math.isnan(edge.q)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.sampled_from(["tanh", "erf", "elu", "sigmoid", "gelu", "silu"]), st.floats(1e-3, 2.0))
def test_mean_field_edge_of_chaos_is_critical(activation, sigma_b):
    sigma_w, q = edge_of_chaos(activation, sigma_b=sigma_b)
    assert chi(activation, sigma_w=sigma_w, q=q) == pytest.approx(1.0, abs=1e-12)
    nearest = min(
        fixed_points(activation, sigma_w=sigma_w, sigma_b=sigma_b), key=lambda point: abs(point.q - q)
    )
    assert nearest.q == pytest.approx(q, rel=1e-8)
    stable = not ((activation == "gelu" and sigma_b < 0.41) or (activation == "silu" and sigma_b < 0.74))
    # between these and 0.42, 0.75 the fixed point turns
    if activation not in ("gelu", "silu") or not (0.41 < sigma_b < 0.42 or 0.74 < sigma_b < 0.75):
        assert nearest.stable == stable
    if stable and nearest.stable:
        assert phase(activation, sigma_w=sigma_w, sigma_b=sigma_b) == "critical"
        assert phase(activation, sigma_w=sigma_w * (1 - 1e-6), sigma_b=sigma_b) == "ordered"
        assert phase(activation, sigma_w=sigma_w * (1 + 1e-6), sigma_b=sigma_b) == "chaotic"
        assert depth_scales(activation, sigma_w=sigma_w * (1 - 1e-6), sigma_b=sigma_b).xi_c > 1e3


def test_mean_field_softplus_has_no_edge_of_chaos():
    for sigma_b in (0.0, 0.3, 2.0):
        with pytest.raises(
            ValueError, match=r"softplus has no edge of chaos.*chi_1 < 1 at every fixed point"
        ):
            edge_of_chaos("softplus", sigma_b=sigma_b)
    # the inequality behind it, u phi'(u) < phi(u), and what follows for the expectations
    u = np.linspace(-30, 30, 1001)
    assert np.all(u / (1 + np.exp(-u)) < np.logaddexp(0, u))
    q = np.logspace(-6, 4, 200)
    second, slope = activations.get("softplus").variance(q)
    assert np.all(q * slope < second)


def test_mean_field_sigmoid_has_an_edge_of_chaos_far_out():
    """sigma_w phi(y) = sigma_w/2 + (sigma_w/2) tanh(y/2): a tanh network of half the scale with a bias."""
    sigma_w, q = edge_of_chaos("sigmoid", sigma_b=0.0)
    assert 10 < sigma_w < 10.3
    second, slope = activations.get("tanh").variance(q / 4)
    assert sigma_w**2 * slope / 16 == pytest.approx(1.0, abs=1e-12)
    assert sigma_w**2 * (1 + second) / 4 == pytest.approx(q, rel=1e-12)
    assert phase("sigmoid", sigma_w=9.0, sigma_b=0.0) == "ordered"
    assert phase("sigmoid", sigma_w=12.0, sigma_b=0.0) == "chaotic"


def test_mean_field_relu_with_bias_has_no_edge_of_chaos():
    with pytest.raises(ValueError, match="sigma_b must be 0 on the edge of chaos of relu"):
        edge_of_chaos("relu", sigma_b=0.1)


# Fixed points


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    st.sampled_from(["tanh", "erf", "elu", "softplus", "sigmoid", "silu", "gelu"]),
    st.floats(0.3, 3.0),
    st.floats(0.0, 1.0),
)
def test_mean_field_fixed_points_are_fixed_and_stability_is_that_of_the_iteration(
    activation, sigma_w, sigma_b
):
    phi = activations.get(activation)

    def step(q):
        return sigma_b**2 + sigma_w**2 * float(phi.variance(q)[0])

    points = fixed_points(activation, sigma_w=sigma_w, sigma_b=sigma_b)
    assert [p.q for p in points] == sorted(p.q for p in points)
    for point in points:
        assert step(point.q) == pytest.approx(point.q, rel=1e-12, abs=1e-300)
        if point.q > 0:
            # the slope against a central difference, whose error is of order h^2
            h = 1e-4 * point.q
            assert (step(point.q + h) - step(point.q - h)) / (2 * h) == pytest.approx(point.slope, abs=1e-6)
            assert point.stable == (abs(point.slope) < 1)
    stable = [p.q for p in points if p.stable]
    if stable:
        assert fixed_point(activation, sigma_w=sigma_w, sigma_b=sigma_b) in stable
    else:
        with pytest.raises(ValueError, match="no stable fixed point"):
            fixed_point(activation, sigma_w=sigma_w, sigma_b=sigma_b)


def test_mean_field_finds_all_fixed_points():
    # GELU just above sigma_w = sqrt 2: an ordered fixed point and an unstable one above it
    low, high = fixed_points("gelu", sigma_w=1.5, sigma_b=0.1)
    assert (low.stable, high.stable) == (True, False)
    assert fixed_point("gelu", sigma_w=1.5, sigma_b=0.1) == low.q
    # they meet and vanish as sigma_w grows; a hair before, a grid alone would miss them
    inside, outside = 1.5, 2.0
    while outside - inside > 1e-9:
        middle = 0.5 * (inside + outside)
        inside, outside = (
            (middle, outside) if fixed_points("gelu", sigma_w=middle, sigma_b=0.1) else (inside, middle)
        )
    pair = fixed_points("gelu", sigma_w=inside, sigma_b=0.1)
    assert len(pair) == 2
    assert pair[1].q / pair[0].q < 1.02
    assert pair[0].slope < 1 < pair[1].slope
    assert fixed_points("gelu", sigma_w=outside, sigma_b=0.1) == ()
    # tanh without bias: 0 alone, then 0 unstable and one more
    assert fixed_points("tanh", sigma_w=0.9, sigma_b=0.0) == ((0.0, pytest.approx(0.81), True),)
    zero, other = fixed_points("tanh", sigma_w=1.2, sigma_b=0.0)
    assert (zero.q, zero.stable, other.stable) == (0.0, False, True)
    assert fixed_points("tanh", sigma_w=1.0, sigma_b=0.0) == ((0.0, 1.0, True),)


@pytest.mark.parametrize(("scale", "upper"), [(1.0, True), (3.0, False)])
def test_mean_field_of_a_bistable_activation(scale, upper):
    """tanh(x)^3 is small near 0 and saturates: two stable points, and an unstable one between them."""
    phi = activations.Activation("cubed tanh", lambda x: 3 * scale * jnp.tanh(x / scale) ** 3)
    points = fixed_points(phi, sigma_w=0.9, sigma_b=0.1)
    assert [point.stable for point in points] == [True, False, True]
    low, middle, high = (point.q for point in points)
    assert (middle < 1) == upper
    z = np.linspace(-12, 12, 1001)  # the trapezoidal rule, whose error is exponentially small
    weights = np.exp(-z * z / 2)

    def limit(q):
        """Where the variance ends that begins at q."""
        for _ in range(500):
            square = (3 * scale * np.tanh(np.sqrt(q) * z / scale) ** 3) ** 2
            q = 0.1**2 + 0.9**2 * weights @ square / weights.sum()
        return q

    for start, end in ((0.0, low), (0.99 * middle, low), (1.01 * middle, high), (10 * high, high)):
        assert limit(start) == pytest.approx(end, rel=1e-6)
    near_one = fixed_point(phi, sigma_w=0.9, sigma_b=0.1)
    assert near_one == (high if upper else low)
    assert near_one == pytest.approx(limit(1.0), rel=1e-6)


def test_mean_field_of_relu_like_activations():
    assert fixed_point("relu", sigma_w=1.0, sigma_b=0.5) == pytest.approx(0.5, rel=1e-14)
    assert fixed_points("relu", sigma_w=1.5, sigma_b=0.5) == ()
    assert fixed_points("relu", sigma_w=1.5, sigma_b=0.0) == ((0.0, pytest.approx(1.125), False),)
    with pytest.raises(ValueError, match="every q is a fixed point"):
        fixed_points("relu", sigma_w=math.sqrt(2), sigma_b=0.0)
    for sigma_w, expected in ((1.3, "ordered"), (math.sqrt(2), "critical"), (1.5, "chaotic")):
        assert (
            phase("relu", sigma_w=sigma_w, sigma_b=0.0)
            == phase("relu", sigma_w=sigma_w, sigma_b=0.4)
            == expected
        )
    np.testing.assert_allclose(chi("relu", sigma_w=1.2, q=np.array([0.1, 1.0, 10.0])), 0.72, rtol=1e-14)
    assert correlation_fixed_point("relu", sigma_w=1.0, sigma_b=0.5) == (1.0, 0.0, pytest.approx(0.5))
    assert depth_scales("relu", sigma_w=1.0, sigma_b=0.5) == (pytest.approx(1 / math.log(2)),) * 2


# Correlation


@pytest.mark.parametrize(
    ("activation", "sigma_w", "sigma_b"), [("tanh", 2.0, 0.3), ("erf", 1.7, 0.1), ("elu", 1.3, 0.1)]
)
def test_mean_field_correlation_fixed_point_is_where_deep_networks_end(activation, sigma_w, sigma_b):
    point = correlation_fixed_point(activation, sigma_w=sigma_w, sigma_b=sigma_b)
    q = fixed_point(activation, sigma_w=sigma_w, sigma_b=sigma_b)
    depths = [2, 3, 2000]
    profile = depth_profile(
        depths, activation=activation, sigma_w=sigma_w, sigma_b=sigma_b, q1=(q, q), c1=0.3
    )
    # the rounding of 2000 layers, each contracting by the slope
    assert profile.one_minus_c[-1] == pytest.approx(point.one_minus_c, rel=1e-11)
    near = depth_profile(
        [2], activation=activation, sigma_w=sigma_w, sigma_b=sigma_b, q1=(q, q), c1=point.c + 1e-5
    )
    # the slope by a difference, with the error of one
    assert (point.one_minus_c - near.one_minus_c[0]) / 1e-5 == pytest.approx(point.slope, abs=1e-4)
    assert phase(activation, sigma_w=sigma_w, sigma_b=sigma_b) == "chaotic"
    assert point.slope < 1


@pytest.mark.parametrize(
    ("activation", "sigma_w"), [("tanh", 1.1), ("tanh", 2.0), ("erf", 1.0), ("erf", 3.0), ("sin", 1.5)]
)
def test_mean_field_odd_activations_without_bias_decorrelate(activation, sigma_w):
    """c tends to 0, where the map of c has the slope sigma_w^2 E[phi'(u)]^2."""
    point = correlation_fixed_point(activation, sigma_w=sigma_w, sigma_b=0.0)
    q = fixed_point(activation, sigma_w=sigma_w, sigma_b=0.0)
    # the rounding of a layer, over what the map contracts
    rounding = 4 * EPS / (1 - point.slope)
    assert point.c == pytest.approx(0.0, abs=rounding)
    assert point.one_minus_c == pytest.approx(1.0, abs=rounding)
    slope = mp.cos if activation == "sin" else FUNCTIONS[activation][1]
    mean = float(expectation(slope, q))
    assert point.slope == pytest.approx(sigma_w**2 * mean**2, rel=1e-12)
    for start in (0.9, -0.9):
        depths = [1500, 1501]
        deep = depth_profile(depths, activation=activation, sigma_w=sigma_w, sigma_b=0.0, q1=(q, q), c1=start)
        before, after = np.abs(1.0 - deep.one_minus_c)
        assert before < 0.2
        # from a correlation that is left, the next layer takes the slope's share
        assert after == pytest.approx(point.slope * before, abs=1e-14, rel=0.05)
    xi = depth_scales(activation, sigma_w=sigma_w, sigma_b=0.0).xi_c
    assert xi == pytest.approx(-1 / math.log(point.slope))


@pytest.mark.parametrize("activation", ["tanh", "gelu", "elu"])
@pytest.mark.parametrize("sigma_b", [1e-6, 1e-8, 1e-100])
def test_mean_field_finds_the_small_fixed_point_of_a_small_bias(activation, sigma_b):
    """Near q = 0 the network is linear: q = sigma_b^2 / (1 - sigma_w^2 phi'(0)^2), of relative error O(q)."""
    sigma_w = 0.5
    slope = {"gelu": 0.5}.get(activation, 1.0)
    expected = sigma_b**2 / (1 - (sigma_w * slope) ** 2)
    found = fixed_point(activation, sigma_w=sigma_w, sigma_b=sigma_b)
    assert found == pytest.approx(
        expected, rel=10 * math.sqrt(expected) - 4 * EPS * math.log(expected), abs=0.0
    )


@pytest.mark.parametrize(("activation", "at_zero"), [("sigmoid", 0.5), ("cos", 1.0)])
def test_mean_field_finds_the_small_fixed_point_of_small_weights(activation, at_zero):
    for sigma_w in (1e-7, 1e-50):
        q, expected = fixed_point(activation, sigma_w=sigma_w, sigma_b=0.0), (sigma_w * at_zero) ** 2
        # it is solved for log(q), to a rounding
        assert q == pytest.approx(expected, rel=2 * sigma_w - 4 * EPS * math.log(expected), abs=0.0)


@pytest.mark.parametrize("activation", ["tanh", "silu", "erf"])
def test_mean_field_refuses_an_edge_of_chaos_that_rounding_hides(activation):
    limit = edge_of_chaos(activation, sigma_b=0.0).sigma_w
    near = edge_of_chaos(activation, sigma_b=2e-5).sigma_w
    # sigma_w - limit is of order sigma_b^(2/3) for an odd activation, of order sigma_b for another
    assert 0 < abs(near - limit) < 2e-5 ** (2 / 3)
    for sigma_b in (1e-6, 1e-12, 1e-100):
        with pytest.raises(ValueError, match=f"sigma_b must be 0 or 1e-05 and more for {activation}"):
            edge_of_chaos(activation, sigma_b=sigma_b)
    assert edge_of_chaos("sigmoid", sigma_b=1e-12).q == pytest.approx(edge_of_chaos("sigmoid", sigma_b=0.0).q)


def test_mean_field_depth_scales_are_those_of_the_recursion():
    sigma_w, sigma_b = 1.1, 0.4
    scales = depth_scales("tanh", sigma_w=sigma_w, sigma_b=sigma_b)
    q = fixed_point("tanh", sigma_w=sigma_w, sigma_b=sigma_b)
    profile = depth_profile([30, 31], activation="tanh", sigma_w=sigma_w, sigma_b=sigma_b, q1=(q, q))
    # beside e^(-1/xi): a relative gamma
    ratio = profile.one_minus_c[1] / profile.one_minus_c[0]
    assert ratio == pytest.approx(math.exp(-1 / scales.xi_c), rel=10 * profile.one_minus_c[0])
    profile = depth_profile([15, 16], activation="tanh", sigma_w=sigma_w, sigma_b=sigma_b, q1=(q * 1.1, q))
    deviation = profile.q[:, 0] - q
    assert deviation[1] / deviation[0] == pytest.approx(math.exp(-1 / scales.xi_q), rel=1e-3)
    assert depth_scales("tanh", sigma_w=1.0, sigma_b=0.0) == (math.inf, math.inf)


def test_mean_field_without_bias_a_vanishing_variance_freezes_the_correlation():
    with pytest.raises(ValueError, match="takes the variance of tanh to 0, where correlations do not move"):
        correlation_fixed_point("tanh", sigma_w=0.8, sigma_b=0.0)
    xi_q, xi_c = depth_scales("tanh", sigma_w=0.8, sigma_b=0.0)
    assert xi_q == pytest.approx(-1 / math.log(0.8**2))
    assert xi_c == math.inf
    profile = depth_profile([40, 80], activation="tanh", sigma_w=0.8, sigma_b=0.0)
    assert profile.one_minus_c[1] == pytest.approx(profile.one_minus_c[0], rel=1e-6)
    assert profile.one_minus_c[1] > 0.1


@pytest.mark.parametrize(("name", "sigma_b"), [("sigmoid", 0.0), ("tanh", 0.2), ("elu", 0.2), ("erf", 0.3)])
def test_mean_field_correlations_tend_to_one_on_the_computed_edge(name, sigma_b):
    edge = edge_of_chaos(name, sigma_b=sigma_b)
    assert correlation_fixed_point(name, sigma_w=edge.sigma_w, sigma_b=sigma_b).c == 1.0


def test_mean_field_chi_is_the_slope_of_the_correlation_map():
    q, sigma_w = 0.7, 1.3
    gap = activations.get("tanh").gaps(q, q, 1e-8)[0]
    # second order in gamma, of relative size 1e-8
    assert sigma_w**2 * gap / (q * 1e-8) == pytest.approx(chi("tanh", sigma_w=sigma_w, q=q), rel=1e-7)
    assert isinstance(chi("tanh", sigma_w=sigma_w, q=q), float)


# Bad input


@pytest.mark.parametrize(
    "function", [fixed_points, fixed_point, phase, correlation_fixed_point, depth_scales]
)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tanh", -1.0, 0.0), "sigma_w must be a finite standard deviation, 0 or more, got -1.0"),
        (("tanh", 1.0, math.nan), "sigma_b must be a finite"),
        (("relu", 1.0, -0.1), "sigma_b must be a finite"),
        (("cosine", 1.0, 0.0), "activation"),
    ],
)
def test_mean_field_names_bad_arguments(function, arguments, message):
    activation, sigma_w, sigma_b = arguments
    with pytest.raises(ValueError, match=message):
        function(activation, sigma_w=sigma_w, sigma_b=sigma_b)


@pytest.mark.parametrize("function", [fixed_point, phase, correlation_fixed_point, depth_scales])
def test_mean_field_says_that_it_cannot_be_traced(function):
    with pytest.raises(ValueError, match=r"sigma_w must be a number here: it cannot be traced by jax\.jit"):
        jax.jit(lambda s: function("tanh", sigma_w=s, sigma_b=0.1))(1.0)


def test_mean_field_names_a_bad_variance():
    with pytest.raises(ValueError, match=r"q must be in \[0, 10000\] for elu"):
        chi("elu", sigma_w=1.0, q=1e5)
    with pytest.raises(ValueError, match="q must be in"):
        chi("tanh", sigma_w=1.0, q=-1.0)
    with pytest.raises(ValueError, match="sigma_b must be a finite"):
        edge_of_chaos("tanh", sigma_b=-1.0)


@pytest.mark.parametrize("name", ["tanh", "erf"])
def test_fixed_points_and_edges_of_bounded_activations_at_large_variances(name):
    """q = sigma_b^2 + sigma_w^2 V(q), where V is near 1: 1 - V is of order 1/sqrt(q)."""
    for sigma_w in (300.0, 1e4):
        q = fixed_point(name, sigma_w=sigma_w, sigma_b=0.3)
        assert q == pytest.approx(0.09 + sigma_w**2 * float(activations.get(name).variance(q)[0]), rel=1e-13)
        assert abs(q / sigma_w**2 - 1) < 2 / sigma_w
    point = edge_of_chaos(name, sigma_b=200.0)
    assert point.q > 1e4
    assert chi(name, sigma_w=point.sigma_w, q=point.q) == pytest.approx(1.0, rel=1e-12)
    assert fixed_point(name, sigma_w=point.sigma_w, sigma_b=200.0) == pytest.approx(point.q, rel=1e-9)


def test_fixed_points_of_an_own_activation_are_looked_for_in_its_range():
    """One whose expectations are those of tanh from q = 0.1 on, and nonsense below."""
    tanh = activations.get("tanh")

    def variance(q):
        return tuple(jnp.where(q < 0.1, 0.1 * q, value) for value in tanh.expectations.variance(q))

    expectations = tanh.expectations._replace(variance=variance)
    own = Activation("own", jnp.tanh, q_range=(0.1, 1e4), expectations=expectations)
    for function in (fixed_points, fixed_point, depth_scales, correlation_fixed_point):
        expected = np.ravel(function("tanh", sigma_w=1.5, sigma_b=0.1))
        np.testing.assert_allclose(np.ravel(function(own, sigma_w=1.5, sigma_b=0.1)), expected, rtol=1e-12)
    assert edge_of_chaos(own, sigma_b=1.0) == pytest.approx(edge_of_chaos("tanh", sigma_b=1.0), rel=1e-12)
    with pytest.raises(ValueError, match=r"q_range of own must reach below 0\.1: .* falls out of it"):
        fixed_points(own, sigma_w=0.8, sigma_b=0.1)
    with pytest.raises(ValueError, match=r"q_range of own must reach below 0\.1, where its edge of chaos"):
        edge_of_chaos(own, sigma_b=0.01)
