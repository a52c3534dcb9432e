"""What the package hands out."""

import tomllib
import types
from pathlib import Path

import ntk_helpers

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
