"""What a chapter tells its reader first, and whether it is so: minutes, prerequisites, pictures, play."""

import ast
import json
import re
import sys
import time

import pytest
from built_book import ROOT

sys.path.insert(0, str(ROOT / "book" / "tools"))
sys.path.insert(0, str(ROOT / "book" / "ext"))

import chapter_figures
import chapter_map
from ledger import assertion_name

pytestmark = [pytest.mark.book, pytest.mark.slow("runs primers and exercises")]

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = {"primers/networks": 20, "primers/jax": 20, "primers/sde": 20, "primers/audit": 20, "findings": 10}
THEOREM = re.compile(r"^> \*\*(?:Theorem|Lemma|Proposition|Corollary) ", re.MULTILINE)
FORM = re.compile(r"^(?P<name>\w+) = .+  # @param ", re.MULTILINE)
CHANGE = re.compile(
    r"^\* `(?P<assertion>[\w-]+)`: write `(?P<new>.+?)` for `(?P<old>.+?)`: .+\.$", re.MULTILINE
)
PLAY_SECONDS = 5  # a second on a quiet machine


def source(cell: dict) -> str:
    return "".join(cell["source"])


def cell_of(notebook: dict, id: str) -> str:
    (cell,) = (cell for cell in notebook["cells"] if cell["id"] == id)
    return source(cell)


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def head(notebook) -> str:
    return source(notebook["cells"][0])


# ---- minutes


def near(said: float, computed: float) -> bool:
    return abs(said - computed) <= max(3, 0.2 * computed)


def test_minutes_of_the_chapter_are_computed(notebook, head):
    said, _ = chapter_map.stated(head)
    _, computed = chapter_map.sections(notebook)
    assert near(said, computed), (
        f"{said} minutes stated, {computed:.0f} computed: run book/tools/chapter_map.py"
    )


def test_map_lists_the_sections_with_their_minutes(notebook, head):
    _, said = chapter_map.stated(head)
    found, _ = chapter_map.sections(notebook)
    assert [entry[:2] for entry in said] == [(s.number, s.title) for s in found if s.title != "Exercises"]
    computed = {s.number: s.minutes for s in found}
    wrong = {number: minutes for number, _, minutes in said if not near(minutes, computed[number])}
    assert not wrong, "run book/tools/chapter_map.py"


def test_sections_that_can_be_skipped_say_so(notebook, head):
    stars = chapter_map.starred(head)
    for cell in notebook["cells"][1:]:
        if cell["cell_type"] == "markdown":
            assert chapter_map.marked(source(cell), stars) == source(cell), "run book/tools/chapter_map.py"


@pytest.mark.parametrize(("page", "minutes"), PAGES.items())
def test_minutes_of_a_page_are_computed(page, minutes):
    text = (ROOT / "book" / f"{page}.md").read_text(encoding="utf-8")
    code = re.findall(r"^```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```\w+\n.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = sum(block.count("\n") for block in code)
    computed = chapter_map.prose_minutes(prose) + lines / chapter_map.LINES
    assert computed < 1.25 * minutes


# ---- prerequisites


def test_no_chapter_needs_a_later_one(path, head):
    needed = re.search(r"^\*\*Know first:\*\*(.*?)\n\n", head, re.MULTILINE | re.DOTALL)
    chapters = re.findall(r"\((\d\db?_\w+\.ipynb)", needed[1])
    assert all(name < path.name for name in chapters)


# ---- a question and a picture first


def test_a_question_and_a_picture_stand_before_the_first_theorem(notebook, head):
    assert re.search(r"^\*\*The question\.\*\* .+\?$", head, re.MULTILINE)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown" and THEOREM.search(source(cell)):
            pytest.fail("a theorem stands before the first picture")
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
            return
    pytest.fail("the chapter has no picture")


# ---- play


def test_parameters_come_right_after_the_imports(notebook):
    ids = [cell["id"] for cell in notebook["cells"]]
    code = [i for i, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code"]
    assert ids[code[1] + 1 : code[1] + 4] == ["play-question", "play-parameters", "play-caption"]
    assert re.search(r"\*\*[^*]+\?\*\*|\?\*\*|\?[^*\n]*\*\*", cell_of(notebook, "play-question"))
    assert FORM.search(cell_of(notebook, "play-parameters"))


def test_parameters_answer_at_once_and_overwrite_nothing(notebook):
    """The cell runs alone after its imports of numpy and pyplot, in seconds, and sets no imported name."""
    import matplotlib.pyplot as plt
    import numpy as np

    text = cell_of(notebook, "play-parameters")
    imports = next(
        c for c in notebook["cells"] if "plotting.style(" in source(c) and c["cell_type"] == "code"
    )
    nodes = ast.walk(ast.parse(source(imports)))
    imported = {
        (alias.asname or alias.name).split(".")[0]
        for node in nodes
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    names = {"np": np, "plt": plt}
    start = time.perf_counter()
    exec(compile(text, "play-parameters", "exec"), names)
    plt.close("all")
    assert time.perf_counter() - start < PLAY_SECONDS
    assert not set(names) & imported - {"np", "plt"}


def test_challenge_names_assertions_and_texts_of_their_cells(notebook):
    assertions = {
        assertion_name(source(cell)): source(cell)
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    }
    changes = list(CHANGE.finditer(cell_of(notebook, "play-challenge")))
    assert len(changes) == 2
    for change in changes:
        assert assertions[change["assertion"]].count(change["old"]) == 1
        assert change["old"] != change["new"]


# ---- findings


def test_every_finding_has_its_figure():
    """The figure is one that the finding links to, stands in its chapter, and has a short text of its own."""
    page = (ROOT / "book" / "findings.md").read_text(encoding="utf-8")
    findings = re.findall(r"^(\*\*\d+\. .*?)(?=^\*\*\d+\. |^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert len(findings) >= 10
    for finding in findings:
        (anchor, text) = re.search(
            r"```\{chapter-figure\} (fig-\d+-\d+)\n(.+?)\n```", finding, re.DOTALL
        ).groups()
        assert f"#{anchor})" in finding
        assert len(text.split()) < 30
        chapter = json.loads(chapter_figures.chapter(ROOT / "notebooks", anchor).read_text(encoding="utf-8"))
        assert chapter_figures.picture(chapter, anchor).startswith(b"\x89PNG")
