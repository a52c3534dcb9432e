"""What a chapter tells its reader first, and whether it is so: minutes, prerequisites, pictures, play."""

import ast
import json
import re
import sys
import time

import pytest
import yaml
from built_book import ROOT

sys.path.insert(0, str(ROOT / "book" / "tools"))
sys.path.insert(0, str(ROOT / "book" / "ext"))

import chapter_figures
import chapter_map
import claim_ledger
import ledger
from box_grammar import PREFIXES
from ledger import assertion_name

pytestmark = [pytest.mark.book, pytest.mark.slow("runs primers and exercises")]

LONGEST = 40  # words of a sentence; a formula is not a word
NUMBER = re.compile(r"(?<![\d.])\d+\.\d+(?!\d|\.\d)")
NAMED = re.compile(
    r"\(\d+b?\.\d+\)|(?:" + "|".join(PREFIXES) + r"|[Ss]ection)s? \d+b?\.\d+(?: (?:and|to) \d+b?\.\d+)?"
)
MISSPELT = re.compile(
    r"""\b(\w+)\ \1\b|\b(?:
        accomodat\w*|acheiv\w*|aquir\w*|arguement|assymptot\w*|begining|beleiv\w*|calender|comparision|consistant|
        definate\w*|dependant|desparate|diffrent|existance|explicitely|familar|forseen|futher|guage|garantee|
        hierachy|hte|imediate\w*|independant|indepedent|langauge|lenght|loosing|maximise|neccessar\w*|noticable|
        occassion\w*|occured|occuring|orthogonol|paramter\w*|persistant|posess\w*|preceed\w*|prefered|propogat\w*|
        recieve\w*|refering|relevent|seperat\w*|simultanous\w*|succesful\w*|supercede\w*|suprise\w*|teh|
        threshhold|tommorrow|transfered|truely|untill|wether|wich|wierd|writen|
        behavior\w*|centers?|colors?|favors?|favorable|gray|labeled|modeling|neighbors?|neighboring|analyze\w*|
        (?:general|initial|linear|minim|maxim|normal|optim|parameter|regular|symmetr)iz\w+)\b""",
    re.VERBOSE | re.IGNORECASE,
)

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = {"primers/networks": 20, "primers/jax": 20, "primers/sde": 20, "primers/audit": 20, "findings": 10}
THEOREM = re.compile(r"^> \*\*(?:Theorem|Lemma|Proposition|Corollary) ", re.MULTILINE)
STATED = re.compile(r"^> \*\*(?:Theorem|Lemma|Proposition|Corollary|Claim) .*(?:\n>.*)*", re.MULTILINE)
PROOF = re.compile(r"^\*\*Proof.*?∎$", re.MULTILINE | re.DOTALL)
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
    typed = chapter_map.characters("".join(code))
    computed = chapter_map.prose_minutes(prose) + typed / chapter_map.CHARACTERS
    assert computed < 1.25 * minutes


# ---- prerequisites


def test_no_chapter_needs_a_later_one(path, head):
    needed = re.search(r"^\*\*Know first:\*\*(.*?)\n\n", head, re.MULTILINE | re.DOTALL)
    chapters = re.findall(r"\((\d\db?_\w+\.ipynb)", needed[1])
    assert all(name < path.name for name in chapters)


def test_no_proof_rests_on_a_later_chapter(path, notebook):
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            for proof in PROOF.findall(source(cell)):
                linked = re.findall(r"\((\d\db?_\w+\.ipynb)", proof)
                assert all(name <= path.name for name in linked), f"{cell['id']}: {linked}"


def test_no_chapter_needs_an_optional_one(head):
    first = {path.name: source(json.loads(path.read_text("utf-8"))["cells"][0]) for path in NOTEBOOKS}
    optional = {name for name, text in first.items() if "\n**Optional:** no later chapter needs" in text}
    assert optional
    needed = re.search(r"^\*\*Know first:\*\*(.*?)\n\n", head, re.MULTILINE | re.DOTALL)
    assert not optional & set(re.findall(r"\((\d\db?_\w+\.ipynb)", needed[1]))


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
    start = time.process_time()  # a busy machine is not the cell's fault
    exec(compile(text, "play-parameters", "exec"), names)
    plt.close("all")
    assert time.process_time() - start < PLAY_SECONDS
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


# ---- what is taken away


def test_a_chapter_ends_with_what_is_taken_away_and_what_it_means_in_practice(notebook):
    prose = "\n\n".join(source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    parts = re.split(r"^## ", prose, flags=re.MULTILINE)
    (taken,) = (part for part in parts if part.startswith("Take-away\n"))
    practice = any(re.match(r"\d+\.\d+ What it means for practice\b", part) for part in parts)
    assert practice or "\n* **In practice.** " in taken


# ---- plumbing and long proofs


def test_plumbing_is_folded_and_assertions_are_not(notebook):
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code" or cell["id"] == "play-parameters":
            continue
        text, folded = source(cell), bool(cell["metadata"].get("tags"))
        if re.search(r"^\s*assert\b", text, re.MULTILINE):
            assert not folded, f"{cell['id']}: an assertion is folded away"
        elif re.search(r"plotting\.style\(|\bresults\.(load|published)\(", text) or any(
            "image/png" in o.get("data", {}) for o in cell["outputs"]
        ):
            assert folded, f"{cell['id']}: give it the tag hide-input"


def test_long_proofs_are_folded(notebook):
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            for proof in PROOF.finditer(source(cell)):
                before = source(cell)[: proof.start()].rstrip().rpartition("\n")[2]
                long = chapter_map.prose_minutes(proof[0]) > 2.5
                assert not long or before.startswith("<details>"), f"{cell['id']}: {before}"


# ---- sentences


def words(markdown: str) -> str:
    """The text that is read aloud: without what is quoted from a paper, formulas, code and addresses."""
    text = re.sub(r"^> \*\*Claim .*(?:\n>.*)*", "", markdown, flags=re.MULTILINE)
    text = re.sub(r"\$\$.*?\$\$|\$[^$]*\$|^    .*$|```.*?```", " # ", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"<[^>]*>|`[^`]*`|\]\([^)]*\)|^#+ .*$|^\|.*$|^> ?", " # ", text, flags=re.MULTILINE)


def told(notebook: dict) -> list[tuple[str, str]]:
    """(cell, words) of the Markdown, the opening cell and its lists left out."""
    cells = [cell for cell in notebook["cells"][1:] if cell["cell_type"] == "markdown"]
    return [(cell["id"], words(source(cell))) for cell in cells]


def test_sentences_are_short(notebook):
    long = []
    for cell, text in told(notebook):
        for piece in re.split(r"\n *\n|\n *\* |(?<=[.?!:])[*)\"]*\s", text):
            if len(re.findall(r"[A-Za-z][\w'’-]*", piece)) > LONGEST:
                long.append(f"{cell}: {' '.join(piece.split())[:150]}")
    assert not long


def test_spelling(notebook):
    found = [f"{cell}: {m[0]}" for cell, text in told(notebook) for m in MISSPELT.finditer(text)]
    assert not found


def test_spelling_and_sentences_see():
    assert MISSPELT.search("the the")
    assert MISSPELT.search("They are independant.")
    assert not MISSPELT.search("of # of the centre; that is, behaviour")
    assert "independant" not in words("> **Claim 1.1 (x).**\n> independant\n\n$independant$")


def said_by_a_cell(number: str, printed: set[str]) -> bool:
    """Whether a printed number is this one to its digits."""
    half = 0.5 * 10.0 ** -len(number.partition(".")[2]) * (1 + 1e-9)
    return any(abs(float(other) - float(number)) <= half for other in printed)


def printed_numbers(notebook: dict) -> set[str]:
    """The decimal numbers that a cell holds or prints, that are certified, or stand in a theorem or claim."""
    texts = [(ROOT / "book" / "certified.csv").read_text(encoding="utf-8")]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            texts += [source(cell), *("".join(output.get("text", ())) for output in cell["outputs"])]
    return set(NUMBER.findall("\n".join([*texts, *STATED.findall(markdown(notebook))])))


def markdown(notebook: dict) -> str:
    return "\n\n".join(source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")


def numbers_of(text: str) -> list[str]:
    """The decimal numbers of the text that are no section's, equation's or box's."""
    return NUMBER.findall(NAMED.sub("", re.sub(r"\]\([^)]*\)", "]", text)))


def test_numbers_of_verdicts_are_printed(notebook):
    """A decimal number in a verdict is printed or certified, or stands in code, theorem or claim."""
    known = printed_numbers(notebook)
    verdicts = re.findall(r"^> \*\*Verdict .*(?:\n(?!\n).*)*", markdown(notebook), re.MULTILINE)
    unknown = [(n, v[:40]) for v in verdicts for n in numbers_of(v) if not said_by_a_cell(n, known)]
    assert not unknown


def told_in_prose(notebook: dict) -> str:
    """Running text, captions and take-aways: without boxes, proofs, folds, displays, code and challenge."""
    text = "\n\n".join(
        source(cell)
        for cell in notebook["cells"]
        if cell["cell_type"] == "markdown" and cell["id"] not in ("play-question", "play-challenge")
    )
    text = re.sub(r"^<details>.*?</details>|\$\$.*?\$\$|`[^`\n]*`", " ", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^(?:>|#|\*\*Map\*\*).*$", " ", PROOF.sub(" ", text), flags=re.MULTILINE)


def test_numbers_of_the_text_are_printed(path, notebook):
    """So is one in the running text, a caption or a take-away, but for those declared with a reason."""
    known = printed_numbers(notebook)
    unknown = {n for n in numbers_of(told_in_prose(notebook)) if not said_by_a_cell(n, known)}
    declared = yaml.safe_load((ROOT / "book" / "quoted_numbers.yml").read_text(encoding="utf-8"))
    assert unknown == declared.get(f"text of {path.name.split('_')[0]}", {}).keys()


def test_numbers_are_seen():
    notebook = {
        "cells": [
            {"cell_type": "code", "source": "x = 0.25", "outputs": [{"text": "ratio 1.234\n"}]},
            {"cell_type": "markdown", "id": "a", "source": "About 1.23, by (3.1) and section 4.2, not 1.25."},
        ]
    }
    known = printed_numbers(notebook)
    assert {"0.25", "1.234"} <= known
    found = numbers_of(told_in_prose(notebook))
    assert found == ["1.23", "1.25"]
    assert said_by_a_cell("1.23", {"1.234"})
    assert not said_by_a_cell("1.25", {"1.234"})


# ---- alternative texts


def test_every_figure_has_an_alternative_text():
    """One short sentence or two that say what is drawn, for each figure of the book and for no other."""
    texts = yaml.safe_load((ROOT / "book" / "alternatives.yml").read_text(encoding="utf-8"))
    captions = {}
    for path in NOTEBOOKS:
        prose = markdown(json.loads(path.read_text(encoding="utf-8")))
        captions |= dict(re.findall(r"^\*Figure (\d+b?\.\d+)\. (.*?)\*$", prose, re.MULTILINE | re.DOTALL))
    assert texts.keys() == captions.keys()
    assert not [number for number, text in texts.items() if len(text.split()) > 35 or "$" in text]
    assert not [number for number, text in texts.items() if text in captions[number]]


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


def test_claims_of_findings_say_them_in_the_ledger():
    """The claims with a finding are those that a finding links to."""
    page = (ROOT / "book" / "findings.md").read_text(encoding="utf-8")
    claims = ledger.load(ROOT / "book" / "claims.yml").claims
    linked = set(re.findall(r"\(claims\.md#claim-([\w-]+)\)", page))
    assert {claim.id for claim in claims if claim.finding} == linked


NOT_DRAWN = {"O-Fig3s-ab", "O-Fig3s-cd"}


def test_every_figure_of_the_papers_has_ours_beside_it():
    """The figure index shows, for each figure and table of a paper, a picture of its chapter."""
    page = (ROOT / "book" / "figure_index.md").read_text(encoding="utf-8")
    shown, anchor = {}, None
    for line in page.splitlines():
        if drawn := re.match(r"```\{chapter-figure\} (fig-\d+-\d+)$", line):
            anchor = drawn[1]
            shown.update(dict.fromkeys((id for id, at in shown.items() if at is None), anchor))
        elif of := re.match(r"\[.+?\]\(claims\.md#claim-([\w-]+)\)(.*)", line):
            shown[of[1]] = anchor if of[2] else None  # with words after it: the picture before
    claims = ledger.load(ROOT / "book" / "claims.yml").claims
    figures = {c.id: c.chapter for c in claims if claim_ledger._FIGURE.match(c.id) and not c.under}
    assert shown.keys() == figures.keys() - NOT_DRAWN
    assert {id: int(at.split("-")[1]) for id, at in shown.items()} == {id: figures[id] for id in shown}
    for at in shown.values():
        chapter = chapter_figures.chapter(ROOT / "notebooks", at)
        assert chapter_figures.picture(json.loads(chapter.read_text(encoding="utf-8")), at)
