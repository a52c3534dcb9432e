"""What the package hands out."""

import ast
import importlib
import inspect
import re
import textwrap
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


def on_the_api_page():
    """{name: object} of what book/api.md shows, methods as Class.method."""
    found = {}
    page = (ROOT / "book/api.md").read_text()
    for name, members in re.findall(r"^\.\. auto\w+:: ([\w.]+)\n(?:   :members: (.*))?", page, re.M):
        module, _, attribute = name.rpartition(".")
        found[name] = value = getattr(importlib.import_module(module), attribute)
        found |= {f"{name}.{member}": getattr(value, member) for member in members.split(", ") if member}
    return found


API = on_the_api_page()


def test_what_is_public_is_on_the_api_page():
    assert {getattr(ntk_helpers, name) for name in ntk_helpers.__all__} <= set(API.values())


def described(doc, *titles):
    """The names under these titles of a docstring: of "x1, x2 : meaning" both."""
    sections = re.findall(rf"^(?:{'|'.join(titles)})\n-+\n(.*?)(?=\n\n\w|\Z)", doc, re.M | re.S)
    groups = [re.findall(r"^(\w+(?:, \w+)*) : ", section, re.M) for section in sections]
    return [name for group in groups for names in group for name in names.split(", ")]


@pytest.mark.parametrize("name", API)
def test_public_docstrings_are_numpydoc(name):
    """A summary in one line; every argument, or field, once; what is returned."""
    value = API[name]
    if isinstance(value, property):  # one line says it
        return
    doc = inspect.getdoc(value)
    if inspect.isclass(value):
        assert sorted(described(doc, "Parameters", "Attributes")) == sorted(fields(value))
        return
    arguments = inspect.signature(value).parameters
    assert sorted(described(doc, "Parameters")) == sorted(arguments.keys() - {"self"})
    source = ast.walk(ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(value)))))
    if any(isinstance(node, ast.Return) and node.value for node in source):
        assert "\nReturns\n-------\n" in doc


def fields(value):
    """The fields of a NamedTuple or dataclass that are arguments."""
    return inspect.signature(value).parameters.keys()


@pytest.mark.parametrize("path", sorted((ROOT / "ntk_helpers").rglob("*.py")), ids=lambda path: path.stem)
def test_no_docstring_lists_arguments_as_name_and_colon(path):
    """Of the two forms "x : meaning" in a section and "x: meaning" in the text, only the first."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)]
        elif isinstance(node, ast.ClassDef):
            names = [part.target.id for part in node.body if isinstance(part, ast.AnnAssign)]
        else:
            continue
        lists = re.findall(r"^\s*(\w+(?:, \w+)*): ", ast.get_docstring(node) or "", re.M)
        assert not {name for group in lists for name in group.split(", ")} & {*names}, node.name


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
