"""The slides of the course in a real browser, as a deck and as pages to print: nothing is cut.

The short form looks at one session; `make test-everywhere` looks at all of them.
"""

import sys

import pytest
from test_browser import MISSING, ROOT, run

sys.path.insert(0, str(ROOT / "course" / "tools"))

import slides

pytestmark = [
    pytest.mark.book,
    pytest.mark.slow("shows slides in a browser"),
    pytest.mark.skipif(bool(MISSING), reason=f"slides cannot be shown, for want of {', '.join(MISSING)}"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The decks, with MathJax where they look for it."""
    folder = tmp_path_factory.mktemp("course")
    slides.write(folder / "slides")
    (folder / "student").mkdir()
    (folder / "student" / "mathjax").symlink_to(ROOT / "book" / "assets" / "mathjax")
    return folder


def look(folder, names):
    return run("slides.mjs", folder, "--decks", ",".join(names))


@pytest.fixture(scope="module", params=["short", pytest.param("whole", marks=pytest.mark.everywhere)])
def seen(request, folder) -> dict:
    """What a browser shows: {deck: {slides: [...], complaints: [...]}}."""
    pattern = "session_7*.html" if request.param == "short" else "session_*.html"
    return look(folder, sorted(f"slides/{path.name}" for path in (folder / "slides").glob(pattern)))


def test_nothing_is_cut_and_every_formula_is_drawn(seen):
    found = [
        f"{deck}, slide {i}: {note}"
        for deck, said in seen.items()
        for i, slide in enumerate(said["slides"], 1)
        for note in [*slide["cut"], *slide["raw"], *["a formula has an error"] * slide["errors"]]
    ]
    assert not found, "\n".join(found)
    assert sum(slide["formulas"] for said in seen.values() for slide in said["slides"]) > 100


def test_letters_are_not_too_small_to_read(seen):
    assert min(slide["size"] for said in seen.values() for slide in said["slides"]) >= 18


def test_decks_ask_no_other_machine(seen):
    assert len(seen) >= 2
    assert not [note for said in seen.values() for note in said["complaints"]]


def test_a_slide_that_is_too_full_is_noticed(folder):
    long = "<section><p>" + "words " * 5000 + "</p></section>"
    wide = f'<section><pre>{"w" * 200}</pre><p style="white-space: nowrap">{"w" * 200}</p></section>'
    formula = rf"<section><blockquote>\[\text{{{'w' * 300}}}\]</blockquote></section>"
    for printed in (False, True):
        path = folder / "slides" / "bad.html"
        path.write_text(slides.page("Bad", [long, wide, formula], printed=printed), encoding="utf-8")
        said = look(folder, ["slides/bad.html"])["slides/bad.html"]["slides"]
        assert [bool(slide["cut"]) for slide in said] == [True, True, True]
