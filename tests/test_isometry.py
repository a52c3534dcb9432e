"""Singular values of the input-output Jacobian against automatic differentiation of the whole network."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ntk_helpers.isometry import jacobian_singular_values
from ntk_helpers.networks import Network

pytestmark = pytest.mark.usefixtures("double_precision")


def prefix(net, depth):
    """The network of the first `depth` layers."""
    return Network(
        net.widths[: depth + 1],
        net.activation,
        net.sigma_w,
        net.sigma_b,
        weights=net.weights,
        parameterization=net.parameterization,
        architecture=net.architecture,
    )


def first_layers(net, params, depth):
    """The parameters of the first `depth` layers, stacked as `prefix` wants them."""
    layers, shallow = net.layers(params), prefix(net, depth)
    starts = np.cumsum([0] + [k for k, _, _ in shallow.runs])
    stacked = []
    for start, (k, _, _) in zip(starts, shallow.runs, strict=False):
        weights, biases = zip(*layers[start : start + k], strict=True)
        stacked.append(type(params[0])(jnp.stack(weights), jnp.stack(biases)))
    return tuple(stacked)


@pytest.mark.parametrize(
    ("widths", "depths", "options"),
    [
        ((7, 7, 7, 7, 7, 7), (1, 2, 4, 5), {}),
        ((7, 7, 7, 7, 7, 7), (3,), {"weights": "orthogonal"}),
        ((5, 8, 8, 8, 3, 4), (1, 2, 3, 4, 5), {"weights": "orthogonal"}),
        ((4, 6, 6, 6, 2), (2, 4), {"architecture": "residual"}),
        ((4, 6, 6, 2), (2, 3), {"parameterization": "standard"}),
        ((4, 3), (1,), {}),
    ],
)
def test_equals_svd_of_automatic_differentiation(widths, depths, options):
    net = Network(widths, "tanh", 1.3, 0.4, **options)
    params = net.init(jax.random.key(0), dtype="float64")
    x = jax.random.normal(jax.random.key(1), widths[:1])
    found = jacobian_singular_values(net, params, x, depths)
    for depth, values in zip(depths, found, strict=True):
        part, few = prefix(net, depth), first_layers(net, params, depth)
        jacobian = jax.jacobian(lambda x, part=part, few=few: part.apply(few, x[None])[0])(x)
        np.testing.assert_allclose(values, np.linalg.svd(jacobian, compute_uv=False), rtol=1e-12, atol=1e-14)


def test_linear_orthogonal_is_an_isometry():
    net = Network((16,) * 301, "linear", 1.0, 0.0, weights="orthogonal")
    (values,) = jacobian_singular_values(
        net, net.init(jax.random.key(2), dtype="float64"), jnp.ones(16), [300]
    )
    # Rounding: 300 products, each with a relative error of a few units.
    np.testing.assert_allclose(values, np.ones(16), atol=300 * 10 * np.finfo(float).eps)


@pytest.mark.parametrize("depths", [(), (0, 1), (1, 4), (2, 2), (2, 1), (1.0,), (True,)])
def test_bad_depths(depths):
    net = Network((3, 3, 3, 3), "tanh", 1.0, 0.1)
    with pytest.raises(ValueError, match="depths must be increasing integers from 1 to 3"):
        jacobian_singular_values(net, net.init(jax.random.key(0)), jnp.ones(3), depths)


def test_bad_input_and_parameters():
    net = Network((3, 4, 2), "tanh", 1.0, 0.1)
    params = net.init(jax.random.key(0))
    with pytest.raises(ValueError, match=r"x must have shape \(3,\)"):
        jacobian_singular_values(net, params, jnp.ones((1, 3)), [1])
    with pytest.raises(ValueError, match=r"params must be those of net\.init"):
        jacobian_singular_values(net, params[:1], jnp.ones(3), [1])
