"""What the package hands out."""

import tomllib
import types
from pathlib import Path

import jax
import numpy as np
import pytest

import ntk_helpers
from ntk_helpers import dynamics, mean_field
from ntk_helpers.data import sphere

ROOT = Path(__file__).parents[2]


def test_what_is_public_is_named():
    public = {name: value for name, value in vars(ntk_helpers).items() if not name.startswith("_")}
    modules = {name for name, value in public.items() if isinstance(value, types.ModuleType)}
    assert public.keys() - modules == set(ntk_helpers.__all__)
    assert all(public[name].__name__ == f"ntk_helpers.{name}" for name in modules)
    assert all(value.__doc__ for name, value in public.items())


def test_version_and_types():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert ntk_helpers.__version__ == project["project"]["version"]
    assert (Path(ntk_helpers.__file__).parent / "py.typed").exists()
    assert project["tool"]["setuptools"]["package-data"]["ntk_helpers"] == ["py.typed"]


@pytest.mark.slow("compiles a call of each kind, twice")
def test_calls_whatever_the_caller_has_set():
    """Signals for NaN and strict promotion of dtypes and ranks, as some people debug with."""

    def results():
        key = jax.random.key(0)
        net = ntk_helpers.Network((3, 8, 2), "tanh", sigma_w=1.2, sigma_b=0.1)
        params, x = jax.vmap(net.init)(jax.random.split(key, 2)), sphere(6, 3, key)
        y, options = np.ones((6, 2)), {"learning_rate": 0.1, "batch_size": 2}
        kernel, residual = np.eye(6) + 0.1, np.ones((6, 2))
        one = jax.tree.map(lambda leaf: leaf[0], params)
        return (
            x,
            ntk_helpers.train(net, params, x, y, steps=3, key=key, **options).losses,
            ntk_helpers.jacobian_singular_values(net, one, x[0], [1, 2]),
            ntk_helpers.monte_carlo_kernels(net, key, x, networks=2).ntk.mean,
            dynamics.gradient_descent(kernel, residual, learning_rate=0.1, steps=3),
            dynamics.sgd_moments(kernel, residual, steps=3, **options),
            dynamics.sde_moments(kernel, residual, times=[0.0, 1.0], **options),
            dynamics.sample_sgd(key, kernel, residual, steps=3, samples=2, **options),
            dynamics.sample_sde(key, kernel, residual, times=[0.0, 1.0], samples=2, **options),
            mean_field.edge_of_chaos("tanh", sigma_b=0.3),
            mean_field.depth_scales("relu", sigma_w=1.0, sigma_b=0.3),
        )

    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"), jax.debug_nans(True):
        found = results()
    jax.tree.map(np.testing.assert_array_equal, found, results())
