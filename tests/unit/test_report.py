"""`report` against networks drawn and trained in NumPy, on twenty architectures that it was not built on."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from ntk_helpers import Network, report
from ntk_helpers.activations import leaky_relu
from ntk_helpers.kernels import depth_profile, fcn_kernels
from ntk_helpers.networks import PARAMETERIZATIONS, WEIGHTS
from ntk_helpers.peers import neural_tangents

INPUTS, DRAWS, OF_RATES = 6, 400, 200

# ---- the oracle: networks in NumPy, many draws at once


def normal(u):
    return np.exp(-(u**2) / 2) / math.sqrt(2 * math.pi)


NUMPY = {  # value and slope
    "relu": lambda u: (np.maximum(u, 0), (u > 0).astype(float)),
    "tanh": lambda u: (np.tanh(u), 1 - np.tanh(u) ** 2),
    "erf": lambda u: (special.erf(u), 2 / math.sqrt(math.pi) * np.exp(-(u**2))),
    "gelu": lambda u: (u * special.ndtr(u), special.ndtr(u) + u * normal(u)),
    "leaky": lambda u: (np.where(u > 0, u, 0.3 * u), np.where(u > 0, 1.0, 0.3)),
    "sin": lambda u: (np.sin(u), np.cos(u)),
    "elu": lambda u: (np.where(u > 0, u, np.expm1(np.minimum(u, 0))), np.exp(np.minimum(u, 0))),
    "softplus": lambda u: (np.logaddexp(u, 0), special.expit(u)),
}


def drawn(net, rng, draws):
    """[(W, b)] of unit variance, W (draws, n_out, n_in)."""
    layers = []
    for columns, rows in zip(net.widths, net.widths[1:], strict=False):
        if net.weights == "gaussian":
            w = rng.standard_normal((draws, rows, columns))
        else:
            large, small = max(rows, columns), min(rows, columns)
            q, r = np.linalg.qr(rng.standard_normal((draws, large, small)))
            w = math.sqrt(large) * q * np.sign(np.einsum("mii->mi", r))[:, None]
            w = w if rows >= columns else np.swapaxes(w, 1, 2)
        layers.append((w, rng.standard_normal((draws, rows))))
    return layers


def swept(net, name, layers, x):
    """Outputs (draws, N, o), and for each layer its inputs (draws, N, n) and df/dy (draws, N, o, n)."""
    z, entering, slopes = np.broadcast_to(x, (len(layers[0][0]), *x.shape)), [], []
    for w, b in layers:
        entering.append(z)
        y = net.sigma_w / math.sqrt(w.shape[2]) * (z @ np.swapaxes(w, 1, 2)) + net.sigma_b * b[:, None]
        z, slope = NUMPY[name](y)
        slopes.append(slope)
    o = y.shape[-1]
    back = [np.broadcast_to(np.eye(o), (*y.shape, o))]
    for (w, _), slope in zip(layers[:0:-1], slopes[-2::-1], strict=True):
        back.append((back[-1] @ w[:, None]) * net.sigma_w / math.sqrt(w.shape[2]) * slope[:, :, None])
    return y, entering, back[::-1]


def factors(net, n, parameterization):
    """What multiplies W and b of unit variance per unit of the parameters that move."""
    return (1.0, 1.0) if parameterization == "standard" else (net.sigma_w / math.sqrt(n), net.sigma_b)


def kernels(net, name, layers, x, parameterization):
    """Tangent kernels (draws, N, o, N, o)."""
    _, entering, back = swept(net, name, layers, x)
    total = 0.0
    for z, delta in zip(entering, back, strict=True):
        c, e = factors(net, z.shape[2], parameterization)
        forward = c**2 * (z @ np.swapaxes(z, 1, 2)) + e**2
        flat = delta.reshape(len(z), -1, delta.shape[-1])
        o = delta.shape[2]
        seen = (flat @ np.swapaxes(flat, 1, 2)).reshape(len(z), len(x), o, len(x), o)
        total = total + forward[:, :, None, :, None] * seen
    return total


def trained(net, name, layers, x, y, rate, steps):
    """Residuals (draws, N, o) of full-batch gradient descent on the networks themselves, first to last."""
    layers = [(w.copy(), b.copy()) for w, b in layers]
    residuals = []
    for _ in range(steps + 1):
        found, entering, back = swept(net, name, layers, x)
        residuals.append(found - y)
        for (w, b), z, delta in zip(layers, entering, back, strict=True):
            pulled = np.einsum("mno,mnoi->mni", residuals[-1], delta)
            c, e = factors(net, z.shape[2], net.parameterization)
            own_c, own_e = net.sigma_w / math.sqrt(z.shape[2]), net.sigma_b
            # The parameters that move are own_c / c times those of unit variance.
            w -= rate / len(x) * c / (own_c / c) * (np.swapaxes(pulled, 1, 2) @ z)
            if own_e:
                b -= rate / len(x) * e / (own_e / e) * pulled.sum(1)
    return np.array(residuals)


# ---- twenty networks, fixed by a seed


def architectures():
    rng = np.random.default_rng(1616)
    for i in range(20):
        name = list(NUMPY)[i % len(NUMPY)]
        depth, width = int(rng.integers(2, 6)), int(rng.choice([96, 128, 160]))
        sigma_b = float(rng.choice([0.0, rng.uniform(0.1, 0.5)]))
        yield (
            name,
            Network(
                (int(rng.integers(3, 20)), *[width] * (depth - 1), int(rng.integers(1, 4))),
                leaky_relu(0.3) if name == "leaky" else name,
                sigma_w=float(rng.uniform(1.1, 1.5)),
                sigma_b=max(sigma_b, 0.1 * (i % 2)),
                weights=WEIGHTS[i // 2 % 2],
                parameterization=PARAMETERIZATIONS[i % 2],
            ),
        )


@pytest.fixture(scope="module")
def measured():
    """For each network: its report, and rates, relative kernels and growth of its draws."""
    rows = []
    for i, (name, net) in enumerate(architectures()):
        rng = np.random.default_rng([1617, i])
        x = rng.standard_normal((INPUTS, net.widths[0]))
        x *= np.sqrt(net.widths[0]) / np.linalg.norm(x, axis=1, keepdims=True)
        layers = drawn(net, rng, DRAWS)
        few = [(w[:OF_RATES], b[:OF_RATES]) for w, b in layers]
        size = INPUTS * net.widths[-1]
        full = kernels(net, name, few, x, net.parameterization)
        largest = np.linalg.eigvalsh(full.reshape(-1, size, size))[:, -1]
        rates = 2 * INPUTS / largest
        one = kernels(net, name, layers, x[:1], "ntk")[:, 0, 0, 0, 0]
        # Real gradient descent from a residual so small that the network stays linear.
        first = [(w[:1], b[:1]) for w, b in layers]
        aim = swept(net, name, first, x)[0] + 1e-7 * rng.standard_normal((INPUTS, net.widths[-1]))
        paths = [trained(net, name, first, x, aim, share * rates[0], 150) for share in (0.98, 1.02)]
        growth = [np.linalg.norm(path[-1]) / np.linalg.norm(path[75]) for path in paths]
        rows.append({"net": net, "report": report(net, x), "full": full, "rates": rates, "one": one, "x": x})
        rows[-1]["growth"] = growth
    return rows


@pytest.mark.slow("draws twenty kinds of networks 400 times, and trains one of each")
def test_measured_rates_are_those_of_gradient_descent(measured):
    """The rate read off a kernel is the rate at which training itself turns, to 2%, twenty of twenty."""
    for row in measured:
        assert row["growth"][0] < 1 < row["growth"][1]


def test_largest_stable_rate(measured):
    """Set before the run: the median over draws within a tenth of the report's.

    Within a fifth where the report warns of the scatter, and at most three of the twenty may be such.
    """
    warned = 0
    for row in measured:
        rough = "known roughly" in row["report"].text()
        warned += rough
        assert np.median(row["rates"]) == pytest.approx(row["report"].rates.gd, rel=0.2 if rough else 0.1)
    assert warned <= 3


def test_one_draw_scatters_by_less_than_the_kernel_at_one_input(measured):
    for row in measured:
        assert row["rates"].std() / row["rates"].mean() < 1.2 * row["report"].kernel_spread


def test_spread_of_the_kernel(measured):
    """Criteria set before the run: at most 4 of 20 beyond 2 standard errors, none beyond 4, no common shift.

    Twenty right numbers have 0.9 beyond two standard errors on average, and five or more in two tables of a
    thousand. The sum of the scores over sqrt(20) is a score as well.
    """
    scores = []
    for row in measured:
        ratio = row["one"] / row["one"].mean()
        square = (ratio - 1) ** 2 * DRAWS / (DRAWS - 1)
        scores.append((square.mean() - row["report"].kernel_spread ** 2) / stats.sem(square))
    scores = np.array(scores)
    assert stats.binom.sf(4, 20, 2 * stats.norm.sf(2)) < 0.003
    assert np.sum(np.abs(scores) > 2) <= 4
    assert np.max(np.abs(scores)) < 4
    assert abs(scores.sum()) / math.sqrt(len(scores)) < 3


# ---- the other numbers, one at a time

DATA = np.random.default_rng(0)
X, Y = DATA.standard_normal((8, 5)), DATA.standard_normal((8, 2))
TANH = Network((5, 64, 64, 2), "tanh", sigma_w=1.5, sigma_b=0.3)


def test_sgd_rate_is_where_the_second_moment_turns():
    """The spectral radius of E[(1 - eta K e_i e_i^T) x (1 - eta K e_i e_i^T)] is 1 at the rate."""
    net = Network((5, 64, 64, 1), "tanh", sigma_w=1.5, sigma_b=0.3)
    kernel = fcn_kernels(X, depth=3, activation="tanh", sigma_w=1.5, sigma_b=0.3).ntk

    def radius(rate):
        steps = [np.eye(8) - rate * np.outer(kernel[:, i], np.eye(8)[i]) for i in range(8)]
        return np.max(np.abs(np.linalg.eigvals(np.mean([np.kron(a, a) for a in steps], axis=0))))

    rate = report(net, X).rates.sgd
    assert radius(0.99 * rate) < 1 < radius(1.01 * rate)
    rates = [report(net, X, batch_size=size).rates.sgd for size in (1, 2, 4, 1000)]
    assert np.all(np.diff(rates) > 0)
    assert rates[-1] == pytest.approx(report(net, X).rates.gd, rel=0.01)


@pytest.mark.filterwarnings("ignore:.FanIn. layers assume independent inputs")
@pytest.mark.parametrize("architecture", ["fcn", "residual"])
@pytest.mark.parametrize("parameterization", PARAMETERIZATIONS)
def test_kernel_of_both_parameterisations_is_that_of_neural_tangents(architecture, parameterization):
    stax = neural_tangents().stax
    law = {"W_std": 1.3, "b_std": 0.2, "parameterization": parameterization}
    first, *middle, last = (stax.Dense(n, **law) for n in (48, 48, 48, 1))
    if architecture == "fcn":
        layers = [first, stax.Relu(), middle[0], stax.Relu(), middle[1], stax.Relu(), last]
        net = Network((5, 48, 48, 48, 1), "relu", sigma_w=1.3, sigma_b=0.2, parameterization=parameterization)
    else:
        branch = stax.serial(stax.Relu(), middle[0])
        add = stax.serial(stax.FanOut(2), stax.parallel(stax.Identity(), branch), stax.FanInSum())
        layers = [first, add, add]
        net = Network(
            (5, 48, 48, 48),
            "relu",
            sigma_w=1.3,
            sigma_b=0.2,
            parameterization=parameterization,
            architecture="residual",
        )
    with jax.enable_x64(True):
        kernel = np.asarray(stax.serial(*layers)[2](X, None, "ntk"))
    found = report(net, X)
    assert found.condition_number == pytest.approx(np.linalg.cond(kernel), rel=1e-5)
    assert found.rates.gd == pytest.approx(16 / np.linalg.eigvalsh(kernel)[-1], rel=1e-6)


def test_parameterisations_are_each_others_other():
    both = [report(dataclasses.replace(TANH, parameterization=name), X) for name in PARAMETERIZATIONS]
    assert both[0].rates == both[1].other_rates
    assert both[1].rates == both[0].other_rates
    assert both[0].condition_number != pytest.approx(both[1].condition_number, rel=0.1)


def test_phase_and_depth_scale():
    for name, sigma_w, sigma_b, phase in (
        ("tanh", 1.0, 0.3, "ordered"),
        ("tanh", 2.0, 0.3, "chaotic"),
        ("relu", 2**0.5, 0.0, "critical"),
    ):
        net = Network((5, 64, 64, 2), name, sigma_w=sigma_w, sigma_b=sigma_b)
        found = report(net, X)
        assert found.phase == phase
        assert phase in found.text()
        if phase != "critical":
            profile = depth_profile([60, 61, 500], activation=name, sigma_w=sigma_w, sigma_b=sigma_b)
            limit = profile.one_minus_c[-1] if phase == "chaotic" else 0.0
            before, after = profile.one_minus_c[:2] - limit
            assert -1 / np.log(after / before) == pytest.approx(found.depth_scale, rel=0.02)
        else:
            assert found.depth_scale == np.inf
    growing = report(Network((5, 64, 64, 2), "elu", sigma_w=2.0, sigma_b=0.1), X)
    assert growing.depth_scale is None
    assert "no limit" in growing.text()


def test_steps_are_those_of_training():
    """A hundred wide networks, trained: their mean loss falls below 1% at the step that the report names."""
    net = Network((5, 1024, 2), "tanh", sigma_w=1.2, sigma_b=0.3)
    found = report(net, X, Y)
    layers = drawn(net, np.random.default_rng(3), 20)
    path = trained(net, "tanh", layers, X, Y, found.learning_rate, int(1.3 * found.steps))
    loss = np.sum(path**2, axis=(1, 2, 3))
    assert found.steps > 10
    assert np.argmax(loss < 0.01 * loss[0]) == pytest.approx(found.steps, rel=0.1)


def test_steps_of_the_limit():
    kernel = fcn_kernels(X, depth=3, activation="tanh", sigma_w=1.5, sigma_b=0.3)
    found = report(TANH, X, Y, learning_rate=0.05)

    def left(steps):
        power = np.linalg.matrix_power(np.eye(8) - 0.05 / 8 * kernel.ntk, steps)
        return np.sum((power @ Y) ** 2) + 2 * np.trace(power @ kernel.nngp @ power.T)

    assert left(found.steps) <= 0.01 * left(0) < left(found.steps - 1)
    slowest = report(TANH, X, learning_rate=0.05)
    smallest = np.linalg.eigvalsh(kernel.ntk)[0]
    assert slowest.steps == np.ceil(np.log(0.01) / (2 * np.log(1 - 0.05 / 8 * smallest)))
    assert report(TANH, X, Y, learning_rate=100.0).steps == np.inf
    assert "diverges" in report(TANH, X, Y, learning_rate=100.0).text()


def test_test_error_is_that_of_fits_without_the_input():
    kernel = fcn_kernels(X, depth=3, activation="tanh", sigma_w=1.5, sigma_b=0.3)
    expected = []
    for i in range(8):
        rest = np.delete(np.arange(8), i)
        weights = np.linalg.solve(kernel.ntk[np.ix_(rest, rest)], kernel.ntk[rest, i])
        start = np.insert(-weights, i, 1.0)  # of f(x_i) after training, in the outputs at the start
        expected.append((Y[i] - weights @ Y[rest]) ** 2 + start @ kernel.nngp @ start)
    found = report(TANH, X, Y)
    assert found.test_error == pytest.approx(np.mean(expected), rel=1e-9)
    others = [np.mean(np.delete(Y, i, axis=0), axis=0) for i in range(8)]
    assert found.label_error == pytest.approx(np.mean((Y - others) ** 2), rel=1e-12)


def test_what_has_no_number_says_so():
    twice = report(TANH, np.concatenate([X, X]), np.concatenate([Y, Y]))
    assert twice.condition_number == np.inf
    assert twice.test_error is None
    assert "singular" in twice.text()
    residual = report(dataclasses.replace(TANH, widths=(5, 64, 64, 2), architecture="residual"), X)
    assert residual.phase is None
    assert residual.kernel_spread is None
    assert "monte_carlo_kernels" in residual.text()
    assert report(Network((5, 64, 32, 2), "tanh", sigma_w=1.5, sigma_b=0.3), X).kernel_spread is None
    two_slopes = report(Network((5, 64, 32, 2), "relu", sigma_w=1.5, sigma_b=0.0), X)
    assert two_slopes.kernel_spread > two_slopes.other_spread > 0
    assert report(TANH, X[:1], Y[:1]).test_error is None


def test_text_and_html():
    found = report(TANH, X, Y)
    lines = found.text().splitlines()
    assert len(lines) == 6
    assert all(line.endswith(".") for line in lines)
    page = found._repr_html_()
    assert page.count("<tr>") == 6
    assert page.startswith("<table>")
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.phase = "chaotic"


# ---- any function


def mlp(params, x):
    *hidden, (w, b) = params
    for v, c in hidden:
        x = jnp.tanh(x @ v + c)
    return x @ w + b


def plain(rng=DATA, outputs=2):
    shapes = [(5, 16), (16, 16), (16, outputs)]
    return [(rng.standard_normal(s) / np.sqrt(s[0]), 0.1 * rng.standard_normal(s[1])) for s in shapes]


def test_a_function_is_judged_by_its_own_kernel():
    params = plain()
    found = report(mlp, params, X, Y)

    def flat(leaves):
        return mlp(leaves, X).ravel()

    with jax.enable_x64(True):
        jacobian = jax.tree.leaves(jax.jacobian(flat)(jax.tree.map(jnp.asarray, params)))
    kernel = sum(j.reshape(16, -1) @ j.reshape(16, -1).T for j in map(np.asarray, jacobian))
    assert found.rates.gd == pytest.approx(16 / np.linalg.eigvalsh(kernel)[-1], rel=1e-9)
    assert found.condition_number == pytest.approx(np.linalg.cond(kernel), rel=1e-6)
    residual = np.asarray(mlp(params, X)) - Y
    inside = np.delete(np.arange(16), [0, 1])
    weights = np.linalg.solve(kernel[np.ix_(inside, inside)], kernel[inside][:, :2])
    first = residual[0] - weights.T @ residual.ravel()[inside]
    one = report(mlp, params, X[:1], Y[:1])
    assert one.test_error is None
    assert found.test_error > np.sum(first**2) / 16
    # By real training from a small residual: it turns at the rate.
    aim = np.asarray(mlp(params, X)) + 1e-7 * Y
    growth = []
    with jax.enable_x64(True):
        for share in (0.98, 1.02):
            now = jax.tree.map(jnp.asarray, params)
            slope = jax.jit(jax.grad(lambda p: jnp.sum((mlp(p, X) - aim) ** 2) / 16))
            for _ in range(400):
                now = jax.tree.map(lambda p, g, s=share: p - s * found.rates.gd * g, now, slope(now))
            growth.append(np.linalg.norm(mlp(now, X) - aim) / np.linalg.norm(1e-7 * Y))
    assert growth[0] < 1 < growth[1]
    assert found.phase is found.depth_scale is found.kernel_spread is None
    assert "One network" in found.text()


def test_a_network_through_its_apply_is_as_a_function():
    net = Network((5, 64, 64, 1), "tanh", sigma_w=1.5, sigma_b=0.3)
    params = net.init(jax.random.key(1))
    by_function = report(net.apply, params, X)
    assert by_function.rates.gd == pytest.approx(report(net, X).rates.gd, rel=0.5)
    assert by_function.rates.sgd < by_function.rates.gd


def test_equinox():
    eqx = pytest.importorskip("equinox")
    model = eqx.nn.MLP(5, 2, 16, 2, activation=jnp.tanh, key=jax.random.key(0))
    params, static = eqx.partition(model, eqx.is_inexact_array)

    def apply(params, x):
        return jax.vmap(eqx.combine(params, static))(x)

    same = [(np.asarray(layer.weight, float).T, np.asarray(layer.bias, float)) for layer in model.layers]
    assert report(apply, params, X, Y).rates.gd == pytest.approx(report(mlp, same, X).rates.gd, rel=1e-6)
    with pytest.raises(ValueError, match="report\\(apply_fn, params, x\\)"):
        report(model, X)


def test_flax():
    nn = pytest.importorskip("flax.linen", reason="flax is not among the packages of the lock")

    class Model(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(2)(jnp.tanh(nn.Dense(16)(x)))

    model = Model()
    params = model.init(jax.random.key(0), X)
    same = [(np.asarray(p["kernel"]), np.asarray(p["bias"])) for p in params["params"].values()]
    assert report(model.apply, params, X).rates.gd == pytest.approx(report(mlp, same, X).rates.gd, rel=1e-5)


def test_a_layer_used_twice_is_judged_exactly():
    def twice(params, x):
        (v, c), (w, b) = params
        return jnp.tanh(jnp.tanh(x @ v + c) @ v + c) @ w + b

    params = [(plain()[0][0][:, :5], np.zeros(5)), (DATA.standard_normal((5, 1)), np.zeros(1))]
    found = report(twice, params, X)
    with jax.enable_x64(True):
        jacobian = jax.tree.leaves(jax.jacobian(lambda p: twice(p, X).ravel())(params))
    kernel = sum(j.reshape(8, -1) @ j.reshape(8, -1).T for j in map(np.asarray, jacobian))
    assert found.rates.gd == pytest.approx(16 / np.linalg.eigvalsh(kernel)[-1], rel=1e-9)


def normalised(params, x):
    y = mlp(params, x)
    return (y - y.mean(0)) / y.std(0)


CHANCE = np.random.default_rng(5)
TIED = plain()
TIED[1] = (TIED[1][0], TIED[0][1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((TANH, X[:, :4]), "x must have 5 features"),
        ((TANH, X[0]), "x must have shape"),
        ((TANH, X * np.nan), "x must be finite"),
        ((TANH, 0 * X), "x must not be all zeros"),
        ((TANH, X, np.arange(8)), "np.eye\\(classes\\)"),
        ((TANH, X, Y[:4]), "y must be finite real numbers of shape \\(8, 2\\)"),
        ((TANH, X, Y * np.inf), "y must be finite"),
        ((TANH,), "data must be as in report\\(net, x, y\\)"),
        ((TANH, None, X, Y), "data must be as in"),
        (("resnet50", X), "net must be a Network or a function, got str: .*convolutions, attention"),
        ((dataclasses.replace(TANH, sigma_w=0.0), X), "sigma_w > 0"),
        ((mlp, X), "data must be as in report\\(apply_fn, params, x, y\\)"),
        ((mlp, {"w": "text"}, X), "params must be a pytree of arrays"),
        ((mlp, [np.arange(3)], X), "with float ones"),
        ((mlp, TIED, X), "params must hold each array once"),
        ((normalised, plain(), X), "depends on the other inputs"),
        ((lambda p, x: mlp(p, x) + CHANCE.standard_normal(), plain(), X), "must not depend on chance"),
        ((lambda p, x: mlp(p, x) / 0.0, plain(), X), "must return finite outputs"),
        ((lambda p, x: mlp(p, x)[:, :, None], plain(), X), "must return floats"),
        ((lambda p, x: mlp(p, x).sum(), plain(), X), "must return floats"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        report(*arguments)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate must be a positive number"),
        ({"learning_rate": "fast"}, "learning_rate must be"),
        ({"batch_size": 0}, "batch_size must be a positive integer"),
        ({"batch_size": 1.5}, "batch_size must be a positive integer"),
        ({"y": Y, "learning_rate": np.nan}, "learning_rate must be"),
    ],
)
def test_bad_options(change, message):
    with pytest.raises(ValueError, match=message):
        report(TANH, X, **change)
