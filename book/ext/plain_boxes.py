"""Sphinx extension: the plain Markdown of `box_grammar` becomes boxes, proofs, anchors and captions.

The boxes are docutils admonitions, styled by book/assets/boxes.css. The directives of sphinx-proof and
sphinx-exercise would not do: they count for themselves (a number from the source can only go into the title's
brackets), write the same id on a box and its title and one more on the content of every box, and know neither
claims, nor verdicts, nor "Proof of Theorem 2.1".
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml
from box_grammar import (
    ANCHOR,
    CAPTION,
    HEADING,
    PROOF,
    QED,
    TAG,
    VERDICT,
    VERDICTS,
    check,
    read_cells,
    toc_pages,
)
from docutils import nodes
from plain_math import without_tex
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)


class PlainBoxes(SphinxTransform):
    """Rewrites the document tree of one page; `report` has said what is wrong with its source."""

    default_priority = 100  # before names and references are collected (850 and 879)

    def apply(self) -> None:
        for formula in self.document.findall(nodes.math_block):
            keep_tag(formula)
        for quote in list(self.document.findall(nodes.block_quote)):
            box_quote(quote)
        for paragraph in list(self.document.findall(nodes.paragraph)):
            self.name_next(paragraph)
        texts = alternatives(Path(self.app.srcdir) / "book" / "alternatives.yml")
        for paragraph in list(self.document.findall(nodes.paragraph)):
            wrap_proof(paragraph)
            mark_caption(paragraph, texts)

    def name_next(self, paragraph: nodes.paragraph) -> None:
        """Gives the anchors that open `paragraph` to what follows them, in the page and in the whole book."""
        anchors, length = leading_anchors(paragraph)
        if not anchors:
            return
        del paragraph[:length]
        if paragraph.astext().strip():
            target = paragraph
        else:
            target = paragraph.next_node(descend=False, siblings=True)
            if not isinstance(target, nodes.admonition | nodes.math_block):
                # Not every node shows its identifiers (a code cell does not); a target of its own does.
                target = nodes.target()
                paragraph.parent.insert(paragraph.parent.index(paragraph), target)
            paragraph.parent.remove(paragraph)
        slugs = self.env.metadata[self.env.docname].setdefault("myst_slugs", {})
        for anchor in anchors:
            target["ids"].append(anchor)
            target["names"].append(anchor)
            self.document.note_explicit_target(target, target)
            slugs[anchor] = (target.line, anchor, "")  # where MyST looks for [...](page.ipynb#anchor)


def leading_anchors(paragraph: nodes.paragraph) -> tuple[list[str], int]:
    """The anchors that open `paragraph`, and how many of its children they take."""
    anchors, length = [], 0
    for child in paragraph.children:
        html = child.astext() if isinstance(child, nodes.raw) else None
        if html and (anchor := ANCHOR.fullmatch(html)):
            anchors.append(anchor["name"])
        elif not anchors or not (html == "</a>" or (html is None and not child.astext().strip())):
            break
        length += 1
    return anchors, length


def keep_tag(formula: nodes.math_block) -> None:
    """Puts a numbered display into the environment that takes \\tag; Sphinx's own `split` refuses it."""
    if TAG.search(formula.astext()) and not formula["nowrap"]:
        text = f"\\begin{{equation*}}\n{formula.astext().strip()}\n\\end{{equation*}}"
        formula.children = []
        formula += nodes.Text(text)
        formula.rawsource = text
        formula["nowrap"] = True


def box_quote(quote: nodes.block_quote) -> None:
    """Replaces a quote that opens with a bold heading of the grammar by a box."""
    lead = opening(quote[0], nodes.strong) if quote.children else None
    if lead is None:
        return
    if heading := HEADING.fullmatch(shown(lead)):
        classes = ["box", heading["kind"].lower()]
        label = f"{heading['kind']} {heading['number']}"
    elif verdict := VERDICT.fullmatch(shown(lead)):
        classes = ["box", "verdict", f"verdict-{VERDICTS[verdict['verdict']]}"]
        label = "Verdict"
    else:
        return
    paragraph = quote[0]
    title = nodes.title("", "", *lead.children)
    title[0] = nodes.Text(title[0].astext().removeprefix(label))
    title[-1] = nodes.Text(title[-1].astext().removesuffix("."))
    title.insert(0, nodes.inline("", label, classes=["box-label"]))
    del paragraph[: paragraph.index(lead) + 1]
    body = quote.children if paragraph.astext().strip() else quote.children[1:]
    box = nodes.admonition("", title, *body, classes=classes)
    box.source, box.line = quote.source, quote.line
    quote.replace_self(box)


def wrap_proof(paragraph: nodes.paragraph) -> None:
    """Moves a proof, from its bold opening to the end mark, into a container of its own."""
    lead = opening(paragraph, nodes.strong)
    if lead is None or not PROOF.fullmatch(shown(lead)):
        return
    parent = paragraph.parent
    start = parent.index(paragraph)
    for stop, node in enumerate(parent[start:], start):
        if ends_with_mark(node):
            proof = nodes.container("", *parent[start : stop + 1], classes=["proof"])
            parent[start : stop + 1] = [proof]
            return


@cache
def alternatives(path: Path) -> dict[str, str]:
    """What the figures draw, by their numbers; none where there is no such file."""
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}


def mark_caption(paragraph: nodes.paragraph, texts: Mapping[str, str]) -> None:
    """Marks the caption of a figure or a table, and gives the figure its alternative text.

    It is the one of `texts` under the figure's number; without one the caption serves.
    """
    lead = opening(paragraph, nodes.emphasis)
    if lead is None or len(paragraph.children) > 1 or not (caption := CAPTION.fullmatch(shown(lead))):
        return
    paragraph["classes"].append("caption-text")
    parent = paragraph.parent
    before = parent[: parent.index(paragraph)]
    for image in before[-1].findall(nodes.image) if before else ():
        image.setdefault("alt", texts.get(caption["number"], without_tex(shown(lead))))


def opening(paragraph: nodes.Node, kind: type[nodes.Element]) -> nodes.Element | None:
    """The first run of `paragraph` if it is of this kind."""
    if not isinstance(paragraph, nodes.paragraph):
        return None
    runs = [child for child in paragraph.children if not isinstance(child, nodes.Text) or child.strip()]
    return runs[0] if runs and isinstance(runs[0], kind) else None


def shown(node: nodes.Node) -> str:
    """The text of `node` as the source shows it, mathematics as $...$."""
    if isinstance(node, nodes.math):
        return f"${node.astext()}$"
    if isinstance(node, nodes.Text):
        return node.astext()
    return "".join(shown(child) for child in node.children)


def ends_with_mark(node: nodes.Node) -> bool:
    return not isinstance(node, nodes.math_block) and re.search(rf"{QED}\s*$", node.astext()) is not None


def report(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Warns of every deviation from the grammar, by file, cell and line."""
    root = Path(app.srcdir)
    for problem in check(cell for page in toc_pages(root) for cell in read_cells(root, page)):
        logger.warning("%s", problem)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(PlainBoxes)
    app.add_css_file("boxes.css")
    app.connect("env-before-read-docs", report)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
