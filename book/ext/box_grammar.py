"""The plain Markdown in which chapters write theorems, proofs, exercises, verdicts, equations and captions.

The grammar is described for authors in book/authors.md. This module reads it and reports every deviation; it
needs markdown-it and nothing of Sphinx. `plain_boxes` turns the same patterns into boxes in the built book.

    python book/ext/box_grammar.py        check the pages that _toc.yml lists
"""

import json
import posixpath
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import yaml
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.dollarmath import dollarmath_plugin

BOXES = {
    "Theorem": "thm",
    "Lemma": "lem",
    "Proposition": "prp",
    "Corollary": "cor",
    "Definition": "def",
    "Claim": "clm",
    "Remark": "rem",
    "Example": "exm",
    "Exercise": "ex",
}
CAPTIONS = {"Figure": "fig", "Table": "tbl"}
EQUATION = "Equation"
PREFIXES = BOXES | CAPTIONS | {EQUATION: "eq"}
VERDICTS = {
    "holds": "holds",
    "holds with a correction": "corrected",
    "does not hold as printed": "fails",
    "open": "open",
}

_WORDS = "|".join(BOXES)
HEADING = re.compile(rf"(?P<kind>{_WORDS}) (?P<number>\d+\.\d+)(?: \((?P<title>.+)\))?\.", re.DOTALL)
VERDICT = re.compile(rf"Verdict \((?P<claims>[^()]+)\): (?P<verdict>{'|'.join(VERDICTS)})\.")
PROOF = re.compile(r"Proof(?: of .+| \(.+\))?\.", re.DOTALL)
CAPTION = re.compile(rf"(?P<kind>{'|'.join(CAPTIONS)}) (?P<number>\d+[a-z]?\.\d+)\. \S.*", re.DOTALL)
ANCHOR = re.compile(r'<a id="(?P<name>[^"]*)">')
TAG = re.compile(r"\\tag\*?\s*\{(?P<number>[^{}]*)\}")
SUMMARY = re.compile(r"<details>\s*<summary>(?P<text>[^<]*)</summary>")
SOLUTION = re.compile(r"Solution to Exercise (?P<number>\d+\.\d+)")
QED = "∎"

_BOX_START = re.compile(rf"(?:{_WORDS}|Verdict)\b")
_CAPTION_START = re.compile(rf"(?:{'|'.join(CAPTIONS)}) \d")
_NUMBER = re.compile(r"\d+[a-z]?\.\d+")
_ANCHOR_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_INLINE_HTML = re.compile(r'</?(?:br|sub|sup|kbd)\s*/?>|<a id="[^"]*">|</a>|<!--.*-->', re.DOTALL)
_ROLE = re.compile(r"\{[a-zA-Z:_.-]+\}$")
_LATE_LIST = re.compile(r"\d+[.)] ")
_DIRECTIVE = re.compile(r":{3,}|\([^()\s]+\)=$|\+\+\+|\{\{")


class Cell(NamedTuple):
    """One piece of Markdown: a cell of a notebook (its id), or a whole page (no id)."""

    page: str
    cell: str | None
    text: str


class Place(NamedTuple):
    """Where something stands; prints as an editor's user would look for it."""

    page: str
    cell: str | None
    line: int

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.page, self.cell, f"line {self.line}")))


class Problem(NamedTuple):
    """A deviation from the grammar: where, and what to do about it."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class Item(NamedTuple):
    """Something with a number: a box, an equation or a caption. `number` is 'chapter.counter'."""

    kind: str
    number: str
    title: str
    place: Place


class Anchor(NamedTuple):
    """A name that links can point to, and the numbered thing it names, if it names one."""

    name: str
    item: Item | None
    place: Place


class Link(NamedTuple):
    """A link to an anchor or a page of the book: `page` is as written, '' for '#anchor' alone."""

    page: str
    anchor: str
    text: str
    place: Place


class Verdict(NamedTuple):
    """A verdict box: the claims it decides, and the verdict in words."""

    claims: tuple[str, ...]
    verdict: str
    place: Place


class Solution(NamedTuple):
    """A folded solution, and the number of the exercise it solves."""

    exercise: str
    place: Place


Found = Item | Anchor | Link | Verdict | Solution | Problem


# ---- from files to cells


def read_cells(root: Path, page: str) -> list[Cell]:
    """The Markdown of `page`, a path relative to `root`, of a notebook (.ipynb) or a page (.md)."""
    text = (root / page).read_text(encoding="utf-8")
    if not page.endswith(".ipynb"):
        return [Cell(page, None, text)]
    cells = json.loads(text)["cells"]
    return [
        Cell(page, cell.get("id", f"cell-{index:03d}"), "".join(cell["source"]))
        for index, cell in enumerate(cells)
        if cell["cell_type"] == "markdown"
    ]


def toc_pages(root: Path) -> list[str]:
    """The pages that _toc.yml lists, in its order, as paths relative to `root`.

    Raises FileNotFoundError for an entry without a file.
    """

    def entries(node: dict | list) -> Iterator[str]:
        if isinstance(node, list):
            for child in node:
                yield from entries(child)
        elif isinstance(node, dict):
            for key in ("root", "file"):
                if key in node:
                    yield node[key]
            for value in node.values():
                yield from entries(value)

    def with_suffix(entry: str) -> str:
        for name in (entry, f"{entry}.ipynb", f"{entry}.md"):
            if (root / name).is_file():
                return name
        raise FileNotFoundError(f"_toc.yml lists {entry}, but there is no {entry}.ipynb or {entry}.md")

    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    return [with_suffix(entry) for entry in entries(toc)]


# ---- from one cell to what stands in it


def markdown_parser() -> MarkdownIt:
    """The parser of the grammar: CommonMark with tables and dollar mathematics, as MyST reads them."""
    return MarkdownIt("commonmark").enable("table").use(dollarmath_plugin)


def scan(cell: Cell) -> list[Found]:
    """Everything in `cell` that the grammar speaks of, problems included."""
    tree = SyntaxTreeNode(markdown_parser().parse(cell.text))
    scanner = _Scanner(cell)
    return [*scanner.blocks(tree.children), *scanner.proofs(tree.children), *scanner.folds(tree.children)]


class _Scanner:
    """Walks the syntax tree of one cell; every method yields what it finds."""

    def __init__(self, cell: Cell):
        self.cell = cell
        # Pages that are not notebooks live in the book alone: there, directives are at home.
        self.must_be_plain = cell.page.endswith(".ipynb")

    def place(self, node: SyntaxTreeNode) -> Place:
        while node.map is None and node.parent is not None:
            node = node.parent
        return Place(self.cell.page, self.cell.cell, node.map[0] + 1 if node.map else 1)

    def problem(self, node: SyntaxTreeNode, message: str) -> Problem:
        return Problem(self.place(node), message)

    def blocks(self, siblings: list[SyntaxTreeNode], quoted: bool = False) -> Iterator[Found]:
        """What a list of sibling blocks holds; `quoted` inside a block quote."""
        waiting: list[str] = []  # anchors that name the next block
        for node in siblings:
            names, rest = _leading_anchors(node)
            waiting += names
            if names and not rest:
                yield from self.inline(node, quoted)
                continue
            item = None
            for found in self.block(node, quoted):
                if isinstance(found, Item) and item is None:
                    item = found
                yield found
            yield from self.name(node, item, waiting)
            waiting = []
        if waiting:
            yield self.problem(
                siblings[-1], f"the anchor '{waiting[-1]}' is followed by nothing that it could name"
            )

    def name(self, node: SyntaxTreeNode, item: Item | None, names: list[str]) -> Iterator[Found]:
        """The anchors `names` given to the block `node`, which shows `item`."""
        expected = item and f"{PREFIXES[item.kind]}-{item.number.replace('.', '-')}"
        for name in names:
            yield Anchor(name, item, self.place(node))
            if not _ANCHOR_NAME.fullmatch(name):
                yield self.problem(
                    node, f"the anchor '{name}' must be lower-case letters, digits and hyphens"
                )
            elif name.split("-")[0] in PREFIXES.values() and name != expected:
                stands = (
                    f"{item.kind} {item.number}, whose anchor is '{expected}'"
                    if item
                    else "no numbered thing"
                )
                yield self.problem(node, f"the anchor '{name}' stands before {stands}")
        if item and item.kind in BOXES and expected not in names:
            yield self.problem(
                node, f'{item.kind} {item.number} needs <a id="{expected}"></a> on the line before it'
            )

    def block(self, node: SyntaxTreeNode, quoted: bool) -> Iterator[Found]:
        match node.type:
            case "blockquote":
                yield from self.box(node)
                yield from self.blocks(node.children, quoted=True)
            case "math_block" | "math_block_label":
                yield from self.display(node, quoted)
            case "html_block":
                yield from self.html(node)
            case "fence":
                if self.must_be_plain and node.info.startswith("{"):
                    yield self.problem(
                        node, f"the directive {node.info.split()[0]} is raw text outside the book"
                    )
            case "paragraph":
                lead = _lead(node)
                if node.parent.type != "root" and lead is not None and re.match(r"Proof\b", _text(lead)):
                    yield self.problem(node, "a proof stands by itself, not inside a quote or a list")
                yield from self.caption(node)
                yield from self.inline(node, quoted)
            case "inline":
                yield from self.inline(node, quoted)
            case "td" | "th":
                if "$" in _plain_text(node):
                    yield self.problem(
                        node, "a | inside mathematics ends the table's cell; write \\vert or \\mid"
                    )
                yield from self.inline(node, quoted)
            case _:
                yield from self.blocks(node.children, quoted)

    def box(self, quote: SyntaxTreeNode) -> Iterator[Found]:
        lead = _lead(quote.children[0]) if quote.children else None
        if lead is None or not _BOX_START.match(text := _text(lead)):
            return
        if lead.type != "strong":
            yield self.problem(quote, f"write the heading in bold: **{text}**")
        elif heading := HEADING.fullmatch(text):
            yield Item(heading["kind"], heading["number"], heading["title"] or "", self.place(quote))
        elif verdict := VERDICT.fullmatch(text):
            claims = tuple(claim.strip() for claim in verdict["claims"].split(","))
            yield Verdict(claims, verdict["verdict"], self.place(quote))
        elif text.startswith("Verdict"):
            endings = ", ".join(f"'{words}.'" for words in VERDICTS)
            yield self.problem(
                quote,
                f"'{text}' must read 'Verdict (claim, ...): ' and then one of {endings}, all of it bold",
            )
        else:
            yield self.problem(
                quote,
                f"'{text}' must read 'Theorem 2.1 (Title).' or 'Theorem 2.1.', number and point included",
            )

    def caption(self, paragraph: SyntaxTreeNode) -> Iterator[Found]:
        rest = _leading_anchors(paragraph)[1]
        lead = _lead(paragraph)
        if lead is None or not _CAPTION_START.match(text := _text(lead)):
            return
        found = CAPTION.fullmatch(text)
        if lead.type != "em" or len(rest) != 1 or not found:
            yield self.problem(
                paragraph,
                "a caption is a paragraph of its own, in italics throughout: *Figure 2.1. What to see.*",
            )
        else:
            yield Item(found["kind"], found["number"], text, self.place(paragraph))

    def display(self, node: SyntaxTreeNode, quoted: bool) -> Iterator[Found]:
        if quoted and "\n" in node.content:
            yield self.problem(
                node,
                "inside a quote, $$ ... $$ must stand on one line: the > of the next would be mathematics",
            )
        if node.type == "math_block_label":
            yield self.problem(
                node, "the label after $$ is raw text outside the book; use an anchor and \\tag"
            )
        if re.search(r"\\begin\{(align|equation|gather|multline)\*?\}|\\label\b|\\eqref\b", node.content):
            yield self.problem(
                node, "use aligned or gathered inside $$, \\tag for the number, a link for a reference"
            )
        tags = TAG.findall(node.content)
        if len(tags) > 1:
            yield self.problem(node, "one \\tag per display; use a display for each numbered equation")
        for tag in tags:
            if not _NUMBER.fullmatch(tag):
                yield self.problem(node, f"\\tag{{{tag}}} must be chapter.counter, such as \\tag{{2.3}}")
            else:
                yield Item(EQUATION, tag, "", self.place(node))

    def html(self, node: SyntaxTreeNode) -> Iterator[Found]:
        html = node.content.strip()
        if summary := SUMMARY.fullmatch(html):
            yield from self.summary(node, summary["text"].strip())
        elif html != "</details>" and not re.fullmatch(r"<!--.*-->", html, re.DOTALL):
            yield self.problem(
                node,
                "the HTML blocks of the grammar are <details><summary>Plain words</summary> and </details>, "
                f"each with an empty line before and after; got {html.splitlines()[0]!r}",
            )

    def summary(self, node: SyntaxTreeNode, text: str) -> Iterator[Found]:
        if re.search(r"[$*`\[]", text):
            yield self.problem(node, f"the summary {text!r} is HTML: no mathematics and no Markdown in it")
        if solution := SOLUTION.fullmatch(text):
            yield Solution(solution["number"], self.place(node))
        elif text.startswith("Solution"):
            yield self.problem(node, f"the summary {text!r} must read 'Solution to Exercise 2.1'")

    def inline(self, node: SyntaxTreeNode, quoted: bool) -> Iterator[Found]:
        """Links, anchors in odd places, mathematics and raw MyST in a paragraph, heading or table cell."""
        allowed = {id(child) for child in _leading_anchor_nodes(node)}
        if self.must_be_plain and _DIRECTIVE.match(_plain_text(node)):
            yield self.problem(
                node, f"{_plain_text(node).split()[0]!r} is MyST syntax: raw text outside the book"
            )
        for child in node.walk():
            match child.type:
                case "link":
                    yield from self.link(child)
                case "html_inline" if id(child) not in allowed:
                    if not _INLINE_HTML.fullmatch(child.content):
                        yield self.problem(
                            child, f"{child.content} is not among the HTML that the grammar admits"
                        )
                    elif ANCHOR.match(child.content):
                        yield self.problem(
                            child, f"{child.content}</a> stands on a line of its own before what it names"
                        )
                case "text" if _LATE_LIST.match(child.content) and _follows_break(child):
                    yield self.problem(
                        child, f"{child.content[:20]!r} begins no list: put an empty line before it"
                    )
                case "math_inline":
                    yield from self.formula(child, quoted)
                case "code_inline" if self.must_be_plain:
                    before = child.previous_sibling
                    if before is not None and before.type == "text" and _ROLE.search(before.content):
                        yield self.problem(
                            child, f"the role before `{child.content}` is raw text outside the book"
                        )

    def formula(self, node: SyntaxTreeNode, quoted: bool) -> Iterator[Found]:
        before = node.previous_sibling
        if before is not None and before.type == "text" and before.content.endswith("$"):
            yield self.problem(node, f"$${node.content.strip()}$$ needs an empty line before and after it")
            return
        if quoted and "\n" in node.content:
            yield self.problem(
                node,
                f"inside a quote, ${node.content.splitlines()[0]} ...$ must not run over the end of the line",
            )
        after = node.next_sibling
        if (before is not None and before.content[-1:].isalnum()) or (
            after is not None and after.content[:1].isalnum()
        ):
            yield self.problem(
                node, f"${node.content}$ is no mathematics on GitHub: no letter or digit before or after it"
            )
        if node.content != node.content.strip():
            yield self.problem(
                node, f"${node.content}$ is no mathematics on GitHub: no space after or before $"
            )
        if TAG.search(node.content):
            yield self.problem(node, "\\tag belongs in a display, $$ ... $$ with empty lines around it")

    def link(self, node: SyntaxTreeNode) -> Iterator[Found]:
        href = str(node.attrs["href"])
        page, _, anchor = href.partition("#")
        if ":" in page or page.startswith("/") or not (anchor or page.endswith((".md", ".ipynb"))):
            return
        text = _text(node)
        if not text.strip() and not any(child.type == "image" for child in node.walk()):
            yield self.problem(node, f"the link to {href} shows no text outside the book")
        yield Link(page, anchor, text, self.place(node))

    def proofs(self, siblings: list[SyntaxTreeNode]) -> Iterator[Found]:
        """Proofs open and close inside one cell, and not across a box, a heading or a fold."""
        opened = None
        for node in siblings:
            lead = _lead(node) if node.type == "paragraph" else None
            starts = lead is not None and re.match(r"Proof\b", _text(lead))
            stops = node.type in ("heading", "html_block") or any(
                isinstance(found, Item | Verdict)
                for found in (self.box(node) if node.type == "blockquote" else ())
            )
            if opened and (starts or stops):
                yield self.problem(opened, f"this proof is not closed: end its last paragraph with {QED}")
                opened = None
            if starts and not (lead.type == "strong" and PROOF.fullmatch(_text(lead))):
                yield self.problem(node, f"'{_text(lead)}' must read **Proof.** or **Proof of Theorem 2.1.**")
            elif starts:
                opened = node
            if _ends_with_qed(node):
                if not opened:
                    yield self.problem(
                        node, f"{QED} closes a proof that was not opened by **Proof.** in this cell"
                    )
                opened = None
        if opened:
            yield self.problem(
                opened, f"this proof is not closed in its cell: end its last paragraph with {QED}"
            )

    def folds(self, siblings: list[SyntaxTreeNode]) -> Iterator[Found]:
        opened = None
        for node in siblings:
            if node.type != "html_block":
                continue
            if node.content.startswith("<details"):
                if opened:
                    yield self.problem(node, "a <details> inside another, or the one before is not closed")
                opened = node
            elif node.content.startswith("</details"):
                if not opened:
                    yield self.problem(node, "</details> closes nothing in this cell")
                opened = None
        if opened:
            yield self.problem(opened, "this <details> is not closed in its cell: add a line </details>")


def _children(node: SyntaxTreeNode) -> list[SyntaxTreeNode]:
    """The inline nodes of a paragraph, heading or table cell."""
    if node.children and node.children[0].type == "inline":
        return node.children[0].children
    return node.children if node.type == "inline" else []


def _leading_anchor_nodes(node: SyntaxTreeNode) -> list[SyntaxTreeNode]:
    lead = []
    for child in _children(node):
        if child.type == "softbreak" or (
            child.type == "html_inline"
            and (ANCHOR.fullmatch(child.content) or (lead and child.content == "</a>"))
        ):
            lead.append(child)
        else:
            break
    return lead


def _leading_anchors(node: SyntaxTreeNode) -> tuple[list[str], list[SyntaxTreeNode]]:
    """The anchors that open a paragraph, and what follows them."""
    lead = _leading_anchor_nodes(node) if node.type == "paragraph" else []
    names = [ANCHOR.fullmatch(child.content)["name"] for child in lead if child.content not in ("", "</a>")]
    return names, _children(node)[len(lead) :]


def _lead(node: SyntaxTreeNode) -> SyntaxTreeNode | None:
    """The bold or italic run that opens a paragraph, after its anchors."""
    rest = [child for child in _leading_anchors(node)[1] if child.type != "text" or child.content.strip()]
    return rest[0] if rest and rest[0].type in ("strong", "em") else None


def _text(node: SyntaxTreeNode) -> str:
    """The text that a run shows, mathematics as $...$."""
    match node.type:
        case "math_inline":
            return f"${node.content}$"
        case "softbreak" | "hardbreak":
            return "\n"
        case "text" | "code_inline":
            return node.content
    return "".join(_text(child) for child in node.children)


def _plain_text(node: SyntaxTreeNode) -> str:
    """The text outside code and mathematics, as it stands between the children of a paragraph."""
    if node.type == "text":
        return node.content
    if node.type in ("code_inline", "math_inline", "html_inline"):
        return " "
    return "".join(_plain_text(child) for child in node.children)


def _follows_break(node: SyntaxTreeNode) -> bool:
    return node.previous_sibling is not None and node.previous_sibling.type == "softbreak"


def _ends_with_qed(node: SyntaxTreeNode) -> bool:
    leaves = [leaf for leaf in node.walk() if not leaf.children and leaf.type != "softbreak"]
    return bool(leaves) and leaves[-1].type == "text" and leaves[-1].content.rstrip().endswith(QED)


# ---- from all cells to the book


def check(cells: Iterable[Cell]) -> list[Problem]:
    """Every deviation from the grammar in the book whose Markdown is `cells`, in the order of the book.

    Beside what can be seen in one cell: numbers count 1, 2, 3 per kind and chapter, a notebook NN_slug.ipynb
    holds the numbers of chapter NN (its opening picture may be Figure NN.0), and so does NNb_slug.ipynb, the
    chapter's second part (there Figure NNb.0; exercises may be shared out), anchors are unique in the book,
    a link's anchor exists (in the page it names, if any), the kind and number in its text are the target's,
    and a solution follows its exercise.
    """
    cells = list(cells)
    found = [thing for cell in cells for thing in scan(cell)]
    pages = {cell.page for cell in cells}
    order = {(cell.page, cell.cell): index for index, cell in enumerate(cells)}
    return sorted(
        [
            *(thing for thing in found if isinstance(thing, Problem)),
            *_check_numbers([thing for thing in found if isinstance(thing, Item)]),
            *_check_anchors([thing for thing in found if isinstance(thing, Anchor)]),
            *_check_links(found, pages),
            *_check_solutions(found),
        ],
        key=lambda problem: (order[problem.place.page, problem.place.cell], problem.place.line),
    )


def _check_numbers(items: list[Item]) -> Iterator[Problem]:
    counters: dict[tuple[str, str], int] = {}
    shared = _shared_exercises(items)
    for item in items:
        chapter, counter = item.number.split(".")
        home = re.match(r"0*(\d+)([a-z]?)_", posixpath.basename(item.place.page))
        part = home[1] + home[2] if home else ""
        if home and chapter != home[1] and not (item.kind == "Figure" and item.number == f"{part}.0"):
            yield Problem(item.place, f"{item.kind} {item.number} stands in chapter {part}")
            continue
        expected = counters.get((item.kind, chapter), 0) + 1
        opening = item.kind == "Figure" and counter == "0" and (item.kind, chapter) not in counters
        if int(counter) != expected and not opening and item not in shared:
            yield Problem(item.place, f"{item.kind} {item.number} must be {item.kind} {chapter}.{expected}")
        counters[item.kind, chapter] = int(counter)


def _shared_exercises(items: list[Item]) -> set[Item]:
    """The exercises of chapters in two parts whose numbers rise in each part and have no gap in both."""
    shared: set[Item] = set()
    exercises = [item for item in items if item.kind == "Exercise"]
    for chapter in {item.number.split(".")[0] for item in exercises}:
        own = [item for item in exercises if item.number.split(".")[0] == chapter]
        places = [(item.place.page, int(item.number.split(".")[1])) for item in own]
        pages = list(dict.fromkeys(page for page, _ in places))
        by_page = [number for page in pages for number in sorted(n for p, n in places if p == page)]
        numbers = [number for _, number in places]
        if len(pages) == 2 and numbers == by_page and sorted(numbers) == list(range(1, len(numbers) + 1)):
            shared |= set(own)
    return shared


def _check_anchors(anchors: list[Anchor]) -> Iterator[Problem]:
    first: dict[str, Anchor] = {}
    for anchor in anchors:
        if anchor.name in first:
            yield Problem(
                anchor.place, f"the anchor '{anchor.name}' stands at {first[anchor.name].place} already"
            )
        first.setdefault(anchor.name, anchor)


def _check_links(found: list[Found], pages: set[str]) -> Iterator[Problem]:
    anchors = {thing.name: thing for thing in found if isinstance(thing, Anchor)}
    for link in (thing for thing in found if isinstance(thing, Link)):
        page = link.page and posixpath.normpath(posixpath.join(posixpath.dirname(link.place.page), link.page))
        if page and page not in pages:
            yield Problem(
                link.place, f"the link [{link.text}] goes to {link.page}, which is no page of the book"
            )
        if not link.anchor:
            continue
        if link.anchor not in anchors:
            # Other anchors of named pages (claims, assertions, the bibliography) exist in the built book
            # alone, and Sphinx checks them there.
            if page and link.anchor.split("-")[0] not in PREFIXES.values():
                continue
            yield Problem(link.place, f"the link [{link.text}] goes to an unknown anchor, '{link.anchor}'")
            continue
        target = anchors[link.anchor]
        if page and page != target.place.page:
            yield Problem(
                link.place, f"the anchor '{link.anchor}' stands in {target.place.page}, not in {link.page}"
            )
        if target.item is None:
            continue
        shown = _NUMBER.findall(link.text)
        words = [word for word in PREFIXES if re.search(rf"\b{word}s?\b", link.text, re.IGNORECASE)]
        if (shown and shown != [target.item.number]) or (shown and words and words != [target.item.kind]):
            yield Problem(
                link.place, f"the link [{link.text}] goes to {target.item.kind} {target.item.number}"
            )


def _check_solutions(found: list[Found]) -> Iterator[Problem]:
    exercises: set[tuple[str, str]] = set()
    solved: set[tuple[str, str]] = set()
    for thing in found:
        if isinstance(thing, Item) and thing.kind == "Exercise":
            exercises.add((thing.place.page, thing.number))
        elif isinstance(thing, Solution):
            key = (thing.place.page, thing.exercise)
            if key not in exercises:
                yield Problem(
                    thing.place, f"no Exercise {thing.exercise} stands before its solution in this page"
                )
            elif key in solved:
                yield Problem(thing.place, f"Exercise {thing.exercise} has a solution already")
            solved.add(key)


def main() -> None:
    """Check this book's pages; exit with the list of problems, if there are any."""
    root = Path(__file__).resolve().parents[2]
    try:
        problems = check(cell for page in toc_pages(root) for cell in read_cells(root, page))
    except FileNotFoundError as error:
        sys.exit(str(error))
    if problems:
        sys.exit("\n".join(map(str, problems)))
    print("the pages keep to the grammar")


if __name__ == "__main__":
    main()
