"""Gaussian expectations of the activations against mpmath, extended precision and neural-tangents.

Errors are relative: of moments to sqrt(E phi(u)^2 E phi(v)^2), since moments pass through zero; of gaps and
variances to themselves. Run with `-s` for the table of worst errors.
"""

import copy
import dataclasses
import functools
import importlib.util
import math
import pickle

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

from ntk_helpers import activations
from ntk_helpers._precision import float64
from ntk_helpers.activations import Activation, error_functions, first_jump, get, leaky_relu, quadrature

pytestmark = pytest.mark.slow("an oracle in many digits for each activation")

NAMES = (
    "linear",
    "relu",
    "leaky_relu",
    "erf",
    "tanh",
    "elu",
    "silu",
    "gelu",
    "softplus",
    "sigmoid",
    "sin",
    "cos",
)
SMOOTH = ("erf", "tanh", "silu", "gelu", "softplus", "sigmoid")
GAMMAS = (0.0, 1e-14, 1e-7, 1e-2, 0.5, 1.0, 1.7, 2.0)
INNER, OUTER = 1e-12, 1e-9  # promised for q in [1e-6, 100] and in [1e-8, 1e4]


def sampled(names, sample):
    """The names as parameters: those of the sample in every run, the others in make test-everywhere."""
    assert set(sample) <= set(names)
    return [pytest.param(name, marks=() if name in sample else pytest.mark.everywhere) for name in names]


def errors(activation, q1, q2, gamma, moments, gaps, v1, v2):
    """The worst error of moments, gaps and variances against references given as pairs (phi, phi')."""
    got = activation.moments(q1, q2, gamma), activation.gaps(q1, q2, gamma)
    worst = 0.0
    for i in range(2):
        scale = math.sqrt(float(v1[i]) * float(v2[i]))
        worst = max(worst, abs(float(got[0][i] - float(moments[i]))) / scale)
        # Where u = -v the gap of an even function vanishes: what is left is compared with its size elsewhere.
        gap = max(abs(float(gaps[i])), 1e-6 * scale if gamma > 1.9 else 0.0)
        difference = abs(float(got[1][i]) - float(gaps[i]))
        gap = gap if gap > 1e-30 * scale else 0.0  # a reference that is 0 but for its own rounding
        worst = max(worst, difference / gap if gap else difference)
        for q, reference in ((q1, v1[i]), (q2, v2[i])):
            worst = max(worst, abs(float(activation.variance(q)[i]) / float(reference) - 1.0))
    return worst


def report(title, name, worst):
    print(f"{title:<44} {name:<12} {worst:.1e}")


# mpmath


def mp_sigmoid(x):
    return 1 / (1 + mp.exp(-x))


MP_SMOOTH = {
    "erf": lambda x: (mp.erf(x), 2 / mp.sqrt(mp.pi) * mp.exp(-x * x)),
    "tanh": lambda x: (mp.tanh(x), mp.sech(x) ** 2),
    "sigmoid": lambda x: (mp_sigmoid(x), mp_sigmoid(x) * mp_sigmoid(-x)),
    "softplus": lambda x: (mp.log1p(mp.exp(x)), mp_sigmoid(x)),
    "silu": lambda x: (
        x * mp_sigmoid(x),
        mp_sigmoid(x) + x * mp_sigmoid(x) * mp_sigmoid(-x),
    ),
    "gelu": lambda x: (x * mp.ncdf(x), mp.ncdf(x) + x * mp.npdf(x)),
    "sin": lambda x: (mp.sin(x), mp.cos(x)),
    "cos": lambda x: (mp.cos(x), -mp.sin(x)),
}


def mp_plane(function, q1, q2, gamma, step):
    """Moments, gaps and variances of an analytic function, by the trapezoidal rule in the plane.

    The rule converges exponentially: the error is exp(-2 pi d / step), d the distance of the nearest
    singularity from the real axis in units of the standard deviation.
    """
    gamma, s1, s2 = mp.mpf(gamma), mp.sqrt(mp.mpf(q1)), mp.sqrt(mp.mpf(q2))
    along, across = mp.sqrt(1 - gamma / 2), mp.sqrt(gamma / 2)
    n = math.ceil(8.4 / step)
    x = [step * mp.mpf(i) for i in range(-n, n + 1)]
    w = [step * mp.exp(-t * t / 2) / mp.sqrt(2 * mp.pi) for t in x]
    sums = [mp.mpf(0)] * 8
    for z, wz in zip(x, w, strict=True):
        for t, wt in zip(x, w, strict=True):
            weight = wz * wt
            f, g = function(s1 * (along * z + across * t)), function(s2 * (along * z - across * t))
            for i in range(2):
                sums[i] += weight * f[i] * g[i]
                sums[2 + i] += weight * (f[i] - g[i]) ** 2 / 2
                sums[4 + i] += weight * f[i] ** 2
                sums[6 + i] += weight * g[i] ** 2
    return sums[:2], sums[2:4], sums[4:6], sums[6:]


@pytest.mark.parametrize("name", sampled([*SMOOTH, "sin", "cos"], ["erf", "tanh", "gelu", "sin", "cos"]))
def test_smooth_activations_against_mpmath(name):
    worst = 0.0
    with mp.workdps(34):
        for q1, q2, gamma in (
            (1, 1, 1e-14),
            (1, 1, 1.2),
            (0.6, 1.2, 0.3),
            (1e-6, 1e-6, 1e-14),
            (1e-6, 3e-6, 0.7),
        ):
            step = {"tanh": 0.19, "erf": 0.26}.get(name, 0.34) if q1 > 1e-3 else 0.5
            reference = mp_plane(MP_SMOOTH[name], q1, q2, gamma, step)
            worst = max(worst, errors(get(name), q1, q2, gamma, *reference))
    report("mpmath, q in {1e-6, 1}", name, worst)
    assert worst < INNER


def mp_elu(q1, q2, gamma):
    """References for ELU: over u in closed form given v, then over v by mpmath's adaptive quadrature."""
    gamma, s1, s2 = mp.mpf(gamma), mp.sqrt(mp.mpf(q1)), mp.sqrt(mp.mpf(q2))
    width = mp.sqrt(gamma * (2 - gamma)) * s1

    def phi(x):
        return (x, mp.mpf(1)) if x > 0 else (mp.expm1(x), mp.exp(x))

    def tilted(mean, s):  # E[exp(u); u < 0]
        return mp.exp(mean + s * s / 2) * mp.ncdf(-(mean + s * s) / s)

    def given(mean, s):
        if s == 0:
            return phi(mean)
        above, negative = mp.ncdf(mean / s), tilted(mean, s)
        positive = mean * above + s * mp.npdf(mean / s)
        return positive + negative - (1 - above), above + negative

    @functools.cache  # both integrals are over the same points
    def integrands(z):
        density = mp.npdf(z)
        return [a * b * density for a, b in zip(phi(s2 * z), given((1 - gamma) * s1 * z, width), strict=True)]

    def integral(i):
        def integrand(z):
            return integrands(z)[i]

        scales = [mp.mpf(1), 4 / (1 + s2)]
        if 0 < gamma < 2:
            scales += [r * width / s1 / max(abs(1 - gamma), mp.mpf("0.1")) for r in (1, 4, 12)]
        inner = {sign * r for r in scales for sign in (-1, 1) if r < 12}
        edges = sorted(inner | {mp.mpf(-12), mp.mpf(0), mp.mpf(12)})
        return mp.quad(integrand, edges)

    def variance(s):
        first = s * s / 2 + tilted(0, 2 * s) - 2 * tilted(0, s) + mp.mpf(1) / 2
        return first, mp.mpf(1) / 2 + tilted(0, 2 * s)

    moments, v1, v2 = [integral(0), integral(1)], variance(s1), variance(s2)
    return moments, [(v1[i] + v2[i]) / 2 - moments[i] for i in range(2)], v1, v2


@pytest.mark.parametrize("cases", sampled(["some", "all"], ["some"]))
def test_elu_against_mpmath(cases):
    worst = {INNER: 0.0, OUTER: 0.0}
    chosen = [(1e-6, 1e-6, 1e-14, INNER), (1.0, 3.0, 0.7, INNER), (100.0, 100.0, 1e-3, INNER)]
    chosen += [(1e-8, 1e-8, 0.7, OUTER), (1e4, 1e4, 1e-14, OUTER)]
    if cases == "all":
        chosen = [
            *((q, q, g, INNER) for q in (1e-6, 1.0, 100.0) for g in (1e-14, 1e-3, 0.7, 1.9)),
            *((q, 3 * q, g, INNER) for q in (1e-5, 1.0) for g in (1e-9, 0.7)),
            *((q, q, g, OUTER) for q in (1e-8, 1e4) for g in (1e-14, 0.7)),
        ]
    with mp.workdps(45):
        for q1, q2, gamma, tolerance in chosen:
            error = errors(get("elu"), q1, q2, gamma, *mp_elu(q1, q2, gamma))
            worst[tolerance] = max(worst[tolerance], error)
    report("mpmath, q in [1e-6, 100]", "elu", worst[INNER])
    report("mpmath, q in {1e-8, 1e4}", "elu", worst[OUTER])
    assert worst[INNER] < INNER
    assert worst[OUTER] < OUTER


@pytest.mark.parametrize("slope", [0.0, 1.0, 0.01, -0.7, -1.0, 3.0])
def test_relu_like_activations_against_mpmath(slope):
    worst = 0.0
    with mp.workdps(50):
        a = mp.mpf(slope)
        for q1, q2 in ((1e-8, 1e-8), (1.0, 1.0), (0.3, 7.0), (1.0, 1.0 + 1e-7), (1e4, 1e4)):
            for gamma in GAMMAS:
                s1, s2, c = mp.sqrt(mp.mpf(q1)), mp.sqrt(mp.mpf(q2)), 1 - mp.mpf(gamma)
                angle = mp.acos(c)
                kappa = (mp.sin(angle) + (mp.pi - angle) * c) / (2 * mp.pi)
                first = s1 * s2 * (a * c + (1 - a) ** 2 * kappa)
                second = a + (1 - a) ** 2 * (mp.pi - angle) / (2 * mp.pi)
                half = (1 + a * a) / 2
                v1, v2 = (half * q1, half), (half * q2, half)
                gaps = half * (mp.mpf(q1) + mp.mpf(q2)) / 2 - first, half - second
                worst = max(worst, errors(leaky_relu(slope), q1, q2, gamma, (first, second), gaps, v1, v2))
    report("mpmath, q in [1e-8, 1e4]", f"slope {slope:g}", worst)
    assert worst < INNER


def test_gap_at_the_antipode_does_not_cancel():
    # |u| - |v| vanishes for u = -v
    gap = leaky_relu(-1.0).gaps(1.0, 1.0, 2.0 - 2.0**-40)[0]
    with mp.workdps(40):
        c = -1 + mp.mpf(2) ** -40
        angle = mp.acos(c)
        exact = 1 + c - 2 * (mp.sin(angle) + (mp.pi - angle) * c) / mp.pi
    assert gap == pytest.approx(float(exact), rel=1e-12)


# Extended precision


@pytest.mark.skipif(np.finfo(np.longdouble).eps > 2e-19, reason="no extended precision on this machine")
@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus", "silu"])
def test_large_variance_against_extended_precision(name):
    real = np.longdouble

    def function(x):
        tail = np.exp(-np.abs(x))
        sigmoid = np.where(x > 0, 1 / (1 + tail), tail / (1 + tail))
        slope = tail / (1 + tail) ** 2
        if name == "tanh":
            return np.tanh(x), 4 * np.exp(-2 * np.abs(x)) / (1 + np.exp(-2 * np.abs(x))) ** 2
        if name == "sigmoid":
            return sigmoid, slope
        if name == "softplus":
            return np.maximum(x, 0) + np.log1p(tail), sigmoid
        return x * sigmoid, sigmoid + x * slope

    worst = 0.0
    # The error is exp(-2 pi d / step) with d = pi / (2 s), doubled for the others, times powers of 1 / step.
    for q1, q2, gamma in ((100.0, 100.0, 0.3), (100.0, 40.0, 1e-5)):
        step = real(0.018 if name == "tanh" else 0.036)
        n = int(8.4 / step) + 1
        x = step * np.arange(-n, n + 1, dtype=real)
        w = step * np.exp(-x * x / 2) / np.sqrt(2 * real(math.pi))
        along, across = np.sqrt(1 - real(gamma) / 2), np.sqrt(real(gamma) / 2)
        z, t = x[:, None], x[None, :]
        f = function(np.sqrt(real(q1)) * (along * z + across * t))
        g = function(np.sqrt(real(q2)) * (along * z - across * t))
        mean = [
            [w @ y @ w for y in ys]
            for ys in zip(
                *((a * b, (a - b) ** 2 / 2, a * a, b * b) for a, b in zip(f, g, strict=True)), strict=True
            )
        ]
        worst = max(worst, errors(get(name), q1, q2, gamma, *mean))
    report("extended precision, q = 100", name, worst)
    assert worst < INNER


# The quadrature over the plane: another method, for any activation


@pytest.fixture
def fine_quadrature(monkeypatch):
    monkeypatch.setattr(quadrature, "ANGULAR_NODES", 60)
    monkeypatch.setattr(quadrature, "RADIAL_NODES", 100)
    monkeypatch.setattr(quadrature, "LINE_NODES", 300)


@pytest.mark.parametrize("name", sampled([*SMOOTH, "elu", "leaky_relu"], ["silu", "elu", "leaky_relu"]))
def test_closed_forms_against_fine_quadrature(name, fine_quadrature):
    activation = get(name)
    plane = quadrature.expectations(activation.phi, activation.dphi, activation.kinks)
    corners = [(q, q) for q in (1e-8, 1e-6, 1e-3, 1.0, 10.0, 100.0, 1e4)]
    pairs = [*corners, (1.0, 1.0 + 1e-8), (0.01, 5.0), (1e-6, 100.0), (1e-8, 1e4)]
    q1, q2, gamma = (
        x.ravel() for x in np.broadcast_arrays(*np.array(pairs).T[:, :, None], (1e-14, 1e-2, 0.7, 2.0))
    )
    with float64():
        moments, gaps = jax.jit(lambda *args: (plane.moments(*args), plane.gaps(*args)))(q1, q2, gamma)
        v1, v2 = (jax.device_get(jax.jit(plane.variance)(q)) for q in (q1, q2))
    moments, gaps = jax.device_get((moments, gaps))
    found = np.array([
        errors(activation, a, b, g, [m[k] for m in moments], [m[k] for m in gaps], [v[k] for v in v1], [v[k]
        for v in v2]) for k, (a, b, g) in enumerate(zip(q1, q2, gamma, strict=True))
    ])  # fmt: skip
    inner = (np.minimum(q1, q2) >= 1e-6) & (np.maximum(q1, q2) <= 100)
    report("quadrature, q in [1e-6, 100]", name, found[inner].max())
    report("quadrature, q in [1e-8, 1e4]", name, found.max())
    assert found[inner].max() < INNER
    assert found.max() < OUTER


def hard_tanh(x):
    return jnp.clip(x, -1.0, 1.0)


def test_own_activation_has_the_accuracy_that_is_stated():
    """A user's tanh and ELU by quadrature with its usual nodes, and an activation with kinks off zero."""
    for name, limits in (("tanh", (1e-12, 1e-9)), ("elu", (1e-12, 1e-11))):
        known = get(name)
        own = Activation("own " + name, known.phi, kinks=known.kinks)
        for q, limit in zip((1.0, 100.0), limits, strict=True):
            reference = known.moments(q, q, 0.3), known.gaps(q, q, 0.3), known.variance(q), known.variance(q)
            assert errors(own, q, q, 0.3, *reference) < limit
    own = Activation("hard tanh", hard_tanh, kinks=(-1, 1))
    with mp.workdps(30):
        inside = mp.erf(1 / mp.sqrt(2))  # of a standard normal variable
        second = 1 - mp.sqrt(2 / mp.pi) * mp.exp(-mp.mpf(1) / 2)
    value, slope = own.variance(1.0)
    assert value == pytest.approx(float(second), rel=1e-12)
    assert slope == pytest.approx(float(inside), rel=1e-12)
    for gamma in (1e-3, 0.3, 1.0, 1.9):
        for moment, gap, v in zip(
            own.moments(1.0, 1.0, gamma), own.gaps(1.0, 1.0, gamma), own.variance(1.0), strict=True
        ):
            assert moment + gap == pytest.approx(float(v), rel=1e-9)
    # Independence, and a rectangle of the plane: E[phi' phi'] at c = 0 is P(|u| < 1)^2.
    assert own.moments(1.0, 1.0, 1.0)[1] == pytest.approx(float(inside) ** 2, rel=1e-9)
    assert own.moments(1.0, 1.0, 1.0)[0] == pytest.approx(0.0, abs=1e-12)


# The mixture behind tanh, sigmoid, softplus and SiLU


def test_kolmogorov_rule():
    """The 14 points are the Gauss rule, in log K, of Kolmogorov's distribution."""
    with mp.workdps(40):

        def density(k):
            if k > mp.mpf("0.7"):
                return 8 * k * sum((-1) ** (j + 1) * j * j * mp.exp(-2 * j * j * k * k) for j in range(1, 16))
            terms = [(2 * j - 1) ** 2 * mp.pi**2 / 8 for j in range(1, 12)]
            return mp.sqrt(2 * mp.pi) * sum(mp.exp(-a / k**2) * (2 * a / k**4 - 1 / k**2) for a in terms)

        nodes = [(mp.mpf(k), mp.mpf(w)) for k, w in error_functions._KOLMOGOROV]
        fine = [(mp.exp(mp.mpf(i) / 60), mp.mpf(1) / 60) for i in range(-150, 110)]
        fine = [(k, h * k * density(k)) for k, h in fine]
        for degree in range(28):  # exact to degree 27
            coarse, exact = (sum(w * mp.log(k) ** degree for k, w in rule) for rule in (nodes, fine))
            size = sum(w * abs(mp.log(k)) ** degree for k, w in fine)
            assert abs(coarse - exact) < 1e-13 * size
        # What the expectations need of it: functions of a noise variance k^2 + z
        for z in (mp.mpf(0), mp.mpf("0.1"), mp.mpf(10), mp.mpf(10**4)):
            for f in (
                lambda k, z=z: 1 / mp.sqrt(k * k + z),
                lambda k, z=z: mp.sqrt(k * k + z),
                lambda k, z=z: mp.atan(1 / mp.sqrt(k * k + z)),
            ):
                coarse, exact = (sum(w * f(k) for k, w in rule) for rule in (nodes, fine))
                assert abs(coarse / exact - 1) < 1e-14


# Peers


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "erf", "gelu"])
def test_against_neural_tangents(name):
    if importlib.util.find_spec("neural_tangents") is None:
        pytest.skip("neural-tangents is not installed")
    from ntk_helpers.peers import neural_tangents

    stax = neural_tangents().stax
    layer = {
        "relu": stax.Relu(), "leaky_relu": stax.LeakyRelu(0.01), "erf": stax.Erf(), "gelu": stax.Gelu(),
    }[name]  # fmt: skip
    x = np.random.default_rng(0).normal(size=(6, 4)) * np.array([0.1, 0.5, 1.0, 1.0, 3.0, 10.0])[:, None]
    with float64():
        kernel = stax.serial(stax.Dense(1, 1.0, 0.0), layer, stax.Dense(1, 1.0, 0.0))[2]
        nngp, ntk = (np.asarray(k) for k in kernel(jnp.asarray(x), None, ("nngp", "ntk")))
    sigma = x @ x.T / 4
    q = np.diag(sigma)
    gamma = np.clip(1.0 - sigma / np.sqrt(np.outer(q, q)), 0.0, 2.0)
    np.fill_diagonal(gamma, 0.0)
    first, second = get(name).moments(q[:, None], q[None, :], gamma)
    scale = np.sqrt(np.outer(np.diag(first), np.diag(first)))
    # The peer forms the angle by an arc cosine, which is good to sqrt(eps) at c = 1.
    assert np.max(np.abs(first - nngp) / scale) < 1e-12
    assert np.max(np.abs((second - (ntk - nngp) / sigma) * sigma) / np.sqrt(np.outer(q, q))) < 1e-7


# Identities


@pytest.mark.parametrize("name", NAMES)
def test_moments_gaps_and_variances_agree(name):
    activation = get(name)
    q, gamma = np.array([1e-6, 0.1, 1.0, 30.0])[:, None], np.array(GAMMAS)
    moments, gaps, variances = (
        activation.moments(q, q, gamma),
        activation.gaps(q, q, gamma),
        activation.variance(q),
    )
    for moment, gap, v in zip(moments, gaps, variances, strict=True):
        np.testing.assert_allclose(moment + gap, np.broadcast_to(v, moment.shape), rtol=1e-13)
        assert np.all(gap[:, 0] == 0.0)


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_of_the_correlation_map(name):
    activation = get(name)
    for q in (0.2, 1.0, 5.0):
        first, second, third = activation.correlation_derivatives(q, 3)
        assert first == pytest.approx(q * activation.variance(q)[1], rel=1e-13)
        if activation.kinks and name != "elu":
            assert second == third == math.inf
            continue
        # d/dgamma of E[(phi'(u) - phi'(v))^2] / 2 at 0, where the next order is below gamma third / second
        slope = activation.gaps(q, q, 1e-13)[1] / 1e-13
        assert second == pytest.approx(q * slope, rel=1e-5 if name == "elu" else 1e-10, abs=1e-300)
        assert math.isinf(third) == (name == "elu")
    q = np.array([0.1, 2.0])
    chain = activations.get("softplus").correlation_derivatives(q, 4)
    for k in range(3):
        sigmoid = get("sigmoid").correlation_derivatives(q, 3)[k]
        np.testing.assert_allclose(chain[k + 1], q * sigmoid, rtol=1e-12)


def test_third_derivative_of_the_erf_map():
    with mp.workdps(30):
        q = mp.mpf(2)
        exact = mp.diff(lambda c: 2 / mp.pi * mp.asin(2 * q * c / (1 + 2 * q)), 1, 3)
    assert get("erf").correlation_derivatives(2.0, 3)[2] == pytest.approx(float(exact), rel=1e-12)


# Large variances of bounded activations


@pytest.mark.parametrize(("name", "terms"), [("erf", error_functions.ERF), ("tanh", error_functions.TANH)])
def test_bounded_activations_to_variances_of_a_million_millions(name, terms):
    """The sums of error functions in many digits: what is lost is their rounding."""

    def moment(q1, q2, covariance):
        total = [mp.mpf(0), mp.mpf(0)]
        for a, wa in zip(terms.widths.tolist(), terms.weights.tolist(), strict=True):
            for b, wb in zip(terms.widths.tolist(), terms.weights.tolist(), strict=True):
                root = mp.sqrt((mp.mpf(a) + q1) * (mp.mpf(b) + q2) - covariance**2)
                weight = 2 / mp.pi * mp.mpf(wa) * mp.mpf(wb)
                total[0] += weight * mp.atan2(covariance, root)
                total[1] += weight / root
        return total

    with mp.workdps(60):
        for q1, q2 in ((1e8, 1e8), (1e12, 1e12), (1e12, 3e11)):
            v1, v2 = (moment(q, q, q) for q in (mp.mpf(q1), mp.mpf(q2)))
            for gamma in (1e-14, 1e-3, 0.7, 1.9):
                moments = moment(
                    mp.mpf(q1), mp.mpf(q2), (1 - mp.mpf(gamma)) * mp.sqrt(mp.mpf(q1) * mp.mpf(q2))
                )
                gaps = [(v1[i] + v2[i]) / 2 - moments[i] for i in range(2)]
                assert errors(get(name), q1, q2, gamma, moments, gaps, v1, v2) < OUTER


def test_two_slopes_are_those_of_the_closed_form():
    own = Activation("bent", lambda x: jnp.where(x > 0, 2 * x, -x), kinks=(0.0,), slopes=(2, -1))
    plane = dataclasses.replace(own, slopes=None, q_range=None, expectations=None)
    for q1, q2, gamma in ((1.0, 1.0, 0.3), (0.5, 2.0, 1.8)):
        for ours, theirs in zip(
            (*own.moments(q1, q2, gamma), *own.gaps(q1, q2, gamma), *own.variance(q1)),
            (*plane.moments(q1, q2, gamma), *plane.gaps(q1, q2, gamma), *plane.variance(q1)),
            strict=True,
        ):
            assert ours == pytest.approx(theirs, rel=1e-9)


# Interface


@pytest.mark.parametrize(
    "activation",
    [get("tanh"), leaky_relu(0.3), Activation("own", jnp.sin), Activation("bent", jnp.abs, slopes=(1, -1))],
)
def test_activations_can_be_pickled_and_copied(activation):
    for other in (pickle.loads(pickle.dumps(activation)), copy.copy(activation), copy.deepcopy(activation)):
        assert other == activation
        assert hash(other) == hash(activation)


def test_an_activation_made_inside_a_traced_function_poisons_nothing():
    def bent(x):
        return jnp.tanh(x) + jnp.abs(x)

    @jax.jit
    def twice(factor):
        own = Activation("bent", bent, kinks=(0.0,))
        return factor * jnp.asarray(own.variance(1.0)[0]) + float(own.correlation_derivatives(1.0, 1)[0])

    inside, own = twice(2.0), Activation("bent", bent, kinks=(0.0,))
    second, slope = own.variance(1.0)
    assert float(inside) == pytest.approx(2.0 * second + slope, rel=1e-6)
    assert first_jump(own) == 1


def test_results_are_float64_under_either_setting():
    before = jax.config.jax_enable_x64
    try:
        results = []
        for flag in (False, True):
            jax.config.update("jax_enable_x64", flag)
            results.append([get(name).gaps(1.0, 2.0, 1e-9) for name in NAMES])
    finally:
        jax.config.update("jax_enable_x64", before)
    for one, other in zip(*results, strict=True):
        for x, y in zip(one, other, strict=True):
            assert isinstance(x, np.ndarray)
            assert x.dtype == np.float64
            assert x == y


@pytest.mark.parametrize("name", sampled(NAMES, ["relu", "tanh", "elu", "cos"]))
def test_compiled_calls_give_the_same_values(name):
    activation = get(name)
    gamma = np.array([0.0, 1e-10, 0.4, 2.0])
    with float64():
        traced = jax.jit(
            lambda q1, q2, gamma: (
                activation.moments(q1, q2, gamma),
                activation.gaps(q1, q2, gamma),
                activation.variance(gamma),
                activation.correlation_derivatives(gamma, 2),
            )
        )(1.0, 2.0, gamma)
    concrete = [f(1.0, 2.0, gamma) for f in (activation.moments, activation.gaps)]
    concrete += [activation.variance(gamma), activation.correlation_derivatives(gamma, 2)]
    for a, b in zip(traced, concrete, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-13, atol=1e-25)


def test_many_pairs_are_computed_in_blocks():
    rng = np.random.default_rng(1)
    q, gamma = rng.uniform(0.5, 2.0, (90, 1)), rng.uniform(0.0, 2.0, (90, 70))
    whole = get("erf").moments(q, 1.5, gamma)
    for k in (0, 44, 89):
        row = get("erf").moments(q[k], 1.5, gamma[k])
        for x, y in zip(whole, row, strict=True):
            assert x.shape == (90, 70)
            np.testing.assert_allclose(x[k], y, rtol=1e-15)


def test_names_and_identity():
    assert get("relu") is leaky_relu(0.0)
    assert get("linear") is leaky_relu(1)
    assert get(get("tanh")) is get("tanh")
    assert {get(name).name for name in NAMES} == {*NAMES, "leaky_relu(0.01)"} - {"leaky_relu"}
    assert [name for name in NAMES if get(name).homogeneous] == ["linear", "relu", "leaky_relu"]
    assert Activation("own", hard_tanh, kinks=(-1, 1)) == Activation("own", hard_tanh, kinks=(-1.0, 1.0))
    assert hash(get("tanh")) == hash(get("tanh"))


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_of_the_functions(name):
    activation = get(name)
    x = np.array([-30.0, -2.0, -0.3, 0.4, 1.7, 30.0])
    with float64():
        slope = jax.vmap(jax.grad(activation.phi))(jnp.asarray(x))
        np.testing.assert_allclose(activation.dphi(jnp.asarray(x)), slope, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: get("swish"), "activation must be an Activation or one of cos, elu, erf"),
        (lambda: get(3), "got 3"),
        (lambda: leaky_relu(math.nan), "slope must be finite"),
        (lambda: leaky_relu("0.1x"), "slope must be finite"),
        (lambda: get("tanh").variance(-1.0), r"q must be in \[0, 1e\+12\] for tanh, got -1"),
        (lambda: get("silu").moments(1.0, 2e4, 0.1), "q2 must be in"),
        (lambda: get("relu").moments(math.nan, 1.0, 0.1), "q1 must be in .* got nan"),
        (lambda: get("relu").gaps(1.0, 1.0, 2.1), r"gamma must be in \[0, 2\]"),
        (lambda: get("elu").correlation_derivatives(1.0, 0), "order must be an integer from 1"),
        (lambda: get("elu").correlation_derivatives(-1.0, 1), "q must be in"),
        (lambda: Activation("own", jnp.sum), r"phi must map an array of shape \(2, 3\) .* got \(\)"),
        (lambda: Activation("own", lambda x: x[0]), "phi must map an array of shape .* raised"),
        (lambda: Activation("own", lambda x: (x, x)), "got tuple"),
        (lambda: Activation("own", lambda x: x > 0), "float64 to float64, got bool"),
        (lambda: Activation("own", jnp.tanh, dphi=jnp.sum), "dphi must map"),
        (lambda: Activation("own", "tanh"), "phi must be a function"),
        (
            lambda: Activation("own", jnp.tanh, slopes=(1, 1)),
            r"slopes must be those of phi, .* phi\(-1e\+06\) is -1",
        ),
        (lambda: Activation("own", jnp.abs, slopes=1.0), r"slopes must be two numbers \(a, b\), got 1.0"),
        (lambda: Activation("own", jnp.sin).variance(450.0), r"q must be in \[0, 17.* for own, got 450"),
        (lambda: Activation("own", jnp.exp).variance(50.0), r"q must be in \[0, 3.* for own, got 50"),
        (lambda: Activation("own", jnp.sin, q_range=(0, 1e3)), "where the quadrature resolves own"),
        (lambda: Activation("own", jnp.tanh, kinks=(math.inf,)), "kinks must be finite"),
        (lambda: Activation("own", jnp.tanh, q_range=(1.0, 1.0)), "q_range must be two numbers"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
