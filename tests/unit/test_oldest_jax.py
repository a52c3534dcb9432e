"""The unit tests pass on the oldest versions that pyproject.toml admits, jax 0.7.0 among them."""

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PINS = ROOT / "tests" / "environments" / "oldest.txt"
PYTHON = ROOT / ".venv-oldest" / "bin" / "python"

pytestmark = [pytest.mark.book, pytest.mark.slow("runs the unit tests on the oldest versions")]

needs_environment = pytest.mark.skipif(
    not PYTHON.exists(), reason="no environment .venv-oldest: make .venv-oldest/.installed"
)


def pins() -> list[Requirement]:
    lines = (line.split("#")[0].strip() for line in PINS.read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line]


def version(pin: Requirement) -> str:
    (exactly,) = pin.specifier
    assert exactly.operator == "=="
    return exactly.version


def test_the_pins_are_the_declared_bounds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    for text in project["dependencies"] + extras["peers"] + extras["dynamics"]:
        declared = Requirement(text)
        bound = next(s.version for s in declared.specifier if s.operator in (">=", "=="))
        # The first pin of a name is for the oldest Python; a second one is for a Python without such wheels.
        oldest = next(pin for pin in pins() if pin.name == declared.name)
        assert Version(version(oldest)) == Version(bound), declared.name


@pytest.mark.everywhere
@needs_environment
def test_the_environment_holds_its_pins():
    listed = subprocess.run(
        [PYTHON, "-m", "pip", "--disable-pip-version-check", "list", "--format=json"],
        capture_output=True,
        text=True,
        check=True,
    )
    versions = {row["name"].lower().replace("_", "-"): row["version"] for row in json.loads(listed.stdout)}
    for pin in pins():
        if pin.marker is None or pin.marker.evaluate():
            assert versions[pin.name] == version(pin), pin.name


@pytest.mark.everywhere
@needs_environment
def test_the_unit_tests_pass_on_the_oldest_versions():
    files = [
        path
        for folder in ("unit", "oracle")
        for path in sorted((ROOT / "tests" / folder).glob("test_*.py"))
        if not re.search(r"(?m)^pytestmark = \[?\s*pytest\.mark\.book", path.read_text(encoding="utf-8"))
    ]
    assert files
    run = subprocess.run(
        [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not book", *files],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
