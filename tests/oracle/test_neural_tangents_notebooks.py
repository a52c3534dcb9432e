"""What the public notebooks of neural-tangents show, asked of release 0.6.5 and of this package.

The cookbook, the phase diagram, the empirical kernel of a fully connected network and the elementwise
nonlinearities, on this JAX. Left out are the cells that install, plot or time, and the modes of the empirical
kernel that lean on JAX's internals, which say so at the call. The cells on elementwise nonlinearities are in
test_neural_tangents.
"""

import importlib.util
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

from ntk_helpers import Network, empirical_ntk, fcn_kernels, gradient_descent, mean_field, train
from ntk_helpers.networks import Layers
from ntk_helpers.peers import neural_tangents

pytestmark = [
    pytest.mark.slow("compiles many functions of neural-tangents"),
    pytest.mark.usefixtures("double_precision"),
    pytest.mark.skipif(importlib.util.find_spec("neural_tangents") is None, reason="no neural-tangents"),
]

# The cookbook's task: sin(x) at five points with noise, and an erf network of two hidden layers.
RNG = np.random.default_rng(10)
X = RNG.uniform(-np.pi, np.pi, (5, 1))
Y = np.sin(X) + 0.1 * RNG.standard_normal((5, 1))
X_TEST = np.linspace(-np.pi, np.pi, 50)[:, None]
LAW = {"depth": 3, "activation": "erf", "sigma_w": 1.5, "sigma_b": 0.05}
RIDGE = 1e-4


@pytest.fixture(scope="module")
def nt():
    return neural_tangents()


def cookbook(nt, width=512):
    layers = [nt.stax.Dense(width, 1.5, 0.05), nt.stax.Erf()] * 2
    return nt.stax.serial(*layers, nt.stax.Dense(1, 1.5, 0.05))


def test_cookbook_prior(nt):
    """The functions that networks draw have the variance of the NNGP kernel, which is also ours."""
    init_fn, apply_fn, kernel_fn = cookbook(nt)
    kernel = np.asarray(kernel_fn(X_TEST, X_TEST, "nngp"))
    np.testing.assert_allclose(kernel, fcn_kernels(X_TEST, X_TEST, **LAW).nngp, rtol=1e-9)
    some = X_TEST[::10]
    draw = jax.jit(jax.vmap(lambda key: apply_fn(init_fn(key, (-1, 1))[1], some)[:, 0]))
    squares = np.asarray(draw(jax.random.split(jax.random.key(0), 400))) ** 2
    error = squares.std(axis=0, ddof=1) / 20
    assert (np.abs(squares.mean(axis=0) - np.diag(kernel)[::10]) < 4.5 * error).all()
    assert (error < 0.15 * np.diag(kernel)[::10]).all()


@pytest.mark.parametrize("get", ["nngp", "ntk"])
def test_cookbook_inference(nt, get):
    """Mean and covariance of Bayes and of gradient descent in the end, from our kernels by linear algebra."""
    predict = nt.predict.gradient_descent_mse_ensemble(cookbook(nt)[2], X, Y, diag_reg=RIDGE)
    mean, covariance = predict(x_test=X_TEST, get=get, compute_cov=True)
    kernels, cross, test = (fcn_kernels(*pair, **LAW) for pair in ((X, None), (X_TEST, X), (X_TEST, None)))
    k = getattr(kernels, get) + RIDGE * np.trace(getattr(kernels, get)) / 5 * np.eye(5)
    a = np.linalg.solve(k, getattr(cross, get).T).T
    np.testing.assert_allclose(mean, a @ Y, atol=1e-7)
    mixed = a @ cross.nngp.T
    noisy = k if get == "nngp" else kernels.nngp
    np.testing.assert_allclose(covariance, test.nngp + a @ noisy @ a.T - mixed - mixed.T, atol=1e-6)


def test_cookbook_mean_loss_along_training(nt):
    """The infinite ensemble on its training points over time, and its mean loss, which falls."""
    predict = nt.predict.gradient_descent_mse_ensemble(cookbook(nt)[2], X, Y)
    kernel = fcn_kernels(X, **LAW).ntk
    nngp, previous = fcn_kernels(X, **LAW).nngp, np.inf
    for t in (0.0, 10.0, 100.0):
        mean, covariance = predict(t=t, get="ntk", compute_cov=True)
        decay = expm(-t * kernel / 5)
        np.testing.assert_allclose(mean, Y - decay @ Y, atol=1e-7)
        np.testing.assert_allclose(covariance, decay @ nngp @ decay.T, atol=1e-7)
        loss = 0.5 * np.mean((mean - Y) ** 2 + np.diag(covariance)[:, None])
        assert loss < previous
        previous = loss


def test_cookbook_ensemble():
    """Networks of finite width, trained, have the mean of the infinite ensemble; the NNGP kernel's is far."""
    net = Network((1, 512, 512, 1), "erf", sigma_w=1.5, sigma_b=0.05)
    params = jax.vmap(net.init)(jax.random.split(jax.random.key(1), 24))
    trained = train(net, params, X, Y, learning_rate=0.1, steps=100).params
    points = np.concatenate([X, X_TEST[::10]])
    outputs = np.asarray(jax.vmap(net.apply, (0, None))(trained, points))[..., 0]
    error = outputs.std(axis=0, ddof=1) / math.sqrt(24)
    kernels, start = fcn_kernels(points, X, **LAW), -np.concatenate([Y[:, 0], np.zeros(5)])

    def deviation(kernel):
        """Of the measured means from those of descent with this kernel, in standard errors."""
        expected = gradient_descent(kernel, start, learning_rate=0.1, steps=100)[-1] - start
        return np.max(np.abs(outputs.mean(axis=0) - expected) / error)

    assert deviation(kernels.ntk) < 4.5
    assert deviation(kernels.nngp) > 15


def test_cookbook_residual_network(nt):
    """A residual network by `parallel` and `FanOut`: its inference is that of its own kernel."""
    stax = nt.stax
    branch = stax.serial(stax.Erf(), stax.Dense(64, 1.1, 0.0))
    block = stax.serial(stax.FanOut(2), stax.parallel(branch, stax.Identity()), stax.FanInSum())
    kernel_fn = stax.serial(stax.Dense(64, 1.0, 0.0), block, block, stax.Erf(), stax.Dense(1, 1.5, 0.0))[2]

    def results():
        predict = nt.predict.gradient_descent_mse_ensemble(kernel_fn, X, Y, diag_reg=RIDGE)
        return predict(x_test=X_TEST, get="ntk"), *(kernel_fn(x, X, "ntk") for x in (X, X_TEST))

    with pytest.warns(UserWarning, match="`FanIn` layers assume independent inputs"):
        found, k, cross = map(np.asarray, results())
    expected = cross @ np.linalg.solve(k + RIDGE * np.trace(k) / 5 * np.eye(5), Y)
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_phase_diagram(nt):
    """q*, c* and chi_1 of erf on a mesh of variances, by the notebook's maps and by `mean_field`."""
    stax = nt.stax

    def layer(covariance, weight_variance, bias_variance):
        kernel_fn = stax.serial(stax.Erf(), stax.Dense(1, weight_variance**0.5, bias_variance**0.5))[2]
        given = stax.Dense(1)[2](np.ones((2, 1)))  # what a Gaussian layer hands on
        given = given.replace(nngp=covariance, cov1=jnp.diag(covariance))
        return kernel_fn(given, get="nngp")

    def correlation_map(c, q, weight_variance, bias_variance):
        return layer(q * jnp.array([[1.0, c], [c, 1.0]]), weight_variance, bias_variance)[0, 1] / q

    slope = jax.jit(jax.vmap(jax.grad(correlation_map), (None, 0, 0, 0)))
    mesh = np.array([(w, b) for w in (0.5, 1.5, 3.0) for b in (0.05, 0.5)])
    laws = [{"sigma_w": w**0.5, "sigma_b": b**0.5} for w, b in mesh]
    q = np.array([mean_field.fixed_point("erf", **law) for law in laws])
    for at, (w, b) in zip(q, mesh, strict=True):
        assert layer(at * np.eye(2), w, b)[0, 0] == pytest.approx(at, rel=1e-12)
    ours = [mean_field.chi("erf", sigma_w=law["sigma_w"], q=at) for law, at in zip(laws, q, strict=True)]
    np.testing.assert_allclose(slope(1.0, q, *mesh.T), ours, rtol=1e-9)
    for at, law, (w, b), chi in zip(q, laws, mesh, ours, strict=True):
        c = mean_field.correlation_fixed_point("erf", **law).c
        assert correlation_map(c, at, w, b) == pytest.approx(c, rel=1e-9)
        assert (c < 1) == (chi > 1)


def test_empirical_kernel_of_a_fully_connected_network(nt):
    """All outputs, compiled: the implementations agree, and ours with them; two say which to take instead."""
    hidden = [nt.stax.Dense(32, 1.0, 0.05), nt.stax.Relu()] * 3
    init_fn, apply_fn, _ = nt.stax.serial(*hidden, nt.stax.Dense(8, 1.0, 0.05))
    x1, x2 = RNG.standard_normal((16, 30)), RNG.standard_normal((16, 30))
    params = init_fn(jax.random.key(0), (-1, 30))[1]

    def kernel(name):
        implementation = nt.NtkImplementation[name]
        ntk_fn = nt.empirical_ntk_fn(apply_fn, trace_axes=(), vmap_axes=0, implementation=implementation)
        return jax.jit(ntk_fn)(x1, x2, params)

    one, two = (np.asarray(kernel(name)) for name in ("JACOBIAN_CONTRACTION", "NTK_VECTOR_PRODUCTS"))
    assert one.shape == (16, 16, 8, 8)
    scale = np.abs(one).max()
    np.testing.assert_allclose(two, one, atol=1e-12 * scale)
    net = Network((30, 32, 32, 32, 8), "relu", sigma_w=1.0, sigma_b=0.05)
    weights = [layer for layer in params if layer]
    layers = [Layers(w.T[None], b.reshape(1, -1)) for w, b in weights]
    run = Layers(*(jnp.concatenate(part) for part in zip(*layers[1:3], strict=True)))
    ours = empirical_ntk(net, (layers[0], run, layers[3]), x1, x2, trace_outputs=False)
    np.testing.assert_allclose(ours, one, atol=1e-12 * scale)
    for name in ("STRUCTURED_DERIVATIVES", "AUTO"):
        with pytest.raises(NotImplementedError, match=r"take NtkImplementation\.JACOBIAN_CONTRACTION"):
            kernel(name)
