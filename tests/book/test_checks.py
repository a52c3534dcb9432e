"""The checks that a reader runs in the page: each passes, and fails with another constant."""

import ast
import re
import runpy
import sys
from pathlib import Path

import pytest
import yaml
from built_book import ROOT

pytestmark = [pytest.mark.book, pytest.mark.slow("runs the checks of the claims, right and wrong")]
CHECKS = sorted((ROOT / "book" / "checks").glob("*.py"))


def load(path: Path):
    """The function check, its right constant, and the wrong one of the file."""
    found = runpy.run_path(str(path))
    (right,) = found["check"].__defaults__
    return found["check"], right, found["WRONG"]


def test_there_are_twenty_and_more_all_of_the_ledger():
    ledger = yaml.safe_load((ROOT / "book" / "claims.yml").read_text(encoding="utf-8"))
    assert len(CHECKS) >= 20
    assert {path.stem for path in CHECKS} <= {claim["id"] for claim in ledger["claims"]}


@pytest.mark.parametrize("path", CHECKS, ids=lambda path: path.stem)
def test_check_passes_and_fails_with_another_constant(path, capsys):
    check, right, wrong = load(path)
    check()
    assert re.search(r"\d", capsys.readouterr().out)  # it says what it measured
    for constant in (wrong, right * 1.02, right * 0.98):
        with pytest.raises(AssertionError):
            check(constant)


@pytest.mark.parametrize("path", CHECKS, ids=lambda path: path.stem)
def test_check_stands_alone(path):
    """The standard library and mpmath are all that the page has; the page swaps the constant by its text."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    assert ast.get_docstring(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = (
                [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            )
            assert set(names) <= set(sys.stdlib_module_names) | {"mpmath"}
    assert len(re.findall(r"^def check\(\w+=[^()]+\):$", source, re.MULTILINE)) == 1
    assert len(re.findall(r"^WRONG = [^#\n]+", source, re.MULTILINE)) == 1
    assert max(map(len, source.splitlines())) <= 110
