"""The lock is complete, reproducible and consistent with what the project declares."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.txt").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

pytestmark = [pytest.mark.book, pytest.mark.slow("starts other processes of Python")]

# neural-tangents declares these and needs neither for what the book uses.
ACCEPTED_GAPS = {("neural-tangents", "tensorflow"), ("neural-tangents", "tf2jax")}


def pins() -> list[Requirement]:
    return [Requirement(line) for line in LOCK.splitlines() if line and not line.lstrip().startswith("#")]


def test_the_lock_pins_every_package_once_and_names_no_address():
    for requirement in pins():
        assert [s.operator for s in requirement.specifier] == ["=="], requirement
        assert requirement.url is None
    assert len({r.name for r in pins()}) == len(pins())
    assert "://" not in LOCK


def test_the_lock_records_the_command_that_makes_it():
    recorded = re.search(r"uv pip compile (.*)", LOCK).group(1).split()
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    command = re.search(r"uv pip compile (.*)", makefile).group(1).split()
    transient = {"--upgrade", "--quiet", "-q"}
    assert set(recorded) - transient == set(command) - transient


def test_the_lock_meets_the_declared_bounds():
    locked = {r.name: next(iter(r.specifier)).version for r in pins()}
    extras = PROJECT["project"]["optional-dependencies"].values()
    for text in PROJECT["project"]["dependencies"] + [line for extra in extras for line in extra]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(locked[requirement.name]), (text, locked[requirement.name])


def test_what_is_installed_is_what_is_locked():
    for requirement in pins():
        if requirement.marker is None or requirement.marker.evaluate():
            version = importlib.metadata.version(requirement.name)
            assert requirement.specifier.contains(version), f"{requirement} is locked, {version} is installed"


def test_pip_check_reports_the_accepted_gap_and_nothing_else():
    run = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    lines = [line for line in run.stdout.splitlines() if line.strip()]
    found = {re.match(r"(\S+) \S+ requires (\S+), which is not installed", line).groups() for line in lines}
    assert found == ACCEPTED_GAPS, run.stdout + run.stderr


def test_the_package_imports_only_numpy_jax_and_scipy():
    # The long experiments must run where only these three are at hand.
    heavy = [
        "matplotlib",
        "sklearn",
        "pooch",
        "tqdm",
        "optax",
        "diffrax",
        "plotly",
        "neural_tangents",
        "tensorflow",
    ]
    code = (
        "import sys, pkgutil, importlib, ntk_helpers\n"
        "for m in pkgutil.walk_packages(ntk_helpers.__path__, 'ntk_helpers.'):\n"
        "    if not m.name.endswith('__main__'): importlib.import_module(m.name)\n"
        "print(sorted(set(sys.argv[1:]) & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_table_says_what_takes_long_and_why(tmp_path):
    """Also from the workers of xdist; cells of a notebook would be one line."""
    table = (ROOT / "tests" / "conftest.py").read_text(encoding="utf-8").replace("SLOW = 10.0", "SLOW = 1.0")
    (tmp_path / "conftest.py").write_text(table)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  slow(reason): why\n")
    (tmp_path / "test_sample.py").write_text(
        "import pytest, time\n"
        "@pytest.mark.slow('it sleeps')\n"
        "@pytest.mark.parametrize('n', [1, 2])\n"
        "def test_long(n): time.sleep(0.6)\n"
        "def test_other(): time.sleep(1.1)\n"
        "def test_short(): pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-n", "1", "-q", "-p", "no:cacheprovider", tmp_path]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert re.search(r"s  test_sample\.py::test_long: it sleeps", run.stdout)
    assert re.search(r"s  test_sample\.py::test_other: no reason given", run.stdout)
    assert re.search(r"s  all the others, 1 tests", run.stdout)
