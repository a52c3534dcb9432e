"""Each assertion of the notebooks rejects wrong theories: book/mutants.yml, run by book/tools/mutants.py."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "book" / "tools"), str(ROOT / "book" / "ext")]

import ledger  # noqa: E402
import mutants  # noqa: E402
import trials  # noqa: E402

pytestmark = [pytest.mark.book, pytest.mark.slow("breaks assertions and runs their chapters")]


# Thirty assertions of eight chapters that need little of their notebooks. `make test-everywhere` runs all.
SAMPLE = [
    "S-setting-dimension-count",
    "O2-gaussian-rate",
    "S-Lemma1-gradient",
    "S-Lemma1-bound",
    "S-Lemma1-identity-index",
    "S-Lemma1-growth-term",
    "S-Lemma1-Ctilde-start",
    "S-GD-equivalent",
    "S-Lemma1-modes",
    "S-SDE-decomposition-exact",
    "S-SDE-trace-exact",
    "S-SDE-difference-strong",
    "S-SDE-covariance",
    "S-variance-rate",
    "S-Prop4-recursion-peers",
    "S-Lemma5-two-points",
    "S-B-variance-sup",
    "S-Lemma2-constant",
    "S-Lemma2-step-index",
    "S-Lemma4-coefficient",
    "S-Lemma34-bound-example",
    "S-Prop4-small-closed",
    "S-Prop4-small-zero",
    "S-Prop4-critical-half",
    "S-Prop4-large-linear",
    "S-Lemma5-quadrature",
    "S-Lemma5-dependent",
    "S-Lemma5-stein-sign",
    "S-Lemma5-distribution-jump",
    "S-C-rescaling-bias",
]


def test_every_assertion_has_a_mutant():
    declared = {mutant.assertion for mutant in mutants.declared()}
    written = {
        name
        for path in (ROOT / "notebooks").glob("*.ipynb")
        for cell in mutants.code_cells(path)
        if (name := mutants.assertion_name(cell.source))
    }
    assert declared == written


def test_a_random_assertion_states_its_power():
    """One whose line has a standard error; the power is computed from it."""
    claims = ledger.load(ROOT / "book" / "claims.yml").claims
    records = trials.load_records(ROOT / "book")
    random = {a.name for claim in claims for a in claim.assertions if "±" in a.measured}
    assert sorted(name for name in random if not records[name].power) == []


# Notebooks, by their beginnings, whose mutants were not run yet; the ledger page says how many wait.
WAITING = ()


def test_the_table_is_in_step():
    assert mutants.out_of_step(WAITING) == []


def test_what_is_not_random_rejects_a_thousandth_or_says_why():
    assert mutants.coarse(trials.load_records(ROOT / "book")) == []


@pytest.mark.parametrize(
    ("old", "new", "size"),
    [
        ("3 * s**2 / 8", "3.003 * s**2 / 8", 1e-3),
        ("abs(smooth - 1)", "abs(smooth - 1.001)", 1e-3),
        ("lam = q", "lam = 1.001 * q", 1e-3),
        ("limit = 89 / 15", "limit = 6.4", 1.0),
        ("axis=1)", "axis=0)", 1.0),
        ("a - b", "a", 1.0),
        ("printed[:, None]", "printed[:, :1]", 1.0),
    ],
)
def test_the_size_of_an_error_is_read_from_its_texts(old, new, size):
    assert mutants.size(mutants.Mutant("X", "what", old, new)) == pytest.approx(size, rel=1e-9)


def test_the_audit_begins_with_the_weakest():
    caught, passed = (trials.Trial("0.1% off", True, "", None), trials.Trial("5% off", False, "", "noise"))
    records = {
        "A-exact": trials.Record((caught,), None),
        "A-coarse": trials.Record((caught._replace(mutant="2% off"),), None, "finite depth"),
        "A-random": trials.Record((caught,), "a mean off by 3 %"),
        "A-noisy": trials.Record((caught,), "a mean off by 20 %"),
        "A-survived": trials.Record((caught, passed), "a mean off by 9 %"),
    }
    found = [ledger.Assertion(name, "01_x.ipynb", "holds", "1") for name in (*records, "A-untried")]
    claims = ledger.load(ROOT / "book" / "claims.yml").claims[:1]
    only = ledger.Ledger({}, {}, (claims[0]._replace(verdict="holds", assertions=tuple(found)),))
    lines = trials.audit(only, records, {"A-exact": [trials.Ball("$q$", "0.51", "1e-9")]})
    assert [line.split()[1] for line in lines] == [
        "A-untried",
        "A-survived",
        "A-noisy",
        "A-random",
        "A-coarse",
        "A-exact",
    ]
    assert lines[1] == (
        "survived  A-survived (01_x.ipynb): rejects 1 of 2; lets pass 5% off; would see a mean off by 9 %"
    )
    assert lines[-1].endswith("$q$ = 0.51 ± 1e-9")


def test_nearly_all_are_caught():
    outcomes = [row.outcome for row in mutants.read_table()]
    assert outcomes.count(mutants.CAUGHT) >= 0.95 * len(outcomes)


def rerun(names: list[str]) -> list[str]:
    """What a fresh run of the tool says of the mutants of these assertions, a line each."""
    command = [sys.executable, str(ROOT / "book" / "tools" / "mutants.py"), "--fresh", "-j", "2", *names]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    outcomes = (mutants.CAUGHT, mutants.SURVIVED, "broken")
    return [line for line in run.stdout.splitlines() if line.startswith(outcomes)]


def test_a_sample_is_caught():
    chosen = [mutant for mutant in mutants.declared() if mutant.assertion in SAMPLE]
    assert len({mutant.assertion for mutant in chosen}) == len(SAMPLE) == 30
    lines = rerun(SAMPLE)
    assert len(lines) == len(chosen)
    assert all(line.startswith(mutants.CAUGHT) for line in lines), "\n".join(lines)


@pytest.mark.everywhere
def test_all_are_caught_that_the_table_says_are():
    names = sorted({mutant.assertion for mutant in mutants.declared()})
    caught = sum(line.startswith(mutants.CAUGHT) for line in rerun(names))
    assert caught == sum(row.outcome == mutants.CAUGHT for row in mutants.read_table())


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


@pytest.mark.parametrize(
    ("test", "margin"),
    [
        ("x[0] < 1 < x[1]", "3 < 1 fails by a factor 3"),
        ("np.all(x > 3)", "1 > 3 fails by a factor 3"),
        ("(x < 2).all()", "3 < 2 fails by a factor 1.5"),
        ("all(v < 2 * w for v, w in zip(x, [3, 0.25]))", "1 < 0.5 fails by a factor 2"),
        ("np.allclose(x, [3, 2], rtol=0.1, atol=0)", "1 < 0.2 fails by a factor 5"),
        ("len(x) == 3", ""),
    ],
)
def test_the_margin_is_the_comparison_that_failed(test, margin):
    source = f"assert {test}"
    with pytest.raises(AssertionError) as failure:
        exec(compile(source, "statement 0", "exec"), {"np": np, "x": np.array([3.0, 1.0])})
    assert mutants._margin(source, failure.tb.tb_next) == margin


def test_a_line_is_written_whole(monkeypatch):
    """Two notebooks write to one stream, which the caller's environment may have made an unbuffered one."""
    written = []
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(write=written.append, flush=lambda: None))
    mutants._say("caught")
    assert written == ["caught\n"]


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


def test_a_loop_over_objects_that_it_changes_is_needed():
    sources = [
        "runs = {1: {}}",
        "for run in runs.values():\n    run['a'] = 2",
        "for n in (1, 2):\n    n += 1",
    ]
    code = mutants.statements(
        [mutants.Cell(str(k), text) for k, text in enumerate([*sources, "assert runs[1]['a'] == 2"])]
    )
    assert mutants.slice_of(code, 3) == [0, 1, 3]


def test_a_dictionary_that_is_filled_through_a_call_is_needed():
    sources = [
        "misses = {}",
        "for k in range(3):\n    misses.setdefault('a', []).append(k)",
        "assert misses['a']",
    ]
    code = mutants.statements([mutants.Cell(str(k), text) for k, text in enumerate(sources)])
    assert mutants.slice_of(code, 2) == [0, 1, 2]


@pytest.mark.parametrize(
    ("start", "change", "holds"),
    [
        ("{'a': []}", "x['a'].append(2.0)", "x == {'a': [2.0]}"),
        ("[{'a': {1: 2.0}}]", "x[0]['a'][1] += 1", "x == [{'a': {1: 3.0}}]"),
        ("np.zeros(2)", "x[0] += 1", "x.tolist() == [1.0, 0.0]"),
        ("{'a': (1, np.zeros(2))}", "x['a'][1][0] += 1", "x['a'][1].tolist() == [1.0, 0.0]"),
    ],
)
def test_one_mutant_leaves_nothing_behind_for_the_next(start, change, holds):
    sources = ("import numpy as np", f"x = {start}", change, f"# Assertion X-one: a name\nassert {holds}")
    cells = [mutants.Cell(str(k), source) for k, source in enumerate(sources)]
    run = mutants._Run(mutants.statements(cells))
    for i in range(len(sources)):
        run.forward(i)
    twice = f"{change}; {change}"
    outcomes = [mutants.attempt(run, 3, {2: new})[0] for new in (twice, change, twice)]
    assert outcomes == [mutants.CAUGHT, mutants.SURVIVED, mutants.CAUGHT]


def test_a_large_array_is_not_copied_and_cannot_be_changed():
    x = np.zeros(mutants.LARGE)
    assert mutants._copied({"x": [x]})["x"][0] is x
    with pytest.raises(ValueError, match="read-only"):
        x[0] = 1


def test_what_two_names_share_they_share_in_the_copy():
    row = {"a": []}
    found = mutants._copied({"rows": [row], "row": row})
    found["row"]["a"].append(1)
    assert found["rows"] == [{"a": [1]}]
    assert row == {"a": []}


def test_a_function_may_read_what_is_set_after_it():
    sources = (
        "def scaled(x):\n    k = factor\n    return k * x",
        "factor, k = 3.0, 1 / 0",
        "assert scaled(1) == 3",
    )
    cells = [mutants.Cell(str(k), source) for k, source in enumerate(sources)]
    code = mutants.statements(cells)
    assert mutants.slice_of(code, 2) == [0, 1, 2]
    assert "k" not in code[0].later


def test_a_mutant_without_its_texts_is_refused(tmp_path):
    path = tmp_path / "mutants.yml"
    path.write_text("X-one:\n- {what: a, old: b}\n")
    with pytest.raises(ValueError, match="X-one"):
        mutants.declared(path)
