"""The primers: their code runs and prints what the page says, their diagrams fit a page and are described."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from built_book import ROOT

pytestmark = [pytest.mark.book, pytest.mark.slow("runs the code of the primers")]

FOLDER = ROOT / "book" / "primers"
PRIMERS = sorted(FOLDER.glob("*.md"))
FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "-- next block --"


def blocks(page: str) -> tuple[list[str], list[str]]:
    """The Python blocks of a page, and what each is said to print (the block of text after it, if any)."""
    code, said = [], []
    for match in FENCE.finditer(page):
        if match["language"] == "python":
            code.append(match["text"])
            said.append("")
        elif match["language"] == "text":
            said[-1] = match["text"]
    return code, said


def printed(code: list[str], folder: Path) -> list[str]:
    """What each block prints when they run one after the other in one session."""
    program = folder / "page.py"
    program.write_text(f'\nprint("{MARK}")\n'.join(code), encoding="utf-8")
    run = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True)
    return run.stdout.split(f"{MARK}\n")


def test_there_are_four_primers():
    assert len(PRIMERS) == 4


@pytest.mark.parametrize("path", PRIMERS, ids=lambda path: path.stem)
def test_code_prints_what_the_page_says(path, tmp_path):
    code, said = blocks(path.read_text(encoding="utf-8"))
    if code:
        assert printed(code, tmp_path) == said


@pytest.mark.parametrize("path", PRIMERS, ids=lambda path: path.stem)
def test_primer_has_a_described_diagram_and_two_solved_exercises(path):
    page = path.read_text(encoding="utf-8")
    (alternative, name), *more = re.findall(r"!\[([^\]]+)\]\(([^)]+\.svg)\)", page)
    assert not more
    assert alternative.strip()
    assert (FOLDER / name).is_file()
    assert page.index(name) < page.index("\n## "), "the picture stands before the first section"
    exercises = page.partition("## Two exercises")[2]
    assert re.findall(r"(?m)^\*\*(\d)\.", exercises) == ["1", "2"]
    assert exercises.count("<details><summary>Answer</summary>") == 2


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.svg")), ids=lambda path: path.stem)
def test_diagram_fits_a_page(path):
    """At most 7.1 inches wide (the file counts in points, 72 an inch), on a card of its own."""
    text = path.read_text(encoding="utf-8")
    assert float(re.search(r'<svg[^>]* width="([\d.]+)pt"', text)[1]) <= 7.1 * 72
    assert "fill: #ffffff" in text


def test_blocks_sees_an_output_that_is_not_printed(tmp_path):
    code, said = blocks("```python\nprint(1)\n```\n\n```text\n2\n```\n")
    assert printed(code, tmp_path) != said
