"""Sphinx extension: the evidence can be seen and linked to.

The line that an assertion prints last, `NAME | verdict | what was measured`, becomes a badge with the claim,
the verdict and the measurement. The ids in a verdict box lead to the ledger. The anchor of a figure, which
stands at the caption in the source, moves to the picture. Boxes and captions carry a link to themselves, as
headings do.
"""

import re
from pathlib import Path

from docutils import nodes
from ledger import PRINTED, owner
from plain_boxes import PlainBoxes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

CLAIMS = "book/claims"  # the page of the ledger, and claims.yml beside it
CLASSES = dict(zip(PRINTED, ("holds", "corrected", "fails", "open"), strict=True))
LINE = re.compile(rf"(?P<name>[\w-]+) \| (?P<verdict>{'|'.join(PRINTED)}) \| (?P<measured>.+)")
IDS = re.compile(r"^(?P<open> \()(?P<ids>[^()]+)(?P<rest>\).*)$", re.DOTALL)


class Evidence(SphinxTransform):
    """Rewrites the document tree of one page, after PlainBoxes has made the boxes."""

    default_priority = PlainBoxes.default_priority + 10

    def apply(self) -> None:
        ledger = Path(self.env.srcdir) / f"{CLAIMS}.yml"
        text = ledger.read_text(encoding="utf-8") if ledger.is_file() else ""
        self.ids = re.findall(r"^- id: (\S+)$", text, re.MULTILINE)
        for output in list(self.document.findall(nodes.literal_block)):
            if "stream" in output["classes"]:
                self.show_verdict(output)
        for box in self.document.findall(nodes.admonition):
            if "verdict" in box["classes"]:
                self.link_claims(box[0])
                self.name_verdict(box)
            if "box" in box["classes"] and box["ids"]:
                box[0] += permalink(box["ids"][0])
        for caption in self.document.findall(nodes.paragraph):
            if "caption-text" in caption["classes"]:
                self.name_caption(caption)
                ids = caption["ids"]
                anchor_picture(caption)
                if ids:
                    caption += permalink(ids[0])

    def claim_link(self, id: str, text: str) -> nodes.Node:
        """A link to the claim's section of the ledger; MyST resolves it, and warns where there is none."""
        link = addnodes.pending_xref(
            refdomain="doc",
            reftarget=CLAIMS,
            reftargetid=f"claim-{id}",
            refdoc=self.env.docname,
            reftype="myst",
            refexplicit=True,
        )
        link += nodes.inline("", text, classes=["xref", "myst"])
        return link

    def show_verdict(self, output: nodes.literal_block) -> None:
        """Moves the verdict out of what the cell printed into a line of its own."""
        *before, last = output.astext().rstrip("\n").split("\n")
        found = LINE.fullmatch(last)
        claim = owner(found["name"], self.ids) if found else None
        if claim is None:
            return
        line = nodes.paragraph(classes=["verdict-line", f"verdict-{CLASSES[found['verdict']]}"])
        line += nodes.inline("", found["verdict"], classes=["verdict-badge"])
        line += nodes.Text(" ")
        line += nodes.reference("", found["name"], refuri=f"#assertion-{found['name']}", internal=True)
        line += nodes.Text(" of claim ")
        line += self.claim_link(claim, claim)
        line += nodes.Text(f": {found['measured']}")
        output.parent.insert(output.parent.index(output) + 1, line)
        if before:
            output.rawsource = "\n".join(before)
            output.children = [nodes.Text(output.rawsource)]
        else:
            output.parent.remove(output)

    def name_verdict(self, box: nodes.admonition) -> None:
        """Gives a verdict box an id, `verdict-` and its first claim, numbered where a page has several."""
        found = re.search(r"\(([^(),]+)", box[0].astext())
        if found and not box["ids"]:
            name = f"verdict-{nodes.make_id(found[1])}"
            same = [id for id in self.document.ids if re.fullmatch(rf"{name}(-part-\d+)?", id)]
            box["ids"].append(f"{name}-part-{len(same) + 1}" if same else name)
            self.document.note_explicit_target(box, box)

    def name_caption(self, caption: nodes.paragraph) -> None:
        """Gives a caption without an anchor the one that it would have: `fig-5-1` for Figure 5.1."""
        found = re.match(r"(Fig|T)\w+ (\d+[a-z]?)\.(\d+)", caption.astext())
        if found and not caption["ids"]:
            name = f"{'fig' if found[1] == 'Fig' else 'tbl'}-{found[2]}-{found[3]}"
            if name not in self.document.ids:
                caption["ids"].append(name)
                self.document.note_explicit_target(caption, caption)

    def link_claims(self, title: nodes.title) -> None:
        """Makes links of the ids in a verdict box's title, `Verdict (O2, O3): holds`, that the ledger has."""
        for place, child in enumerate(title.children):
            found = IDS.match(child.astext()) if isinstance(child, nodes.Text) else None
            if found:
                parts: list[nodes.Node] = [nodes.Text(found["open"])]
                for id in re.split(r",\s*", found["ids"].strip()):
                    named = self.claim_link(id, id) if id in self.ids else nodes.Text(id)
                    parts += [named, nodes.Text(", ")]
                title[place : place + 1] = [*parts[:-1], nodes.Text(found["rest"])]
                return


def permalink(id: str) -> nodes.reference:
    """The sign that shows when the pointer is on a box or a caption, and links to it."""
    link = nodes.reference("", "#", refuri=f"#{id}", internal=True, classes=["headerlink"])
    link["reftitle"] = "Link to this place"
    return link


def drop_permalinks(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Only a browser has a use for them."""
    if app.builder.name != "html":
        for link in list(doctree.findall(nodes.reference)):
            if "headerlink" in link["classes"]:
                link.parent.remove(link)


def anchor_picture(caption: nodes.paragraph) -> None:
    """Moves the anchors of a figure's caption to the picture above it, so that a link shows both."""
    parent = caption.parent
    before = parent[: parent.index(caption)]
    picture = next(before[-1].findall(nodes.image), None) if before else None
    if picture is not None and caption["ids"]:
        target = nodes.target(ids=caption["ids"], names=caption["names"])
        picture.parent.insert(picture.parent.index(picture), target)
        caption["ids"], caption["names"] = [], []


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(Evidence)
    app.connect("doctree-resolved", drop_permalinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
