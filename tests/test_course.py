"""The course: the sources of its exercises, and what is generated from them."""

import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "course" / "tools"))

import exercises  # noqa: E402

pytestmark = pytest.mark.book

SOURCES = exercises.read()
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))

SAMPLE = """\
# ---
# number: "2.1"
# title: Two layers
# level: 1
# minutes: 5
# section: "2.4"
# objective: Add
# points: 2
# ---

# %% prompt [markdown]
# Add $a$ and $b$.
#
# Then stop.

# %% solution [markdown]
# The sum.

# %% rubric [markdown]
# * 2 points: the sum.
"""
CODE = """
# %% stub
def add(a, b):
    return ...

# %% solution
def add(a, b):
    return a + b

# %% public
assert add(0, 2) == 2

# %% hidden
assert add(1, 2) == 3

# %% wrong
def add(a, b):
    return b
"""


def chapter_text(path):
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_chapters_show_the_exercises_of_the_sources(path):
    text = chapter_text(path)
    assert exercises.filled(text, SOURCES) == text
    assert exercises.missing(text, int(path.name[:2]), SOURCES) == []


def test_box_of_an_exercise_in_words_has_its_solution():
    sample = exercises.parse(SAMPLE, "02_sample")
    assert exercises.box(sample) == (
        '<a id="ex-2-1"></a>\n> **Exercise 2.1 (Two layers).** Add $a$ and $b$.\n>\n> Then stop.\n>\n'
        "> *Level 1, 5 minutes.*\n\n"
        "<details><summary>Solution to Exercise 2.1</summary>\n\nThe sum.\n\n</details>"
    )


def test_box_of_an_exercise_with_code_keeps_its_solution_secret():
    shown = exercises.box(exercises.parse(SAMPLE + CODE, "02_sample"))
    assert "> def add(a, b):\n>     return ...\n" in shown
    assert "The sum" not in shown
    assert "a + b" not in shown


def test_filling_renews_box_and_fold_and_does_so_once():
    sources = {"2.1": exercises.parse(SAMPLE, "02_sample")}
    filled = exercises.filled('Words.\n\n<a id="ex-2-1"></a>\n\nMore.', sources)
    assert filled == f"Words.\n\n{exercises.box(sources['2.1'])}\n\nMore."
    assert exercises.filled(filled, sources) == filled
    assert exercises.filled(filled.replace("The sum", "No"), sources) == filled
    assert exercises.filled(filled.replace("Add", "Subtract"), sources) == filled


def test_filling_names_a_box_without_a_source():
    with pytest.raises(ValueError, match=r"Exercise 2\.1 has no source"):
        exercises.filled('<a id="ex-2-1"></a>', {})


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("# level: 1", "# level: 7", "level is 7"),
        ("# minutes: 5\n", "", "exactly the fields"),
        ('"2.1"', "2.1", "in quotes"),
        ("# %% rubric", "# %% grade", "is none of"),
        ("# %% hidden\n", "# %% public\n", "hidden"),
        ("# ---\n", "", "begins with a header"),
    ],
)
def test_bad_sources_are_named(before, after, message):
    with pytest.raises(ValueError, match=message):
        exercises.parse((SAMPLE + CODE).replace(before, after), "02_sample")


def test_reading_finds_doubles_gaps_and_misnamed_files(tmp_path):
    def write(name, number):
        (tmp_path / name).write_text(SAMPLE.replace("2.1", number))

    write("02_a.py", "2.2")
    with pytest.raises(ValueError, match=r"2\.1 is missing"):
        exercises.read(tmp_path)
    write("02_b.py", "2.2")
    with pytest.raises(ValueError, match="same number"):
        exercises.read(tmp_path)
    write("02_b.py", "2.1")
    assert list(exercises.read(tmp_path)) == ["2.1", "2.2"]
    (tmp_path / "02_a.py").rename(tmp_path / "03_a.py")
    with pytest.raises(ValueError, match="begin its name"):
        exercises.read(tmp_path)
