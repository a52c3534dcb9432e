"""One notation: the letters that are easily reused mean what book/notation.md says, chapter by chapter."""

import json
import re

import pytest
from built_book import ROOT

pytestmark = pytest.mark.book

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
BOX = re.compile(
    r"^> \*\*(?:Theorem|Lemma|Proposition|Corollary|Definition) \d+\.\d+.*(?:\n>.*)*", re.MULTILINE
)
CLAIM = re.compile(r"^> \*\*Claim .*(?:\n>.*)*", re.MULTILINE)
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$", re.DOTALL)
LETTER = r"(?<![A-Za-z\\]){}(?![A-Za-z])"
# Where a letter of the first table stands for what that table says, so that it needs no row of the others.
WHOLE_BOOK = {
    "V": {9, 13},  # V(q)
    "W": {0, 2, 4, 8, 9, 13, 15, 17},  # W^l, weights, and W(q)
    "R": {9, 10, 14},  # the map of the variance
    "\\alpha": {11, 18},  # the exponent of a recursion
    "\\chi": {3, 9, 10, 11, 13, 14, 17, 18},
    "\\gamma": {9, 10, 12, 13, 18},  # 1 - c
    "\\kappa": {11, 13},  # the next order of a recursion
}
# These had two meanings each, which misled readers.
ONE_MEANING = {"V", "W", "R", "k", "\\alpha", "\\chi", "\\kappa"}
# Other letters of the first table, and pi, mean the same everywhere.
EVERYWHERE = {"\\eta", "\\Theta", "\\pi", "\\sigma", "\\Sigma", "\\phi", "\\theta", "\\vartheta", "\\iota"}
GREEK = (
    "alpha beta gamma delta Delta epsilon varepsilon zeta eta theta Theta vartheta iota lambda Lambda mu nu "
    "xi Xi pi Pi rho sigma Sigma tau phi Phi varphi chi psi Psi omega Omega Gamma"
)
# An index that is no running number makes a symbol of its own.
INDEX = r"_(?:\\(?:phi|Sigma|Theta)(?![A-Za-z]))"
KAPPA = rf"(?:{INDEX}|_(?:[4wvi](?![A-Za-z])|\{{\\max\}}))"
INDEXED = re.compile(rf"(?<![A-Za-z\\])[VkI]{INDEX}|\\kappa{KAPPA}|\\chi(?:_\\parallel(?![A-Za-z])|\^2_n)")
LETTERS = {"\\" + name: rf"\\{name}(?![A-Za-z])" for name in re.findall(r"\w+", GREEK)} | {
    "V": LETTER.format("V") + rf"(?!{INDEX})",
    "W": LETTER.format("W"),
    "R": r"(?<![A-Za-z\\])(?<!\\mathbb )R(?![A-Za-z])",
    "\\kappa": rf"\\kappa(?![A-Za-z])(?!{KAPPA})",
    "\\chi": r"\\chi(?![A-Za-z])(?!\^2_)",
}


def indexed_symbols() -> dict[str, set[int] | None]:
    """The chapters of each symbol with an index of its own; None if it is the whole book's."""
    page = (ROOT / "book" / "notation.md").read_text(encoding="utf-8")
    first, _, rest = page.partition("An index that is no number")
    second = rest.partition("### The other Greek letters")[0]
    whole = {
        symbol: None
        for row in re.findall(r"^\| ([^|]+) \|", first, re.MULTILINE)
        for symbol in INDEXED.findall(row)
    }
    rows = re.findall(r"^\| ([^|]+) \|.*\| ([\d, ]+) \|$", second, re.MULTILINE)
    return whole | {
        symbol: {int(n) for n in chapters.split(",")}
        for row, chapters in rows
        for symbol in INDEXED.findall(row)
    }


def own_letters() -> set[tuple[str, int]]:
    """(letter, chapter) for each meaning of the table of reused letters."""
    page, own = (ROOT / "book" / "notation.md").read_text(encoding="utf-8"), set()
    greek = page.partition("### The other Greek letters")[2].partition("\n\nA statement")[0]
    for letter, meanings in re.findall(r"^\| \$(.+?)\$ \| (\d.+) \|$", greek, re.MULTILINE):
        for chapters in re.findall(r"(?:^|; )(\d+(?:, \d+)*): ", meanings):
            own |= {(letter, int(chapter)) for chapter in chapters.split(",")}
    return own


def formulas(text: str) -> str:
    return " ; ".join(one or two for one, two in FORMULA.findall(text))


def used_letters(cells: list[dict], chapter: int) -> set[tuple[str, int]]:
    """(letter, chapter) for the letters in the formulas of the chapter's theorems."""
    boxes = [
        box
        for cell in cells
        if cell["cell_type"] == "markdown"
        for box in BOX.findall("".join(cell["source"]))
    ]
    text = formulas("\n".join(boxes))
    return {(letter, chapter) for letter, pattern in LETTERS.items() if re.search(pattern, text)}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_letters_of_theorems_are_on_the_notation_page(path):
    chapter = int(path.stem[:2])
    used = used_letters(json.loads(path.read_text(encoding="utf-8"))["cells"], chapter)
    known = own_letters() | {(letter, n) for letter, chapters in WHOLE_BOOK.items() for n in chapters}
    used = {(letter, n) for letter, n in used if letter not in EVERYWHERE}
    assert used <= known, f"not on the notation page: {sorted(used - known)}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_symbols_with_an_index_are_on_the_notation_page(path):
    """Anywhere in the chapter but in what a paper states."""
    known, chapter = indexed_symbols(), int(path.stem[:2])
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            for symbol in INDEXED.findall(formulas(CLAIM.sub("", "".join(cell["source"])))):
                assert symbol in known, f"{cell['id']}: {symbol}"
                assert known[symbol] is None or chapter in known[symbol], f"{cell['id']}: {symbol}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_letters_of_the_whole_book(path):
    """The angle of two inputs is vartheta, 1 or 0 for the ensemble is iota."""
    other = re.compile(r"\\(?:cos|sin|tan)\s*\\theta|\\epsilon = [01](?![.\d])|\\gamma = [01]\$ for")
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            found = other.search(CLAIM.sub("", "".join(cell["source"])))
            assert not found, f"{cell['id']}: {found[0]}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_one_way_to_write_a_symbol(path):
    """Outside of what a paper states: chi without index, c* as an exponent, a wide hat on the kernel."""
    other = re.compile(r"\\chi_1(?!\d)|\\chi_\*|c_\*|c\^\*|\\hat\\Theta")
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            found = other.search(formulas(CLAIM.sub("", "".join(cell["source"]))))
            assert not found, f"{cell['id']}: {found[0]}"


def test_letters_of_the_whole_book_are_not_reused():
    assert not {letter for letter, _ in own_letters()} & ONE_MEANING


def test_used_letters_sees():
    cells = [
        {"cell_type": "markdown", "source": "> **Lemma 3.1 (x).** Let $V \\in \\mathbb R$ and $\\kappa_1$."}
    ]
    assert used_letters(cells, 3) == {("V", 3), ("\\kappa", 3)}
    cells[0]["source"] = "> **Lemma 3.1 (x).** Let $\\kappa_w = V_\\Sigma + k_\\phi + \\kappa_{ij}$."
    assert ("\\kappa", 3) in used_letters(cells, 3)
    assert ("V", 3) not in used_letters(cells, 3)
    assert INDEXED.findall(formulas(cells[0]["source"])) == ["\\kappa_w", "V_\\Sigma", "k_\\phi"]
