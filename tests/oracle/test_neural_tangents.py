"""What neural-tangents' own tests ask of fully connected networks, asked here against other programs.

Its release 0.6.5 came with tests for older versions of JAX, which compare with samples, at five per cent.
Each test here asks the same of one of its functions, on this JAX, and compares with something exact:
quadrature, linear algebra in scipy, plain automatic differentiation. Convolutions, attention and its
`experimental` module are left out.
"""

import functools
import importlib.util
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

from ntk_helpers.peers import neural_tangents

pytestmark = [
    pytest.mark.slow("compiles many functions of neural-tangents"),
    pytest.mark.usefixtures("double_precision"),
    pytest.mark.skipif(importlib.util.find_spec("neural_tangents") is None, reason="no neural-tangents"),
]

W, B = 1.3, 0.4
RNG = np.random.default_rng(0)
X1, X2 = RNG.normal(size=(8, 5)), RNG.normal(size=(4, 5))
Y = RNG.normal(size=(8, 2))
GETS = ["nngp", "ntk", ("nngp", "ntk"), ("ntk", "nngp")]


@pytest.fixture(scope="module")
def nt():
    return neural_tangents()


def dense(nt, width):
    return nt.stax.Dense(width, W, B)


def network(phi=None, width=64):
    """Two weight layers of neural-tangents: init_fn, apply_fn, kernel_fn."""
    nt = neural_tangents()
    return nt.stax.serial(dense(nt, width), phi or nt.stax.Erf(), dense(nt, 2))


def close(found, expected, rtol=1e-9):
    jax.tree.map(lambda f, e: np.testing.assert_allclose(f, e, rtol=rtol, atol=rtol), found, expected)


# ---- stax/elementwise: E[phi(u) phi(v)] and E[phi'(u) phi'(v)] by quadrature, for smooth and for kinked phi


def smooth_moments(phi, q1, q2, covariance):
    """Gauss-Hermite quadrature in both variables."""
    z, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = np.outer(weights, weights) / (2 * np.pi)
    c = covariance / np.sqrt(q1 * q2)
    u = np.broadcast_to(np.sqrt(q1) * z[:, None], weights.shape)
    v = np.sqrt(q2) * (c * z[:, None] + np.sqrt(1 - c * c) * z)
    slope = jax.vmap(jax.grad(phi))
    return [
        float(np.sum(weights * np.asarray(f(u.ravel()) * f(v.ravel())).reshape(weights.shape)))
        for f in (phi, slope)
    ]


def half_line_moment(k, q1, q2, covariance):
    """E[max(u, 0)^k max(v, 0)^k], in polar coordinates: the radius in closed form, the angle not."""
    theta = np.arccos(covariance / np.sqrt(q1 * q2))
    t, weights = np.polynomial.legendre.leggauss(40)
    angle = 0.5 * (np.pi - theta) * (t + 1)
    wedge = 0.5 * (np.pi - theta) * np.sum(weights * (np.sin(angle) * np.sin(angle + theta)) ** k)
    return (q1 * q2) ** (k / 2) * 2**k * math.factorial(k) / (2 * np.pi) * wedge


def kinked_moments(k, above, below, q1, q2, covariance):
    """Of above x^k for x > 0 and below |x|^k for x < 0."""

    def moment(k, a, b):
        same, opposite = (half_line_moment(k, q1, q2, sign * covariance) for sign in (1, -1))
        return (a * a + b * b) * same + 2 * a * b * opposite

    return moment(k, above, below), moment(k - 1, k * above, -k * below)


def two_layers(moments, x1, x2):
    """NNGP and NTK of two weight layers from the moments of the nonlinearity."""
    first, q1, q2 = (B * B + W * W * k / x1.shape[1] for k in (x1 @ x2.T, (x1**2).sum(1), (x2**2).sum(1)))
    both = [[moments(q1[i], q2[j], first[i, j]) for j in range(len(x2))] for i in range(len(x1))]
    second, slope = np.moveaxis(np.array(both), -1, 0)
    nngp = B * B + W * W * second
    return nngp, nngp + W * W * slope * first


SMOOTH = {
    "Erf": ({"a": 0.3, "b": 0.8, "c": -0.7}, lambda x: 0.3 * jax.lax.erf(0.8 * x) - 0.7),
    "Sin": ({"a": 0.3, "b": 1.5, "c": -0.7}, lambda x: 0.3 * jnp.sin(1.5 * x - 0.7)),
    "Cos": ({"a": 2.0, "b": 0.3, "c": 0.2}, lambda x: 2.0 * jnp.cos(0.3 * x + 0.2)),
    "Rbf": ({"gamma": 0.7}, lambda x: math.sqrt(2) * jnp.sin(math.sqrt(1.4) * x + math.pi / 4)),
    "Gaussian": ({"a": 1.0, "b": -0.3}, lambda x: jnp.exp(-0.3 * x * x)),
    "Exp": ({"a": 0.7, "b": 0.3}, lambda x: 0.7 * jnp.exp(0.3 * x)),
    "Sigmoid_like": ({}, lambda x: 0.5 * jax.lax.erf(x / 2.4020563531719796) + 0.5),
    "Polynomial": ({"coef": [1.3, 0.0, -0.12, -0.05]}, lambda x: 1.3 - 0.12 * x**2 - 0.05 * x**3),
    "Gelu": ({}, lambda x: 0.5 * x * (1 + jax.lax.erf(x / math.sqrt(2)))),
} | {f"Monomial({k})": ({"degree": k}, lambda x, k=k: x**k) for k in range(1, 5)}
KINKED = {
    "Relu": ({}, 1, 1.0, 0.0),
    "LeakyRelu": ({"alpha": 0.2}, 1, 1.0, -0.2),
    "ABRelu": ({"a": -0.5, "b": 2.0}, 1, 2.0, 0.5),
    "Abs": ({}, 1, 1.0, 1.0),
} | {f"RectifiedMonomial({k})": ({"degree": k}, k, 1.0, 0.0) for k in range(1, 5)}


def layer(nt, name, options):
    return getattr(nt.stax, name.partition("(")[0])(**options)


@pytest.mark.parametrize("name", [*SMOOTH, *KINKED])
def test_nonlinearities(nt, name):
    options, *rest = (SMOOTH | KINKED)[name]
    moments = functools.partial(smooth_moments if name in SMOOTH else kinked_moments, *rest)
    *_, kernel_fn = network(layer(nt, name, options))
    found = kernel_fn(X1[:3], X2[:2], ("nngp", "ntk"))
    close((found.nngp, found.ntk), two_layers(moments, X1[:3], X2[:2]), rtol=1e-8)


@pytest.mark.parametrize("name", ["Erf", "Sin", "Gelu"])
def test_a_nonlinearity_given_as_a_function_is_integrated(nt, name):
    options, phi = SMOOTH[name]
    of_precision, of_slope = "numerical error is controlled by `deg`", "Using JAX autodiff"
    with pytest.warns(UserWarning, match=of_precision), pytest.warns(UserWarning, match=of_slope):
        numerical = nt.stax.ElementwiseNumerical(phi, deg=60)
    exact, found = (network(phi)[2](X1, X2, ("nngp", "ntk")) for phi in (layer(nt, name, options), numerical))
    close((found.nngp, found.ntk), (exact.nngp, exact.ntk), rtol=1e-7)


def test_a_nonlinearity_given_by_its_kernel_is_differentiated(nt):
    def nngp_fn(covariance, q1, q2):
        return jnp.exp(-0.5 * (q1 + q2)) * jnp.sinh(covariance)

    with pytest.warns(UserWarning, match="Using JAX autodiff"):
        given = nt.stax.Elementwise(jnp.sin, nngp_fn)
    for x2 in (X2, None):
        exact, found = (network(phi)[2](X1, x2, ("nngp", "ntk")) for phi in (nt.stax.Sin(), given))
        close((found.nngp, found.ntk), (exact.nngp, exact.ntk))


# ---- batch


@pytest.mark.parametrize(
    ("batch_size", "device_count", "store_on_device"), [(2, 0, True), (4, 1, True), (4, 0, False)]
)
def test_batches_make_the_same_kernel(nt, batch_size, device_count, store_on_device):
    init_fn, apply_fn, kernel_fn = network()
    params = init_fn(jax.random.key(0), (-1, 5))[1]
    empirical = functools.partial(nt.empirical_ntk_fn(apply_fn), params=params)
    for function in (kernel_fn, functools.partial(kernel_fn, get="ntk"), empirical):
        batched = nt.batch(function, batch_size, device_count, store_on_device)
        for x2 in (None, X2):
            whole, parts = function(X1, x2), batched(X1, x2)
            if hasattr(whole, "ntk"):
                whole, parts = ((k.nngp, k.ntk, k.cov1) for k in (whole, parts))
            close(parts, whole)


def test_batched_kernels_of_blocks_compose(nt):
    block = nt.stax.serial(dense(nt, 8), nt.stax.Relu())
    batched = nt.batch(block[2], 2, 0)
    for x2 in (None, X2):
        composed, blocks = nt.stax.serial(block, block)[2](X1, x2), batched(batched(X1, x2))
        # where inputs are identical, an arc cosine makes the square root of rounding
        close((blocks.nngp, blocks.ntk), (composed.nngp, composed.ntk), 1e-7)


# ---- monte_carlo


@pytest.mark.parametrize("batch_size", [0, 2])
@pytest.mark.parametrize("get", ["ntk", ("nngp", "ntk")])
def test_samples_are_the_same_in_batches_and_from_a_generator(nt, batch_size, get):
    init_fn, apply_fn, _ = network(width=8)
    sample = functools.partial(nt.monte_carlo_kernel_fn, init_fn, apply_fn, jax.random.key(1))
    plain = [sample(n, device_count=0)(X1, X2, get) for n in (1, 2)]
    close(list(sample([1, 2], batch_size, device_count=0)(X1, X2, get)), plain)


@pytest.mark.parametrize("get", ["nngp", "ntk"])
def test_samples_average_to_the_analytic_kernel(nt, get):
    """Independent samples and their standard error; with one hidden layer both are unbiased at any width."""
    outputs = {"nngp": 256, "ntk": 2}[get]  # the NNGP kernel of a sample is a mean over its outputs
    init_fn, apply_fn, kernel_fn = nt.stax.serial(dense(nt, 128), nt.stax.Erf(), dense(nt, outputs))
    sampled = nt.monte_carlo_kernel_fn(init_fn, apply_fn, jax.random.key(2), [*range(1, 65)], device_count=0)
    means = np.stack(list(sampled(X1[:2], X2[:2], get)))
    count = np.arange(1, 65)[:, None, None]
    single = np.diff(means * count, axis=0, prepend=0)
    error = single.std(axis=0, ddof=1) / 8
    exact = kernel_fn(X1[:2], X2[:2], get)
    assert (error < 0.1 * np.max(exact)).all()
    assert (np.abs(single.mean(axis=0) - exact) < 4.5 * error).all()


# ---- empirical


def jacobian_kernel(apply_fn, params, x1, x2):
    one, two = (
        np.concatenate(
            [j.reshape(len(x), 2, -1) for j in jax.tree.leaves(jax.jacobian(apply_fn)(params, x))], -1
        )
        for x in (x1, x2)
    )
    return np.einsum("aip,bjp->abij", one, two)


@pytest.mark.parametrize("implementation", ["JACOBIAN_CONTRACTION", "NTK_VECTOR_PRODUCTS"])
@pytest.mark.parametrize("vmap_axes", [None, 0])
def test_empirical_kernel_and_its_axes(nt, implementation, vmap_axes):
    init_fn, apply_fn, _ = network(width=8)
    params = init_fn(jax.random.key(0), (-1, 5))[1]
    expected = jacobian_kernel(apply_fn, params, X1, X2)
    for trace_axes, diagonal_axes, formula in (
        ((), (), "abij->abij"),
        ((-1,), (), "abii->ab"),
        ((), (-1,), "abii->abi"),
    ):
        ntk_fn = nt.empirical_ntk_fn(
            apply_fn,
            trace_axes=trace_axes,
            diagonal_axes=diagonal_axes,
            vmap_axes=vmap_axes,
            implementation=nt.NtkImplementation[implementation],
        )
        scale = 2 if trace_axes else 1
        close(ntk_fn(X1, X2, params), np.einsum(formula, expected) / scale)
        if not trace_axes and not diagonal_axes:
            close(ntk_fn(X1, None, params), jacobian_kernel(apply_fn, params, X1, X1))
    outputs = [apply_fn(params, x) for x in (X1, X2)]
    close(nt.empirical_nngp_fn(apply_fn)(X1, X2, params), outputs[0] @ outputs[1].T / 2)


def test_empirical_kernel_times_a_vector(nt):
    init_fn, apply_fn, _ = network(width=8)
    params = init_fn(jax.random.key(0), (-1, 5))[1]
    vector = RNG.normal(size=(4, 2))
    found = nt.empirical_ntk_vp_fn(apply_fn, X1, X2, params)(vector)
    close(found, np.einsum("abij,bj->ai", jacobian_kernel(apply_fn, params, X1, X2), vector))


def test_linearization_and_taylor_expansion(nt):
    init_fn, apply_fn, _ = network(width=8)
    start, end = (init_fn(jax.random.key(i), (-1, 5))[1] for i in (0, 1))
    step = jax.tree.map(lambda e, s: 0.1 * (e - s), end, start)
    params = jax.tree.map(jnp.add, start, step)

    def along(t):
        return apply_fn(jax.tree.map(lambda s, d: s + t * d, start, step), X1)

    value, first, second = along(0.0), jax.jacfwd(along)(0.0), jax.jacfwd(jax.jacfwd(along))(0.0)
    close(nt.linearize(apply_fn, start)(params, X1), value + first)
    close(nt.taylor_expand(apply_fn, start, 1)(params, X1), value + first)
    close(nt.taylor_expand(apply_fn, start, 2)(params, X1), value + first + second / 2)


# ---- predict


def kernels():
    *_, kernel_fn = network()
    return kernel_fn(X1, None, "ntk"), kernel_fn(X2, X1, "ntk")


F1, F2 = 0.3 * RNG.normal(size=(8, 2)), 0.3 * RNG.normal(size=(4, 2))
RATE = 0.5
TIMES = np.arange(6.0).reshape(2, 1, 3)


def flow(train, test, t):
    """f(t) on the training and test points, for the mean over the 16 outputs of (f - y)^2 / 2."""
    moved = (np.eye(8) - expm(-RATE * t * train / 16)) @ (Y - F1)
    return F1 + moved, F2 + test @ np.linalg.solve(train, moved)


@pytest.mark.parametrize("traced", [False, True])
def test_predictions_of_gradient_flow(nt, traced):
    train, test = map(np.asarray, kernels())
    exact = nt.predict.gradient_descent_mse(train, Y, learning_rate=RATE)
    by_ode = nt.predict.gradient_descent(lambda f, y: 0.5 * jnp.mean((f - y) ** 2), train, Y, RATE)
    for predict, tolerance in ((exact, 1e-8), (by_ode, 1e-5)):
        predict = jax.jit(predict) if traced else predict
        close(predict(0.0, F1, F2, test), (F1, F2), tolerance)
        close(predict(3.0, F1, F2, test), flow(train, test, 3.0), tolerance)
        close(predict(3.0, F1, None, None), flow(train, test, 3.0)[0], tolerance)
        at_train, at_test = predict(TIMES, F1, F2, test)
        assert at_train.shape == (2, 1, 3, 8, 2)
        assert at_test.shape == (2, 1, 3, 4, 2)
        close((at_train[1, 0, 2], at_test[1, 0, 2]), flow(train, test, 5.0), tolerance)
    infinite = Y, F2 + test @ np.linalg.solve(train, Y - F1)
    for t in (None, np.inf):
        close(exact(t, F1, F2, test), infinite, 1e-8)


def test_predictions_of_momentum_can_be_continued(nt):
    train, test = map(np.asarray, kernels())
    predict = jax.jit(
        nt.predict.gradient_descent(
            lambda f, y: 0.5 * jnp.mean((f - y) ** 2), train, Y, learning_rate=RATE, momentum=0.9
        )
    )
    first = predict(2.0, nt.predict.ODEState(F1, F2), None, test)
    second = predict(3.0, first, None, test)
    close((second.fx_train, second.fx_test), predict(5.0, F1, F2, test), 1e-5)


def ensemble(mode, t, x):
    """Mean and covariance of the flow of a Gaussian process, by expm and solve."""
    *_, kernel_fn = network()
    train, cross, test = (kernel_fn(*pair, ("nngp", "ntk")) for pair in ((X1, None), (x, X1), (x, None)))
    k, k_cross = (np.asarray(getattr(kernel, mode)) for kernel in (train, cross))
    moved = np.eye(8) if t is None else np.eye(8) - expm(-t * k / 16)
    a = k_cross @ np.linalg.solve(k, moved)
    mixed = a @ np.asarray(cross.nngp).T
    return a @ Y, np.asarray(test.nngp) + a @ np.asarray(train.nngp) @ a.T - mixed - mixed.T


@pytest.mark.parametrize("mode", ["nngp", "ntk"])
@pytest.mark.parametrize("t", [None, 0.0, 7.0])
def test_mean_and_covariance_of_an_infinite_ensemble(nt, mode, t):
    *_, kernel_fn = network()
    predict = nt.predict.gradient_descent_mse_ensemble(kernel_fn, X1, Y)
    for x in (X2, X1):
        mean, covariance = predict(t=t, x_test=x, get=mode, compute_cov=True)
        close((mean, covariance), ensemble(mode, t, x), 1e-7)
        assert np.linalg.eigvalsh(covariance)[0] > -1e-8
    both = predict(t=t, x_test=X2, get=("ntk", "nngp"), compute_cov=True)
    close(getattr(both, mode), predict(t=t, x_test=X2, get=mode, compute_cov=True))
    close(predict(t=t, get=mode), predict(t=t, x_test=X1, get=mode), 1e-8)


@pytest.mark.parametrize("get", GETS)
def test_gaussian_process_inference_is_the_ensemble_in_the_end(nt, get):
    *_, kernel_fn = network()
    both = "nngp", "ntk"
    infer = nt.predict.gp_inference(kernel_fn(X1, None, both), Y, diag_reg=1e-5)
    predict = nt.predict.gradient_descent_mse_ensemble(kernel_fn, X1, Y, diag_reg=1e-5)
    found = infer(get, kernel_fn(X2, X1, both), kernel_fn(X2, None, "nngp"))
    close(found, predict(None, X2, get, compute_cov=True))
    close(found, predict(np.inf, X2, get, compute_cov=True), 1e-6)


def test_the_largest_learning_rate_separates_convergence_from_divergence(nt):
    train = np.asarray(kernels()[0])
    largest = float(nt.predict.max_learning_rate(train, y_train_size=Y.size))
    for factor, grows in ((0.99, False), (1.01, True)):
        error = np.linalg.matrix_power(np.eye(8) - factor * largest * train / Y.size, 2000)
        assert (np.linalg.norm(error, 2) > 10) == grows


# ---- where JAX traces, which the authors' tests ask of jit alone


def functions_of_kernels(nt):
    """Functions of the two NTK blocks."""

    def at_time(t):
        return lambda train, test: nt.predict.gradient_descent_mse(train, Y)(t, F1, F2, test)

    def inference(train, test):
        return nt.predict.gp_inference(train, Y, diag_reg=1e-4)("ntk", test)

    return {"finite": at_time(2.0), "times": at_time(np.array([1.0, 2.0])), "infinite": at_time(None)} | {
        "inference": inference
    }


@pytest.mark.parametrize("name", ["finite", "times", "infinite", "inference"])
def test_predictions_can_be_traced_in_the_kernel(nt, name):
    function, arguments = functions_of_kernels(nt)[name], tuple(map(np.asarray, kernels()))
    plain = function(*arguments)
    close(jax.jit(function)(*arguments), plain)
    two = jax.vmap(function)(*(np.stack([k, 2 * k]) for k in arguments))
    close(jax.tree.map(lambda leaf: leaf[0], two), plain)
    close(jax.tree.map(lambda leaf: leaf[1], two), function(*(2 * k for k in arguments)))

    def total(scale):
        train, test = arguments
        return sum(map(jnp.sum, jax.tree.leaves(function(scale * train, scale**2 * test))))

    step = 1e-5
    expected = (total(1 + step) - total(1 - step)) / (2 * step)
    for slope in (jax.grad(total), jax.jit(jax.grad(total))):
        close(slope(1.0), expected, 1e-6)
    close(function(*arguments), plain)


def test_one_predictor_serves_inside_and_outside_of_traces(nt):
    *_, kernel_fn = network()
    predict = nt.predict.gradient_descent_mse_ensemble(kernel_fn, X1, Y, diag_reg=1e-4)

    def mean(x):
        return predict(2.0, x, "ntk")

    inside = jax.jit(mean)(X2)
    close(mean(X2), inside)
    close(jax.vmap(mean)(X2[:, None]).reshape(4, 2), inside)
    step = 1e-5 * np.eye(4, 5)
    slope = jax.grad(lambda x: mean(x).sum())(X2)
    close(np.sum(slope * step) / 1e-5, np.sum(mean(X2 + step) - mean(X2 - step)) / 2e-5, 1e-6)
    close(mean(X2), inside)
    close(jax.jit(lambda x: predict(None, x, "nngp"))(X2), predict(None, X2, "nngp"))
