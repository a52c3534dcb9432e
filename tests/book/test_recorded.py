"""Recorded results: one quantity 10 % larger makes an assertion fail, or book/recorded.yml says why not."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "book" / "tools"), str(ROOT / "book" / "ext")]

import recorded  # noqa: E402
from mutants import Cell, _Run, statements  # noqa: E402

pytestmark = [pytest.mark.book, pytest.mark.slow("runs chapters on altered results")]


def test_the_table_is_in_step():
    assert recorded.out_of_step() == []


def rows_of(path: Path) -> list[recorded.Row]:
    """The rows of one chapter, run anew."""
    return sorted(recorded.Row(path.stem, *quantity, seen) for quantity, seen in recorded.chapter(path))


@pytest.mark.everywhere
@pytest.mark.parametrize("chapter", sorted({row.chapter for row in recorded.read_table()}))
def test_the_table_says_what_is_seen(chapter, monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    expected = [row for row in recorded.read_table() if row.chapter == chapter]
    assert rows_of(ROOT / "notebooks" / f"{chapter}.ipynb") == expected


RECORDS = {
    "records": [
        {"slice": {"weights": weights, "width": 8}, "result": {"rows": [{"kernel": "ntk", "mean": mean}]}}
        for weights, mean in (("gaussian", 2.0), ("orthogonal", 1.0), ("gaussian", 3.0))
    ]
}


def test_a_quantity_is_scaled_with_all_its_numbers_and_settings_are_not():
    names = list(dict.fromkeys(name for name, *_ in recorded.leaves(RECORDS)))
    assert names == ["gaussian, ntk, mean", "orthogonal, ntk, mean"]
    rows = [r["result"]["rows"][0]["mean"] for r in recorded.scaled(RECORDS, names[0])["records"]]
    assert rows == pytest.approx([2.2, 1.0, 3.3])
    assert [r["result"]["rows"][0]["mean"] for r in RECORDS["records"]] == [2.0, 1.0, 3.0]


@pytest.mark.parametrize(
    ("source", "files"),
    [
        ('results.load("a", scale)', {"a.json", "a.small.json"}),
        ('results.published(f"b_{panel}")', {"published/b_1.json"}),
        ('json.loads(Path("results/a.json").read_text())', {"a.json"}),
        ('json.loads(Path(f"results/a.{scale}.json").read_text())', {"a.json", "a.small.json"}),
        ('Path("results/published/b_1.json")', {"published/b_1.json"}),
        ("mean(a)", set()),
    ],
)
def test_a_statement_may_read_the_files_that_it_names(source, files):
    held = ("a.json", "a.small.json", "ab.json", "published/b_1.json")
    assert {file for file in held if recorded._reads(source, file)} == files


SOURCES = (
    "values = {'a': 2.0, 'b': 1.0}",
    "mean = values['a'] + 0.01",
    "# Assertion X-one: a name\nassert abs(mean - 2) < 0.1",
)


@pytest.mark.parametrize(
    ("altered", "failing"), [("2.2", "X-one"), ("2.02", ""), ("'no number'", "X-one (TypeError)")]
)
def test_the_first_assertion_that_fails_is_named(altered, failing):
    run = _Run(statements([Cell(str(k), source) for k, source in enumerate(SOURCES)]))
    for i in range(3):
        run.forward(i)
    run.code[0] = run.code[0]._replace(source=SOURCES[0].replace("2.0", altered))
    found = recorded._first_to_fail(run, [0, 1, 2], [0], {1: "X-one", 2: "X-one"})
    assert found == failing


def test_a_loop_variable_of_a_comprehension_is_no_dependency():
    """`first` and `last` are set anew, but `widths` reads its own: its iterators are used up."""
    sources = (
        "first, last = 2, 3",
        "ends = [map(int, '4 5'.split())]",
        "widths = [first + last for first, last in ends]",
        "# Assertion X-one: a name\nassert widths == [9] and first + last == 5",
    )
    run = _Run(statements([Cell(str(k), source) for k, source in enumerate(sources)]))
    for i in range(4):
        run.forward(i)
    assert recorded._first_to_fail(run, [0, 1, 2, 3], [0], {3: "X-one"}) == ""
    run.code[0] = run.code[0]._replace(source="first, last = 2, 4")
    assert recorded._first_to_fail(run, [0, 1, 2, 3], [0], {3: "X-one"}) == "X-one"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("x = [first + n for first, last in ends]", {"x", "n", "ends"}),
        ("x = [first for first in first]", {"x", "first"}),
        ("total += sum(a * a for a in rows if a > low)", {"total", "sum", "rows", "low"}),
        ("for n, m in sizes:\n    total += n + m + k", {"sizes", "total", "k"}),
        ("for n in n:\n    total += n", {"n", "total"}),
        ("for n in sizes:\n    a, b[n] = 2 * c, n\n    c = a", {"sizes", "b", "c"}),
        ("def double(n):\n    m = n + k\n    return 2 * m", {"k"}),
    ],
)
def test_the_variables_of_a_loop_are_its_own(source, names):
    assert recorded._not_own(source) == names
