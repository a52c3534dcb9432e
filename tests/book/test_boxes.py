"""Theorems, proofs, exercises, verdicts, equations and captions: one plain source, right in three places.

The sample below is checked as the book shows it (built by Jupyter Book, configured as this book is), and as
Colab and GitHub show it (rendered as GitHub-flavoured Markdown, with no knowledge of the book).
"""

import re
import subprocess
import sys
from copy import copy
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup, Tag
from built_book import ROOT, broken_links, build, configuration, network_loads, read_pages
from markdown_it import MarkdownIt

sys.path.insert(0, str(ROOT / "book" / "ext"))

from box_grammar import Cell, Item, Verdict, check, read_cells, scan, toc_pages

pytestmark = [pytest.mark.book, pytest.mark.slow("builds a sample book")]

CHAPTER_2 = [
    """# 2 · A sample

[![Open in Colab](https://example.org/badge.svg)](https://example.org/notebook)

You will be able to read a box. See [chapter 3](03_sample.ipynb).
""",
    r"""## Boxes

<a id="def-2-1"></a>
> **Definition 2.1.**
>
> A *box* has a kind and a number, $c \in [-1, 1]$.

<a id="thm-2-1"></a>
> **Theorem 2.1 (The limit $\Theta^L$, with $\sigma_b = 0$).** Let $\sigma_w > 0$. Then
>
> <a id="eq-2-1"></a>
>
> $$ \Theta^{l} = \Sigma^{l} + \sigma_w^2 \dot\Sigma^{l} \Theta^{l-1}. \tag{2.1} $$
>
> It holds for every $l \le L$.

**Proof of [Theorem 2.1](#thm-2-1).** By [(2.2)](#eq-2-2), in two lines,

<a id="eq-2-2"></a>

$$
\begin{aligned}
a &= b + c \\
  &= d,
\end{aligned}
\tag{2.2}
$$

and an unnumbered display,

$$
x = y \\ y = z.
$$

- First.
- Last, see [Definition 2.1](#def-2-1). ∎

After the proof.
""",
    """<a id="fig-2-1"></a>
*Figure 2.1. The error falls as $1/n$.*

| method | a very long heading for a column | value |
|---|---|---|
| one | two | $\\Theta$ |

> **Verdict (O2, O-Fig1): holds.** The slope is $-0.50$.

> **Verdict (S-Eq10): holds with a correction.** A factor two.

> **Verdict (S-Prop4): does not hold as printed.** It grows.

> **Verdict (S-Fig3): open.** One epoch was run.

> An ordinary quotation.
""",
    r"""<a id="ex-2-1"></a>
> **Exercise 2.1 (A box of one's own).** Prove [Theorem 2.1](#thm-2-1) again.

<details><summary>Solution to Exercise 2.1</summary>

By **induction**, $\Theta^1 = \Sigma^1$:

$$ x = 1. $$

</details>
""",
]

CHAPTER_3 = [
    """# 3 · Another sample

By [Theorem 2.1](02_sample.ipynb#thm-2-1), [equation (2.2)](#eq-2-2) and [the picture](#fig-2-1).

<a id="place"></a>

## A named place

**Proof (sketch).** Short.
∎

Back to [the place](#place).
"""
]

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
PLOTLY = '<div id="plot-1"></div><script>Plotly.newPlot("plot-1", [{"x": [1, 2], "y": [3, 4]}])</script>'


def notebook(texts: list[str], outputs: dict[str, str]) -> nbformat.NotebookNode:
    """A notebook of Markdown cells, with a code cell that shows `outputs` before the third."""
    v4 = nbformat.v4
    cells = [v4.new_markdown_cell(text) for text in texts]
    for number, (mime, data) in enumerate(outputs.items(), 1):
        output = v4.new_output("display_data", {mime: data, "text/plain": "<a figure>"})
        cells.insert(2, v4.new_code_cell("show()", outputs=[output], execution_count=number))
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number:03d}"
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return v4.new_notebook(cells=cells, metadata=kernel)


def write_sample(root: Path) -> None:
    """The sources of a book of two chapters."""
    (root / "notebooks").mkdir(parents=True)
    (root / "_toc.yml").write_text(
        "format: jb-book\nroot: index\nchapters:\n- file: notebooks/02_sample\n- file: notebooks/03_sample\n"
    )
    (root / "index.md").write_text("# Index\n\nSee [Theorem 2.1](#thm-2-1) and $x$.\n")
    sample_2 = notebook(CHAPTER_2, {"image/png": PIXEL})
    sample_3 = notebook([*CHAPTER_3, "## Plot"], {"text/html": PLOTLY})
    nbformat.write(sample_2, root / "notebooks" / "02_sample.ipynb")
    nbformat.write(sample_3, root / "notebooks" / "03_sample.ipynb")


def build_sample(root: Path) -> subprocess.CompletedProcess:
    """Builds it with the configuration of this book."""
    config = configuration()
    config["bibtex_bibfiles"] = [str(ROOT / path) for path in config["bibtex_bibfiles"]]
    config["sphinx"]["config"]["html_static_path"] = [str(ROOT / "book" / "assets")]
    return build(root, config, root)


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> dict[str, BeautifulSoup]:
    """The built sample: its pages by name."""
    root = tmp_path_factory.mktemp("sample") / "book"
    write_sample(root)
    run = build_sample(root)
    assert run.returncode == 0, run.stdout + run.stderr
    pages = read_pages(root / "_build" / "html")
    assert not list(broken_links(pages, root / "_build" / "html"))
    return {name.removesuffix(".html"): page for name, page in pages.items()}


# ---- in the book


def box_of(page: BeautifulSoup, anchor: str) -> Tag:
    """The one element that carries this anchor."""
    elements = page.find_all(id=anchor)
    assert len(elements) == 1, f"{anchor}: {len(elements)} elements"
    return elements[0]


def words(element: Tag) -> str:
    """The text of the element, without the links to itself."""
    element = copy(element)
    for link in element.select("a.headerlink"):
        link.decompose()
    return " ".join(element.get_text().split())


def title_of(box: Tag) -> str:
    return words(box.find(class_="admonition-title"))


@pytest.mark.parametrize(
    ("anchor", "kind", "title"),
    [
        ("def-2-1", "definition", "Definition 2.1"),
        ("thm-2-1", "theorem", r"Theorem 2.1 (The limit \(\Theta^L\), with \(\sigma_b = 0\))"),
        ("ex-2-1", "exercise", "Exercise 2.1 (A box of one’s own)"),
    ],
)
def test_book_shows_numbered_boxes(book, anchor, kind, title):
    box = box_of(book["notebooks/02_sample"], anchor)
    assert {"box", "admonition", kind} <= set(box["class"])
    assert title_of(box) == title
    assert "**" not in box.get_text()


def test_book_keeps_the_body_of_a_box(book):
    box = box_of(book["notebooks/02_sample"], "thm-2-1")
    assert words(box.find_all("p")[1]) == r"Let \(\sigma_w > 0\). Then"
    assert words(box.find_all("p")[-1]) == r"It holds for every \(l \le L\)."
    box = box_of(book["notebooks/02_sample"], "def-2-1")
    assert [words(paragraph) for paragraph in box.find_all("p")] == [
        "Definition 2.1",
        r"A box has a kind and a number, \(c \in [-1, 1]\).",
    ]


def test_book_colours_verdicts_by_their_words(book):
    boxes = book["notebooks/02_sample"].select("div.verdict")
    assert [[name for name in box["class"] if name.startswith("verdict-")] for box in boxes] == [
        ["verdict-holds"],
        ["verdict-corrected"],
        ["verdict-fails"],
        ["verdict-open"],
    ]
    assert title_of(boxes[0]) == "Verdict (O2, O-Fig1): holds"


def test_book_wraps_a_proof_from_its_opening_to_its_mark(book):
    proof = book["notebooks/02_sample"].find(class_="proof")
    assert words(proof).startswith("Proof of Theorem 2.1.")
    assert words(proof).endswith("∎")
    assert words(proof.find_next_sibling()) == "After the proof."
    assert len(proof.select("div.math")) == 2


def test_book_numbers_equations_as_the_source_does(book):
    page = book["notebooks/02_sample"]
    for anchor, number in (("eq-2-1", "2.1"), ("eq-2-2", "2.2")):
        equation = box_of(page, anchor)
        assert "math" in equation["class"]
        assert f"\\tag{{{number}}}" in equation.get_text()
        # MathJax refuses \tag inside the `split` that Sphinx puts around lines.
        assert "split" not in equation.get_text()


def test_book_folds_solutions(book):
    (fold,) = book["notebooks/02_sample"].find_all("details")
    assert words(fold.summary) == "Solution to Exercise 2.1"
    assert fold.find("strong").get_text() == "induction"
    assert fold.select_one("div.math")
    assert not fold.has_attr("open")


def test_book_captions_figures_and_describes_them(book):
    page = book["notebooks/02_sample"]
    picture = page.select_one("div.cell_output img")
    assert picture["alt"] == "Figure 2.1. The error falls as 1/n."
    assert picture["id"] == "fig-2-1"  # a link to the figure shows the picture, not the caption below it
    assert "caption-text" in picture.find_next("p")["class"]


def test_book_leaves_ordinary_quotes_alone(book):
    (quote,) = book["notebooks/02_sample"].find_all("blockquote")
    assert words(quote) == "An ordinary quotation."


def test_book_shows_the_words_of_a_remote_badge(book):
    page = book["notebooks/02_sample"]
    assert words(page.find("a", href="https://example.org/notebook")) == "Open in Colab"
    assert not list(network_loads(page))


def test_book_lets_tables_scroll(book):
    assert book["notebooks/02_sample"].find("table").parent["class"] == ["pst-scrollable-table-container"]


@pytest.mark.parametrize(
    ("page", "text", "href"),
    [
        ("index", "Theorem 2.1", "notebooks/02_sample.html#thm-2-1"),
        ("notebooks/02_sample", "(2.2)", "#eq-2-2"),
        ("notebooks/02_sample", "chapter 3", "03_sample.html"),
        ("notebooks/03_sample", "Theorem 2.1", "02_sample.html#thm-2-1"),
        ("notebooks/03_sample", "equation (2.2)", "02_sample.html#eq-2-2"),
        ("notebooks/03_sample", "the picture", "02_sample.html#fig-2-1"),
        ("notebooks/03_sample", "the place", "#place"),
    ],
)
def test_book_resolves_links(book, page, text, href):
    article = book[page].find("article")
    assert href in [link["href"] for link in article.find_all("a") if words(link) == text]
    target, _, anchor = href.partition("#")
    if anchor:
        name = (Path(page).parent / target.removesuffix(".html")).as_posix() if target else page
        box_of(book[name], anchor)


def test_book_loads_plotly_only_where_a_figure_needs_it(book):
    def scripts(page: str) -> list[str]:
        return [script["src"].partition("?")[0] for script in book[page].find_all("script", src=True)]

    assert "../_static/plotly.min.js" in scripts("notebooks/03_sample")
    assert not [src for src in scripts("notebooks/02_sample") + scripts("index") if "plotly" in src]


def test_book_refuses_a_broken_page(tmp_path):
    """The builder says file, cell and line, and fails, when a page leaves the grammar."""
    write_sample(tmp_path)
    path = tmp_path / "notebooks" / "03_sample.ipynb"
    broken = notebook(["# 3 · Broken\n\n**Proof.** Never closed.\n\nSee [Theorem 2.9](#thm-2-9)."], {})
    nbformat.write(broken, path)
    run = build_sample(tmp_path)
    assert run.returncode != 0
    assert "notebooks/03_sample.ipynb, cell-000, line 3: this proof is not closed" in run.stdout + run.stderr
    assert "line 5: the link [Theorem 2.9] goes to an unknown anchor, 'thm-2-9'" in run.stdout + run.stderr


# ---- on Colab and GitHub


@pytest.fixture(scope="module")
def plain() -> BeautifulSoup:
    """The sample's second chapter as a renderer of GitHub-flavoured Markdown shows it."""
    renderer = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    return BeautifulSoup("\n".join(renderer.render(text) for text in CHAPTER_2), "html.parser")


def test_plain_markdown_shows_quotes_with_bold_headings(plain):
    headings = [
        quote.find("strong").get_text() for quote in plain.find_all("blockquote") if quote.find("strong")
    ]
    assert headings == [
        "Definition 2.1.",
        r"Theorem 2.1 (The limit $\Theta^L$, with $\sigma_b = 0$).",
        "Verdict (O2, O-Fig1): holds.",
        "Verdict (S-Eq10): holds with a correction.",
        "Verdict (S-Prop4): does not hold as printed.",
        "Verdict (S-Fig3): open.",
        "Exercise 2.1 (A box of one's own).",
    ]


def test_plain_markdown_shows_the_badge(plain):
    assert plain.find("a", href="https://example.org/notebook").find("img", alt="Open in Colab")


def test_plain_markdown_shows_no_syntax_of_the_book(plain):
    assert not re.search(r":::|```|\{[a-z:]+\}`|^\(.*\)=", plain.get_text(), re.MULTILINE)
    assert not re.search(r"\{[a-z:]+\}<code", str(plain))
    assert "**" not in plain.get_text()
    assert "<" not in plain.get_text()


def test_plain_markdown_keeps_mathematics_intact(plain):
    text = plain.get_text()
    assert r"$$ \Theta^{l} = \Sigma^{l} + \sigma_w^2 \dot\Sigma^{l} \Theta^{l-1}. \tag{2.1} $$" in text
    assert r"\tag{2.2}" in text
    assert ">" not in plain.find("blockquote").get_text()


def test_plain_markdown_folds_solutions(plain):
    (fold,) = plain.find_all("details")
    assert fold.summary.get_text() == "Solution to Exercise 2.1"
    assert fold.find("strong").get_text() == "induction"


def test_plain_markdown_has_an_anchor_for_each_link(plain):
    anchors = {tag["id"] for tag in plain.find_all("a", id=True)}
    assert anchors == {"def-2-1", "thm-2-1", "eq-2-1", "eq-2-2", "fig-2-1", "ex-2-1"}
    assert {link["href"][1:] for link in plain.find_all("a", href=re.compile("^#"))} <= anchors


# ---- the grammar


def cells_of(*texts: str, page: str = "notebooks/02_sample.ipynb") -> list[Cell]:
    return [Cell(page, f"cell-{number:03d}", text) for number, text in enumerate(texts)]


def problems(*texts: str, page: str = "notebooks/02_sample.ipynb") -> list[str]:
    return [str(problem) for problem in check(cells_of(*texts, page=page))]


def test_the_sample_keeps_to_the_grammar():
    cells = cells_of(*CHAPTER_2) + cells_of(*CHAPTER_3, page="notebooks/03_sample.ipynb")
    assert check(cells) == []


def test_scan_finds_what_the_sample_holds():
    found = [thing for cell in cells_of(*CHAPTER_2) for thing in scan(cell)]
    assert [(item.kind, item.number) for item in found if isinstance(item, Item)] == [
        ("Definition", "2.1"),
        ("Theorem", "2.1"),
        ("Equation", "2.1"),
        ("Equation", "2.2"),
        ("Figure", "2.1"),
        ("Exercise", "2.1"),
    ]
    assert [(verdict.claims, verdict.verdict) for verdict in found if isinstance(verdict, Verdict)] == [
        (("O2", "O-Fig1"), "holds"),
        (("S-Eq10",), "holds with a correction"),
        (("S-Prop4",), "does not hold as printed"),
        (("S-Fig3",), "open"),
    ]


THEOREM = '<a id="thm-2-1"></a>\n> **Theorem 2.1.** It holds.\n'
EXERCISE = '<a id="ex-2-1"></a>\n> **Exercise 2.1.** Prove it.\n'


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("> **Theorem (Title).** It holds.", 1, "number and point included"),
        ("> **Theorem 2.1 (Title)** It holds.", 1, "number and point included"),
        ("> *Theorem 2.1.* It holds.", 1, "write the heading in bold"),
        ("> **Theorem 2.1.** It holds.", 1, 'needs <a id="thm-2-1"></a> on the line before'),
        (
            '<a id="lem-2-1"></a>\n> **Theorem 2.1.** It holds.',
            2,
            "the anchor 'lem-2-1' stands before Theorem 2.1",
        ),
        ('<a id="thm-2-1"></a>\n\nWords.', 3, "stands before no numbered thing"),
        ('<a id="Here"></a>\n\nWords.', 3, "must be lower-case"),
        ('Words.\n\n<a id="here"></a>', 3, "followed by nothing"),
        ('Words <a id="here"></a> and words.', 1, "stands on a line of its own"),
        (THEOREM.replace("2.1", "2.2").replace("2-1", "2-2"), 2, "Theorem 2.2 must be Theorem 2.1"),
        (THEOREM.replace("2.1", "3.1").replace("2-1", "3-1"), 2, "Theorem 3.1 stands in chapter 2"),
        (THEOREM + "\n[Theorem 2.2](#thm-2-1)", 4, "the link [Theorem 2.2] goes to Theorem 2.1"),
        (THEOREM + "\n[Lemma 2.1](#thm-2-1)", 4, "the link [Lemma 2.1] goes to Theorem 2.1"),
        (THEOREM + "\n[](#thm-2-1)", 4, "shows no text"),
        (THEOREM + "\n[Theorem 2.1](07_other.ipynb#thm-2-1)", 4, "no page of the book"),
        ("[Lemma 2.1](#lem-2-1)", 1, "unknown anchor, 'lem-2-1'"),
        ("**Proof.** Words.", 1, "not closed in its cell"),
        ("**Proof.** Words.\n\n## Next", 1, "not closed"),
        ("**Proof.** Words.\n\n**Proof.** Words. ∎", 1, "not closed"),
        ("**Proof** Words. ∎", 1, "must read **Proof.**"),
        ("*Proof.* Words. ∎", 1, "must read **Proof.**"),
        ("> **Proof.** Words. ∎", 1, "not inside a quote"),
        ("Words. ∎", 1, "was not opened"),
        ("> **Verdict (O2): it holds.** Words.", 1, "must read 'Verdict (claim, ...): '"),
        ("> **Verdict: holds.** Words.", 1, "must read 'Verdict (claim, ...): '"),
        ("> Words.\n>\n> $$\n> x = 1\n> $$", 3, "must stand on one line"),
        ("> Words $a =\n> b$.", 1, "must not run over the end of the line"),
        ("Words $ a $.", 1, "no space after or before $"),
        ("The $n$th.", 1, "no letter or digit before or after"),
        ("All 3$n$.", 1, "no letter or digit before or after"),
        ("Words:\n$$ x = 1 $$", 1, "needs an empty line"),
        ("Words;\n2. more words.", 1, "begins no list"),
        ("$$ x = 1 $$ (label)", 1, "the label after $$"),
        ("$$ x = 1 \\tag{1} $$", 1, "must be chapter.counter"),
        ("$$ x = 1 \\tag{2.2} $$", 1, "Equation 2.2 must be Equation 2.1"),
        ("$$ x \\tag{2.1} \\\\ y \\tag{2.2} $$", 1, "one \\tag per display"),
        ("$$\n\\begin{align}\nx &= 1\n\\end{align}\n$$", 1, "use aligned"),
        ("Words $x \\tag{2.1}$.", 1, "\\tag belongs in a display"),
        ("| a |\n|---|\n| $|x|$ |", 3, "ends the table's cell"),
        (
            EXERCISE + "\n<details><summary>Solution</summary>\n\nWords.\n\n</details>",
            4,
            "must read 'Solution to",
        ),
        (
            "<details><summary>Solution to Exercise 2.1</summary>\n\nWords.\n\n</details>",
            1,
            "no Exercise 2.1 stands",
        ),
        ("<details><summary>Hint</summary>\nWords.\n</details>", 1, "an empty line before and after"),
        ("<details><summary>Hint</summary>\n\nWords.", 1, "not closed in its cell"),
        ("<details><summary>The $x$</summary>\n\nWords.\n\n</details>", 1, "no mathematics"),
        ("Words.\n\n</details>", 3, "closes nothing"),
        ('<div class="x">\n\nWords.\n\n</div>', 1, "the HTML blocks of the grammar"),
        ('Words <span style="x">y</span>.', 1, "not among the HTML"),
        ("```{note}\nWords.\n```", 1, "the directive {note}"),
        (":::{note}\nWords.\n:::", 1, "MyST syntax"),
        ("(place)=\n# Words", 1, "MyST syntax"),
        ("See {ref}`place`.", 1, "the role before `place`"),
        ("*Figure 2.1 What to see.*", 1, "a caption is a paragraph of its own"),
        ("*Figure 2.1. What to see.* And more.", 1, "a caption is a paragraph of its own"),
        ("*Figure 2.2. What to see.*", 1, "Figure 2.2 must be Figure 2.1"),
    ],
)
def test_check_reports(text, line, message):
    found = problems(text)
    assert any(message in problem and f"cell-000, line {line}:" in problem for problem in found), found


def exercise(number: str) -> str:
    return EXERCISE.replace("2.1", number).replace("2-1", number.replace(".", "-"))


def two_parts(first: list[str], second: list[str]) -> list[str]:
    """What is wrong with a chapter in two parts that hold these texts."""
    pages = {"notebooks/02_first.ipynb": first, "notebooks/02b_second.ipynb": second}
    cells = [Cell(page, f"cell-{i}", text) for page, texts in pages.items() for i, text in enumerate(texts)]
    return [problem.message for problem in check(cells)]


OPENING = '<a id="fig-2b-0"></a>\n*Figure 2b.0. What to see.*'


def test_a_second_part_counts_on_and_shares_the_exercises():
    later = THEOREM.replace("2.1", "2.2").replace("2-1", "2-2")
    first = [THEOREM, exercise("2.1"), exercise("2.3")]
    assert two_parts(first, [OPENING, later, exercise("2.2"), exercise("2.4")]) == []
    assert two_parts(first, [exercise("2.2"), THEOREM.replace("2.1", "2.3").replace("2-1", "2-3")]) == [
        "Theorem 2.3 must be Theorem 2.2"
    ]
    assert two_parts(first, [exercise("2.4")]) != []  # 2.2 is missing
    assert two_parts(first, [exercise("2.4"), exercise("2.2")]) != []
    assert two_parts([OPENING], []) == ["Figure 2b.0 stands in chapter 2"]


def test_check_reports_what_spans_cells_and_pages():
    assert "the anchor 'thm-2-1' stands at" in "".join(problems(THEOREM, THEOREM))
    assert "Theorem 2.1 must be Theorem 2.2" in "".join(problems(THEOREM, THEOREM))
    assert "was not opened by **Proof.** in this cell" in "".join(problems("**Proof.** One.", "Two. ∎"))
    fold = "<details><summary>Solution to Exercise 2.1</summary>\n\nWords.\n\n</details>"
    assert problems(EXERCISE, fold) == []
    assert "has a solution already" in "".join(problems(EXERCISE, fold, fold))
    other = cells_of("# 3", "[Theorem 2.1](03_sample.ipynb#thm-2-1)", page="notebooks/03_sample.ipynb")
    assert "stands in notebooks/02_sample.ipynb, not in" in "".join(
        map(str, check(cells_of(THEOREM) + other))
    )


def test_check_admits_directives_in_pages_that_live_in_the_book_alone():
    assert problems("```{bibliography}\n```", page="book/references.md") == []


def test_read_cells_and_toc_pages(tmp_path):
    write_sample(tmp_path)
    assert toc_pages(tmp_path) == ["index.md", "notebooks/02_sample.ipynb", "notebooks/03_sample.ipynb"]
    cells = read_cells(tmp_path, "notebooks/02_sample.ipynb")
    assert [cell.text for cell in cells] == CHAPTER_2
    assert cells[2].cell == "cell-003"  # a code cell stands between
    (tmp_path / "index.md").unlink()
    with pytest.raises(FileNotFoundError, match=r"_toc\.yml lists index"):
        toc_pages(tmp_path)
