"""The committed notebooks: executed once from top to bottom, clean, small, the same on every machine."""

import ast
import base64
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from built_book import ROOT
from PIL import Image, ImageChops

sys.path.insert(0, str(ROOT / "book" / "tools"))
sys.path.insert(0, str(ROOT / "book" / "ext"))

import execute
from box_grammar import Cell, Item, scan
from ledger import read_notebook

pytestmark = [pytest.mark.book, pytest.mark.slow("runs sample notebooks under nbval")]

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MOST_BYTES = 1_000_000
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}

# ---- what can be wrong with a notebook; each check yields sentences


def code_cells(notebook: dict) -> list[dict]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def source(cell: dict) -> str:
    return "".join(cell["source"])


def texts(cell: dict) -> Iterator[str]:
    """The text that a cell shows or printed."""
    for output in cell.get("outputs", ()):
        yield "".join(output.get("text", ()))
        yield from (
            "".join(data)
            for mime, data in output.get("data", {}).items()
            if mime in ("text/plain", "text/html")
        )


def has_figure(cell: dict) -> bool:
    kinds = {kind for output in cell.get("outputs", ()) for kind in output.get("data", {})}
    return bool(kinds & {"image/png", "image/svg+xml", "application/vnd.plotly.v1+json"})


def order(notebook: dict) -> Iterator[str]:
    """Every code cell holds something and ran, in order, from 1."""
    counts = [cell.get("execution_count") for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"the execution counts are {counts}; execute it from top to bottom"
    yield from ("an empty cell" for cell in notebook["cells"] if not source(cell).strip())


def quiet(notebook: dict) -> Iterator[str]:
    """No cell failed or wrote to stderr."""
    for cell in code_cells(notebook):
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                yield f"{cell['id']} failed: {output['ename']}: {output['evalue']}"
            elif output.get("name") == "stderr":
                yield f"{cell['id']} wrote to stderr: {''.join(output['text'])[:200]}"


def joined(notebook: dict) -> Iterator[str]:
    """What a cell prints is one output, however its parts arrived: the book shows each in its own box."""
    for cell in code_cells(notebook):
        names = [output.get("name") for output in cell["outputs"]]
        if any(a == b == "stdout" for a, b in pairwise(names)):
            yield f"{cell['id']} has two streams in a row; execute it with book/tools/execute.py"


_MACHINE = re.compile(
    r"(?<![\w.:/])/(?:home|root|tmp|Users|mnt|work|opt|usr|var)/\w|[A-Za-z]:\\+(?:Users|Windows|Program)|site-packages"
)


def portable(notebook: dict) -> Iterator[str]:
    """No path of a machine stands in a source or an output."""
    for cell in notebook["cells"]:
        for text in (source(cell), *texts(cell)):
            if match := _MACHINE.search(text):
                yield f"{cell['id']} holds a path of a machine: ...{text[match.start() : match.end() + 40]}"


_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")
_LONG_NUMBER = re.compile(r"\b\d+\.\d{7,}")


def repeatable_text(notebook: dict) -> Iterator[str]:
    """Printed text is the same on every machine: no address, no more digits than float64 keeps everywhere."""
    for cell in code_cells(notebook):
        for text in (
            "".join(output.get("text", output.get("data", {}).get("text/plain", "")))
            for output in cell["outputs"]
        ):
            for pattern, what in (
                (_ADDRESS, "an address in memory"),
                (_LONG_NUMBER, "a number of too many digits"),
            ):
                if match := pattern.search(text):
                    yield f"{cell['id']} prints {what}: {match[0]}"


_NUMPY_TYPES = {"Generator", "SeedSequence", "BitGenerator", "PCG64", "Philox"}
_TIMELESS = ("time", "time_ns", "perf_counter", "now", "getpid", "urandom")


def seeded(notebook: dict) -> Iterator[str]:
    """Randomness has explicit seeds: no generator of numpy's or Python's module, none without a seed."""
    for cell in code_cells(notebook):
        for node in ast.walk(ast.parse(python(source(cell)))):
            yield from (f"{cell['id']}: {problem}" for problem in _unseeded(node))


def python(text: str) -> str:
    """The Python of a cell: lines of magic (%, !) are blanked."""
    return re.sub(r"(?m)^(\s*)[%!].*$", r"\1pass", text)


def _unseeded(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import) and any(alias.name == "random" for alias in node.names):
        yield "import random: use numpy.random.default_rng(seed)"
    if isinstance(node, ast.ImportFrom) and node.module == "random":
        yield "from random import ...: use numpy.random.default_rng(seed)"
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        last = name.rsplit(".", 1)[-1]
        if re.fullmatch(r"(?:np|numpy)\.random\.\w+", name) and last not in {"default_rng", *_NUMPY_TYPES}:
            yield f"{name}(...) draws from a global generator: use numpy.random.default_rng(seed)"
        elif last == "default_rng" and (not arguments or ast.unparse(arguments[0]) == "None"):
            yield f"{name}() has no seed"
        elif last in {"key", "PRNGKey", "default_rng"} and any(
            word in ast.unparse(node) for word in _TIMELESS
        ):
            yield f"{ast.unparse(node)}: the seed must be a number"
        elif last == "train_test_split" and "random_state" not in {keyword.arg for keyword in node.keywords}:
            yield f"{name}(...) has no random_state"


def opening(notebook: dict, chapter: int | str) -> Iterator[str]:
    """First title, badge, objectives; then the set-up; then imports, with float64 and the book's style."""
    cells = notebook["cells"]
    if [cell["cell_type"] for cell in cells[:2]] != ["markdown", "code"] or len(code_cells(notebook)) < 2:
        yield "the first cell must be Markdown, the second code (set-up), the next code the imports"
        return
    first = source(cells[0])
    setup, imports = map(source, code_cells(notebook)[:2])
    if not re.match(rf"# {chapter} · \S", first):
        yield f"the first cell must begin with '# {chapter} · Title', not {first[:40]!r}"
    for words in ("colab.research.google.com/github/", "able to", "minutes"):
        if words not in first:
            yield f"the first cell must hold the Colab badge, the objectives and the minutes; no {words!r}"
    if "[badge]" in first.splitlines() or setup.strip() == "# set-up":
        yield "the badge and the set-up cell are placeholders; run book/tools/stamp.py"
    for words in ("jax_enable_x64", "plotting.style("):
        if words not in imports:
            yield f"the cell of the imports must hold {words!r}"


def told(notebook: dict) -> Iterator[str]:
    """After the set-up and the imports a sentence stands before each code cell."""
    for before, cell in pairwise(notebook["cells"]):
        if cell in code_cells(notebook)[2:] and before["cell_type"] != "markdown":
            yield f"{cell['id']} follows code; say in a sentence before it what it will show"


def captioned(notebook: dict) -> Iterator[str]:
    """Each figure is followed by its caption, the first thing of the next cell."""
    cells = notebook["cells"]
    for cell, after in zip(cells, [*cells[1:], None], strict=True):
        if not has_figure(cell):
            continue
        words = source(after) if after and after["cell_type"] == "markdown" else ""
        captions = [
            thing
            for thing in scan(Cell("", None, words))
            if isinstance(thing, Item) and thing.kind == "Figure"
        ]
        if not captions or captions[0].place.line > 3:
            yield f"{cell['id']} shows a figure; the next cell must begin with *Figure N.M. What to see.*"
        if sum("image/png" in output.get("data", {}) for output in cell["outputs"]) > 1:
            yield f"{cell['id']} shows several figures; one a cell, each with its caption"


def sorted_out(notebook: dict) -> Iterator[str]:
    """A cell that draws decides nothing."""
    for cell in code_cells(notebook):
        if has_figure(cell) and re.search(r"^\s*assert\b", source(cell), re.MULTILINE):
            yield f"{cell['id']} draws and asserts; give the assertion a cell of its own"


MOST_INCHES, PIXELS, LEAST_POINTS = 7.1, 110, 8  # plotting.style gives an inch 110 pixels of the page


def legible(notebook: dict) -> Iterator[str]:
    """Pictures are at most 7.1 inches wide, with two dots a pixel, and no text in them is below 8 points."""
    for cell in code_cells(notebook):
        for output in cell["outputs"]:
            if data := output.get("data", {}).get("image/png"):
                dots = int.from_bytes(base64.b64decode("".join(data))[16:20], "big")
                width = output["metadata"].get("image/png", {}).get("width", dots)
                if width > MOST_INCHES * PIXELS:
                    yield f"{cell['id']} draws {width / PIXELS:.1f} inches; a figsize of (6.9, ...) fits"
                if dots < 2 * width:
                    yield f"{cell['id']} has {dots} dots for {width} pixels; book/tools/execute.py draws two"
        for points in re.findall(r"\b(?:fontsize|labelsize)=([\d.]+)", source(cell)):
            if float(points) < LEAST_POINTS:
                yield f"{cell['id']} sets text of {points} points; the least is {LEAST_POINTS}"


def numbered(notebook: dict) -> Iterator[str]:
    """The numbered sections run from 1 without a gap, in a second part from where the first one ended."""
    words = [source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    numbers = [int(k) for text in words for k in re.findall(r"^## \d+\.(\d+) ", text, flags=re.MULTILINE)]
    second = re.match(r"# \d+b · ", words[0])
    start = numbers[0] if second and numbers else 1
    if numbers != list(range(start, start + len(numbers))):
        yield f"the sections are numbered {numbers}"


CHECKS = (
    order,
    quiet,
    portable,
    joined,
    repeatable_text,
    seeded,
    told,
    captioned,
    sorted_out,
    legible,
    numbered,
)

# ---- the notebooks of the book


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request) -> Path:
    return request.param


@pytest.fixture
def notebook(path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("check", CHECKS)
def test_notebook_is_clean(notebook, check):
    assert not list(check(notebook))


def test_notebook_opens_as_a_chapter(notebook, path):
    number = re.fullmatch(r"(\d\d)(b?)_[a-z0-9_]+", path.stem)
    assert number, f"{path.name} must be named NN_slug.ipynb, or NNb_slug.ipynb for a second part"
    assert not list(opening(notebook, f"{int(number[1])}{number[2]}"))


def test_a_second_part_goes_on_where_the_first_ended():
    def sections(path):
        return [int(k) for k in re.findall(r'"## \d+\.(\d+) ', path.read_text(encoding="utf-8"))]

    seconds = [path for path in NOTEBOOKS if path.name[2] == "b"]
    assert seconds
    for second in seconds:
        (first,) = (path for path in NOTEBOOKS if path.name.startswith(second.name[:2] + "_"))
        assert sections(second)[0] == sections(first)[-1] + 1


def test_notebook_is_small(path):
    assert path.stat().st_size < MOST_BYTES


def test_no_line_of_code_is_wider_than_the_page(notebook):
    """But for the set-up, which is folded and cannot be broken into more lines."""
    lines = [line for cell in code_cells(notebook)[1:] for line in source(cell).split("\n")]
    assert [line for line in lines if len(line) > 88] == []


# Chapter 3's two loops over cases, ensembles and depths, which assert as they go.
LONG = {"cell-049", "cell-053"}


def test_no_cell_that_is_read_is_longer_than_fifty_lines(notebook, path):
    """Comments and empty lines are not counted; cells that are folded may be longer."""
    for cell in code_cells(notebook):
        lines = [line for line in source(cell).split("\n") if line.strip() and line.strip()[0] != "#"]
        known = path.name.startswith("03_") and cell["id"] in LONG
        assert len(lines) <= 50 or cell["metadata"].get("tags") or known, cell["id"]


def test_notebook_names_no_kernel_of_its_own(notebook):
    assert notebook["metadata"] == {"kernelspec": KERNEL, "language_info": {"name": "python"}}


def test_notebook_decides_something(path):
    assert read_notebook(path).assertions


# ---- the checks themselves: each must see what it is for


def code(text: str, *outputs: dict, count: int | None = 1) -> dict:
    return {
        "cell_type": "code",
        "id": "x",
        "source": text,
        "outputs": list(outputs),
        "execution_count": count,
    }


def markdown(text: str) -> dict:
    return {"cell_type": "markdown", "id": "x", "source": text}


def stream(text: str, name: str = "stdout") -> dict:
    return {"output_type": "stream", "name": name, "text": text}


FIGURE = {"output_type": "display_data", "data": {"image/png": "", "text/plain": "<Figure>"}}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(4) + b"IHDR" + (782).to_bytes(4, "big")
PICTURE = {
    "output_type": "display_data",
    "data": {"image/png": base64.b64encode(PNG).decode()},
    "metadata": {},
}
TITLE = markdown(
    "# 2 · Title\n\n[badge](https://colab.research.google.com/github/x)\n\nYou will be able to ... 20 minutes"
)
SETUP = code("import sys")
IMPORTS = code('jax.config.update("jax_enable_x64", True)\nplotting.style()')


@pytest.mark.parametrize(
    ("check", "cells"),
    [
        (order, [code("x", count=1), code("y", count=3)]),
        (order, [code("x", count=None)]),
        (order, [code("x", count=1), markdown("")]),
        (quiet, [code("x", stream("Warning", "stderr"))]),
        (quiet, [code("x", {"output_type": "error", "ename": "E", "evalue": "v", "traceback": []})]),
        (joined, [code("x", stream("1\n"), stream("2\n"))]),
        (portable, [code("x", stream("saved /home/me/x.png"))]),
        (portable, [code("open('/tmp/x')")]),
        (portable, [code("x", stream(r"C:\Users\me"))]),
        (portable, [code("x", stream(".venv/lib/python3.11/site-packages/jax"))]),
        (repeatable_text, [code("x", stream("<object at 0x7f1b2c3d4e5f>"))]),
        (repeatable_text, [code("x", stream("0.30000000000000004"))]),
        (seeded, [code("np.random.normal(size=3)")]),
        (seeded, [code("np.random.seed(0)")]),
        (seeded, [code("rng = np.random.default_rng()")]),
        (seeded, [code("rng = default_rng(None)")]),
        (seeded, [code("%time 1\nimport random")]),
        (seeded, [code("from random import choice")]),
        (seeded, [code("key = jax.random.key(int(time.time()))")]),
        (seeded, [code("train_test_split(x, y)")]),
        (told, [TITLE, SETUP, IMPORTS, code("x")]),
        (captioned, [code("x", FIGURE)]),
        (captioned, [code("x", FIGURE), markdown("A figure.")]),
        (captioned, [code("x", FIGURE), code("y")]),
        (captioned, [code("x", FIGURE, FIGURE), markdown("*Figure 2.1. What to see.*")]),
        (sorted_out, [code("plt.show()\nassert True", FIGURE)]),
        (legible, [code("plt.show()", PICTURE | {"metadata": {"image/png": {"width": 782, "height": 400}}})]),
        (legible, [code("plt.show()", PICTURE | {"metadata": {"image/png": {"width": 392, "height": 200}}})]),
        (legible, [code("ax.legend(fontsize=7)")]),
        (numbered, [markdown("## 2.1 One\n\ntext\n\n## 2.3 Three")]),
        (numbered, [markdown("## 2.2 Two"), markdown("## 2.1 One")]),
    ],
)
def test_check_sees(check, cells):
    assert list(check({"cells": cells}))


@pytest.mark.parametrize("check", CHECKS)
def test_check_admits_a_clean_notebook(check):
    cells = [
        TITLE,
        SETUP,
        code(source(IMPORTS), count=2),
        markdown("## 2.1 A start\n\nWe draw."),
        code(
            "x = np.random.default_rng(0).normal(size=3)\nkey = jax.random.key(1)",
            stream("0.1235 and 1/2"),
            FIGURE,
            count=3,
        ),
        markdown('<a id="fig-2-1"></a>\n*Figure 2.1. What to see.*\n\n## 2.2 An end\n\n## Exercises'),
    ]
    assert not list(check({"cells": cells}))


def test_opening_sees():
    assert not list(opening({"cells": [TITLE, SETUP, IMPORTS]}, 2))
    assert list(opening({"cells": [TITLE, SETUP, IMPORTS]}, 3))
    assert not list(opening({"cells": [TITLE, SETUP, markdown("The imports."), IMPORTS]}, 2))
    assert list(opening({"cells": [TITLE, markdown("x"), SETUP, IMPORTS]}, 2))
    assert list(opening({"cells": [TITLE, SETUP]}, 2))
    assert list(opening({"cells": [TITLE, code("# set-up"), IMPORTS]}, 2))
    assert list(opening({"cells": [TITLE, SETUP, code("import jax")]}, 2))
    assert list(opening({"cells": [markdown("# 2 · Title\n\n[badge]"), SETUP, IMPORTS]}, 2))


# ---- nbval, as make test runs it


def test_nbval_compares_text_and_not_pictures(tmp_path):
    """An output that the cell does not print fails; other data of a picture, or another address, do not."""
    shutil.copy(ROOT / "notebooks" / "conftest.py", tmp_path)
    picture = 'display({"text/html": f"<b>{x}</b>", "text/plain": "a figure"}, raw=True)'
    cells = [
        nbformat.v4.new_code_cell("x = 0.5\nprint(x)", execution_count=1, outputs=[stored("0.6\n")]),
        nbformat.v4.new_code_cell(
            "print(hex(id(x)))", execution_count=2, outputs=[stored("0x7f0000000000\n")]
        ),
        nbformat.v4.new_code_cell(
            picture,
            execution_count=3,
            outputs=[
                nbformat.v4.new_output("display_data", {"text/html": "<b>0.6</b>", "text/plain": "a figure"}),
            ],
        ),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "00_sample.ipynb")
    options = [
        "--nbval",
        "--nbval-current-env",
        "--nbval-sanitize-with",
        ROOT / "tests" / "nbval_sanitize.cfg",
    ]
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            tmp_path,
            *options,
            tmp_path,
        ],
        capture_output=True,
        text=True,
    )
    failed = re.findall(r"^FAILED .*::Cell (\d+)", run.stdout, re.MULTILINE)
    assert failed == ["0"], run.stdout + run.stderr
    assert "2 passed" in run.stdout


DRAWING = """
import matplotlib.pyplot as plt
import numpy as np

from ntk_helpers import plotting

plotting.style()
fig, (left, right) = plt.subplots(1, 2)
x = np.linspace(-1, 1, 300)
left.plot(x, np.sin(9 * np.outer(x, np.arange(4))))
right.{}
plt.show()
"""
LINES, HEAT_MAP = "plot(x, np.outer(x, np.arange(4)))", "imshow(np.add.outer(x**2, x))"


@pytest.mark.parametrize(("drawing", "mode", "most"), [(LINES, "P", 16), (HEAT_MAP, "RGB", 0)])
def test_executed_pictures_are_sharp_and_light(tmp_path, monkeypatch, drawing, mode, most):
    """Two dots for each pixel of the page; 256 colours, or all of them where a heat map would show steps."""
    path, before, lighter = tmp_path / "00_sample.ipynb", [], execute.lighter
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(execute, "lighter", lambda png: before.append(png) or lighter(png))
    cells = [nbformat.v4.new_code_cell(DRAWING.format(drawing))]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    execute.execute(path)
    (output,) = nbformat.read(path, as_version=4).cells[0].outputs
    png = base64.b64decode(output.data["image/png"])
    few, drawn = Image.open(io.BytesIO(png)), Image.open(io.BytesIO(before[0])).convert("RGB")
    width = output.metadata["image/png"]["width"]
    assert few.width in (2 * width, 2 * width + 1)
    assert round(few.info["dpi"][0]) == 2 * PIXELS
    assert few.mode == mode
    assert len(png) < len(before[0])
    change = ImageChops.difference(few.convert("RGB"), drawn)
    assert max(most for _, most in change.getextrema()) <= most


def stored(text: str) -> dict:
    return nbformat.v4.new_output("stream", name="stdout", text=text)
