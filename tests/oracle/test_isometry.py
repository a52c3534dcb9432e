"""Singular values of the input-output Jacobian against automatic differentiation of the whole network."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ntk_helpers import mean_field
from ntk_helpers.experiments import jacobian_spectrum
from ntk_helpers.isometry import jacobian_singular_values
from ntk_helpers.networks import Network

pytestmark = [
    pytest.mark.usefixtures("double_precision"),
    pytest.mark.slow("draws networks and their singular values"),
]


def prefix(net, depth):
    """The network of the first `depth` layers."""
    return Network(
        net.widths[: depth + 1],
        net.activation,
        sigma_w=net.sigma_w,
        sigma_b=net.sigma_b,
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
        ((7, 7, 7, 7, 7, 7), (1, 4, 5), {}),
        ((7, 7, 7, 7, 7, 7), (3,), {"weights": "orthogonal"}),
        ((5, 8, 8, 8, 3, 4), (2, 4, 5), {"weights": "orthogonal"}),
        ((4, 6, 6, 6, 2), (2, 4), {"architecture": "residual"}),
        ((4, 6, 6, 2), (2, 3), {"parameterization": "standard"}),
        ((4, 3), (1,), {}),
        # stretches longer than nine layers
        ((4,) * 25, (1, 12, 24), {"weights": "orthogonal"}),
        ((3, *(4,) * 12, *(3,) * 12), (11, 24), {"architecture": "fcn"}),
    ],
)
def test_equals_svd_of_automatic_differentiation(widths, depths, options):
    net = Network(widths, "tanh", sigma_w=1.3, sigma_b=0.4, **options)
    params = net.init(jax.random.key(0), dtype="float64")
    x = jax.random.normal(jax.random.key(1), widths[:1])
    found = jacobian_singular_values(net, params, x, depths)
    for depth, values in zip(depths, found, strict=True):
        part, few = prefix(net, depth), first_layers(net, params, depth)
        jacobian = jax.jacobian(lambda x, part=part, few=few: part.apply(few, x[None])[0])(x)
        np.testing.assert_allclose(values, np.linalg.svd(jacobian, compute_uv=False), rtol=1e-12, atol=1e-14)


def test_linear_orthogonal_is_an_isometry():
    net = Network((16,) * 301, "linear", sigma_w=1.0, sigma_b=0.0, weights="orthogonal")
    (values,) = jacobian_singular_values(
        net, net.init(jax.random.key(2), dtype="float64"), jnp.ones(16), [300]
    )
    # Rounding: 300 products, each with a relative error of a few units.
    np.testing.assert_allclose(values, np.ones(16), atol=300 * 10 * np.finfo(float).eps)


@pytest.mark.parametrize("depths", [(), (0, 1), (1, 4), (2, 2), (2, 1), (1.0,), (True,)])
def test_bad_depths(depths):
    net = Network((3, 3, 3, 3), "tanh", sigma_w=1.0, sigma_b=0.1)
    with pytest.raises(ValueError, match="depths must be increasing integers from 1 to 3"):
        jacobian_singular_values(net, net.init(jax.random.key(0)), jnp.ones(3), depths)


def test_bad_input_and_parameters():
    net = Network((3, 4, 2), "tanh", sigma_w=1.0, sigma_b=0.1)
    params = net.init(jax.random.key(0))
    with pytest.raises(ValueError, match=r"x must have shape \(3,\)"):
        jacobian_singular_values(net, params, jnp.ones((1, 3)), [1])
    with pytest.raises(ValueError, match=r"params must be those of net\.init"):
        jacobian_singular_values(net, params[:1], jnp.ones(3), [1])


@pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
def test_resolution_at_depth(weights):
    """log |det J| is a sum over layers, exact at any depth: the SVD agrees while it resolves all values."""
    n, depths = 24, (2, 5, 10, 200)
    net = Network((n,) * 201, "tanh", sigma_w=1.7**0.5, sigma_b=0.2, weights=weights)
    params = net.init(jax.random.key(3), dtype="float64")
    x = np.full(n, 0.5)
    y, total, exact = x, 0.0, {}
    for depth, (weight, bias) in enumerate(net.layers(params), start=1):
        if depth > 1:
            total += np.sum(np.log(1 - np.tanh(y) ** 2))
            y = np.tanh(y)
        matrix = (1.7 / n) ** 0.5 * np.asarray(weight)
        total += np.linalg.slogdet(matrix)[1]
        y = matrix @ y + 0.2 * np.asarray(bias)
        exact[depth] = total
    for depth, values in zip(depths, jacobian_singular_values(net, params, x, depths), strict=True):
        unit = float(values[0] / values[-1]) * np.finfo(float).eps  # relative error of the smallest
        error = np.sum(np.log(values)) - exact[depth]
        if depth < 200:
            # Each value is off by some units times the largest, the smallest by the greatest share.
            assert abs(error) < 10 * n * unit
            assert depth == 10 or 10 * n * unit < 1e-6
        else:
            assert values[-1] < 1e-15 * values[0]
            assert error > n * np.log(10)  # rounding noise: too large by more than ten on average


def test_recorded_statistics():
    """Rows of the experiment against singular values by hand, wide and narrow, in batches of draws."""
    settings = jacobian_spectrum.EXPERIMENT.scales["quick"] | {"width": 8, "depths": [2, 3], "levels": 4}
    settings["narrow"] = settings["narrow"] | {"width": 6}
    pieces = jacobian_spectrum.slices(settings)
    assert [piece["seeds"] for piece in pieces if piece["weights"] == "gaussian"] == [[0], [1], [0, 1], [2]]
    for piece in pieces:
        if piece["weights"] == "gaussian":
            continue
        n = piece["width"]
        rows = jacobian_spectrum.run(settings, piece)["rows"]
        assert {row["case"] for row in rows} == ({*settings["cases"]} if n == 8 else {"tanh, large q"})
        for row in rows:
            activation, sw2, sb2 = settings["cases"][row["case"]]
            net = Network((n,) * 4, activation, sigma_w=sw2**0.5, sigma_b=sb2**0.5, weights="orthogonal")
            x = jacobian_spectrum.input_of(net)
            for i, seed in enumerate(piece["seeds"]):
                params = net.init(jax.random.key(seed), dtype="float64")
                (s,) = jacobian_singular_values(net, params, x, [row["depth"]])
                eigenvalues = np.asarray(s) ** 2
                np.testing.assert_allclose(row["mean"][i], eigenvalues.mean())
                relative = eigenvalues.var() / eigenvalues.mean() ** 2
                np.testing.assert_allclose(row["relative_variance"][i], relative, atol=1e-12)
                assert ("quantiles" in row) == (n == 8)
                if n == 8 and row["case"] != "ReLU":  # zeros of ReLU are rounding noise
                    np.testing.assert_allclose(row["largest"][i], s[:2], rtol=1e-5)
                    np.testing.assert_allclose(row["smallest"][i], s[:-3:-1], rtol=1e-5)
                    quantiles = np.quantile(s, [0.125, 0.375, 0.625, 0.875])
                    np.testing.assert_allclose(row["quantiles"][i], quantiles, rtol=1e-5)


def test_recorded_cases_sit_at_their_fixed_point():
    """chi^200 is 1 for the tanh far from linear, which stands on its edge to all digits."""
    activation, sw2, sb2 = jacobian_spectrum.COMMON["cases"]["tanh, large q"]
    edge = mean_field.edge_of_chaos(activation, sigma_b=sb2**0.5)
    assert abs(edge.sigma_w**2 - sw2) < 1e-12 * sw2
    assert abs(mean_field.chi(activation, sigma_w=sw2**0.5, q=edge.q) ** 200 - 1) < 1e-10
    x = jacobian_spectrum.input_of(Network((3, 3), activation, sigma_w=sw2**0.5, sigma_b=sb2**0.5))
    np.testing.assert_allclose(sw2 * np.mean(x**2) + sb2, edge.q, rtol=1e-10)
