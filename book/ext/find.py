"""Sphinx extension: a search that works without a network and without a server.

The index is a script, for a page that is opened as a file can load nothing else. It holds an entry for each
page, section, box and assertion: its place, its title and its words, formulas as plain text. search.js in
book/assets ranks them.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from ledger import assertion_name
from pages import text_of
from sphinx.application import Sphinx

INDEX = "search-index.js"
_NO_WORDS = (nodes.literal_block, nodes.raw, nodes.comment, nodes.image, nodes.target, nodes.system_message)


def entries(doctree: nodes.document) -> Iterator[tuple[str, str, str, str]]:
    """(kind, anchor, title, words) of every section, box and assertion of a page, the page itself first."""
    for place, section in enumerate(doctree.findall(nodes.section)):
        title = text_of(section[0]).strip()
        yield ("section" if place else "page", section["ids"][0] if place else "", title, words(section[1:]))
    for box in doctree.findall(nodes.admonition):
        if "box" in box["classes"] and box["ids"]:
            yield ("box", box["ids"][0], text_of(box[0]).removesuffix("#").strip(), words(box[1:]))
    for cell in doctree.findall(nodes.container):
        source = (
            next(cell.findall(nodes.literal_block), None) if cell.get("nb_element") == "cell_code" else None
        )
        if source is not None and (name := assertion_name(source.astext())):
            comment = source.astext().partition("\n")[0].partition(": ")[2]
            yield ("assertion", f"assertion-{name}", f"Assertion {name}", comment)


def words(children: list[nodes.Node]) -> str:
    """What the nodes say, without code, pictures and what has an entry of its own."""
    return re.sub(r"\s+", " ", " ".join(filter(None, map(_words, children)))).strip()


def _words(node: nodes.Node) -> str:
    own = isinstance(node, nodes.section) or (isinstance(node, nodes.admonition) and "box" in node["classes"])
    if (
        own
        or isinstance(node, _NO_WORDS)
        or "cell_input" in getattr(node, "attributes", {}).get("classes", ())
    ):
        return ""
    if isinstance(node, nodes.TextElement):
        return text_of(node).strip()
    return " ".join(filter(None, map(_words, node.children)))


def write_index(app: Sphinx, error: Exception | None) -> None:
    """Writes the index beside the pages, in the place of Sphinx's own."""
    if error or app.builder.name != "html":
        return
    pages = []
    for name in sorted(app.env.found_docs):
        found = [list(entry) for entry in entries(app.env.get_doctree(name))]
        if found:
            pages.append([f"{name}.html", found])
    out = Path(app.outdir)
    text = json.dumps(pages, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    (out / "_static" / INDEX).write_text(f"const BOOK_INDEX = {text};\n", encoding="utf-8")
    (out / "searchindex.js").unlink(missing_ok=True)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("build-finished", write_index)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
