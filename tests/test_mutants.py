"""Each assertion of the notebooks rejects wrong theories: book/mutants.yml, run by book/tools/mutants.py."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "tools"))

import mutants  # noqa: E402

pytestmark = [pytest.mark.book, pytest.mark.slow("breaks assertions and runs their chapters")]


def test_every_assertion_has_a_mutant():
    declared = {mutant.assertion for mutant in mutants.declared()}
    written = {
        name
        for path in (ROOT / "notebooks").glob("*.ipynb")
        for cell in mutants.code_cells(path)
        if (name := mutants.assertion_name(cell.source))
    }
    assert declared == written


# ---- the tool: what it calls caught, and what it does not


def outcome(mutant: mutants.Mutant) -> tuple[str, str]:
    """What the tool says of a mutant of PROGRAM."""
    code = mutants.statements(PROGRAM)
    run, (_, end), new = (
        mutants._Run(code),
        mutants.site(PROGRAM, mutant),
        mutants.change(PROGRAM, code, mutant),
    )
    for i in sorted({*mutants.slice_of(code, end), *new}):
        run.forward(i)
    return mutants.attempt(run, end, new)


SOURCES = (
    "a = 2.0",
    "def double(x):\n    return a * x",
    "unused = 1 / 0",
    "values = [double(k) for k in range(4)]\na_later = a",
    "values.append(double(4.0))",
    "a = 0.0",
    "# Assertion X-one: a name\nlast = values[-1]\nassert abs(last - 8) < 0.1\nassert a == 0.0",
)
PROGRAM = [mutants.Cell(str(k), source) for k, source in enumerate(SOURCES)]


def test_a_mutant_in_an_earlier_cell_reaches_the_assertion_through_functions_and_lists():
    mutant = mutants.Mutant("X-one", "2.1 for 2", "2.0", "2.1", cell="0")
    assert outcome(mutant) == (mutants.CAUGHT, "0.4 < 0.1 fails by a factor 4")


def test_an_error_below_the_tolerance_survives():
    mutant = mutants.Mutant("X-one", "2.001 for 2", "2.0", "2.001", cell="0")
    assert outcome(mutant)[0] == mutants.SURVIVED


def test_another_error_is_not_called_caught():
    mutant = mutants.Mutant("X-one", "an error", "2.0", "2.0 / 0", cell="0")
    assert outcome(mutant)[0].startswith("broken: ZeroDivisionError")


def test_the_text_must_stand_once():
    with pytest.raises(ValueError, match="stands 2 times"):
        mutants.site(PROGRAM, mutants.Mutant("X-one", "a", "assert a", "assert b"))
    with pytest.raises(ValueError, match="no such assertion"):
        mutants.site(PROGRAM, mutants.Mutant("X-two", "a", "8", "9"))


def test_only_the_statements_run_that_the_assertion_needs():
    code = mutants.statements(PROGRAM)
    used = [code[i].source for i in mutants.slice_of(code, 6)]
    assert "unused = 1 / 0" not in used
    assert "a_later = a" not in used
    assert len(used) == 8


def test_a_mutant_without_its_texts_is_refused(tmp_path):
    path = tmp_path / "mutants.yml"
    path.write_text("X-one:\n- {what: a, old: b}\n")
    with pytest.raises(ValueError, match="X-one"):
        mutants.declared(path)
