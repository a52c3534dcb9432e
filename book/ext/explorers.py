"""Sphinx extension: the explorers, figures that a reader moves, each where its question comes up.

An explorer is a script, book/assets/explorers/NAME.js, on top of core.js there, and a table of numbers that
ntk_helpers computed, NAME.json (book/tools/explorer_numbers.py writes it). The page holds the table, and so
says something without the script too; the script folds it and draws above it. Tests compare the two.
A notebook knows nothing of this: PLACES says where an explorer goes.
"""

import json
from html import escape
from pathlib import Path
from typing import NamedTuple

from claim_ledger import note_slugs
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

FOLDER = Path(__file__).parents[1] / "assets" / "explorers"


class Explorer(NamedTuple):
    title: str
    words: str  # what to look for


class Place(NamedTuple):
    page: str
    after: (
        str  # an anchor: a figure, or a section, which it then ends; "" is the text before the first section
    )
    name: str


EXPLORERS = {
    "phase_plane": Explorer(
        "Explore: the phase plane",
        "The scales of the weights and of the biases decide what a deep network does to two inputs. Left of "
        "the edge their outputs become equal; right of it close inputs are driven apart; on the edge all of "
        "this is slow. The second panel follows the correlation of two inputs from layer to layer.",
    ),
    "catapult": Explorer(
        "Explore: the catapult",
        "Two linear layers and one example, exactly. Below 2 the loss falls; between 2 and 4 it first "
        "grows, the curvature comes down, and training ends well; above 4 it does not. A larger width "
        "only makes the loss rise longer.",
    ),
    "edge": Explorer(
        "Explore: the edge of chaos to a million layers",
        "How fast does the kernel near its limit? A straight line in the first panel is a power of the "
        "depth; the second panel shows its slope. A factor log L keeps the slopes of ReLU, tanh and erf "
        "off −1 at any depth that a network has; ELU, whose second derivative jumps, tends to −1/2.",
    ),
    "sgd": Explorer(
        "Explore: noise, stability and equation (10)",
        "Four inputs with a frozen kernel. With small batches SGD loses stability at smaller steps than "
        "descent does. Its equation follows at small steps and does not see where stability ends. The "
        "second panel shows what the sign before the Hessian term of (10) does; Γ is given, the same at "
        "all inputs and times.",
    ),
    "scatter": Explorer(
        "Explore: width against depth",
        "One input, many draws of the weights: how far is the kernel of one network from its limit? "
        "What counts is the depth over the width. The variances are exact; the densities are log-normal "
        "ones with these variances.",
    ),
    "spectrum": Explorer(
        "Explore: the singular values of the Jacobian",
        "In the limit of infinite width, at any depth. Near-linear networks with orthogonal weights "
        "keep most singular values near one; Gaussian weights spread them, and so does a nonlinearity.",
    ),
}
PLACES = [
    Place("book/intro", "how-to-use-it", "phase_plane"),
    Place("notebooks/09_phases", "", "phase_plane"),
    Place("notebooks/03_dynamical_isometry", "fig-3-1", "spectrum"),
    Place("notebooks/07_squared_loss", "fig-7-4", "sgd"),
    Place("notebooks/08_kernel_under_sgd", "fig-8-1", "scatter"),
    Place("notebooks/11_on_the_edge", "fig-11-1", "edge"),
    Place("notebooks/16_learning_speed", "fig-16-1", "catapult"),
    Place("notebooks/17_finite_width", "fig-17-0", "scatter"),
]


def table(data: dict) -> str:
    """The package's numbers as HTML."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in data["head"])
    rows = "".join(
        "<tr>" + "".join(f"<td>{shown(value)}</td>" for value in row) + "</tr>" for row in data["rows"]
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def shown(value: object) -> str:
    if value is None:
        return "—"
    return f"{value + 0.0:.4g}".replace("-", "−") if isinstance(value, float) else escape(str(value))


def card(name: str) -> nodes.raw:
    """The explorer as HTML: title, words, a place for the script, and the table."""
    given, data = EXPLORERS[name], json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    script = json.dumps(data["data"], separators=(",", ":")) if "data" in data else ""
    lines = [
        f'<section class="explorer" id="explorer-{name}" data-explorer="{name}" aria-label="{given.title}">',
        f'<p class="explorer-title">{given.title}</p>',
        f"<p>{given.words}</p>",
        f'<script type="application/json">{script}</script>' if script else "",
        '<div class="explorer-live"></div>',
        f"<details open><summary>{data['caption']}</summary>",
        f'<div class="explorer-scroll" tabindex="0" role="region" aria-label="table">{table(data)}</div>',
        "</details></section>",
    ]
    return nodes.raw("", "\n".join(filter(None, lines)), format="html")


def insert(app: Sphinx, doctree: nodes.document) -> None:
    """Puts the explorers of a page in their places, and lets MyST know of their anchors."""
    page = app.env.docname
    for place in PLACES:
        if place.page == page:
            put_after(doctree, place, card(place.name))
            note_slugs(app.env, page, [f"explorer-{place.name}"])


def put_after(doctree: nodes.document, place: Place, node: nodes.Node) -> None:
    if not place.after:
        title = next(doctree.findall(nodes.section))
        first = title.first_child_matching_class(nodes.section)
        title.insert(len(title) if first is None else first, node)
        return
    found = next((n for n in doctree.findall(nodes.Element) if place.after in n.get("ids", ())), None)
    if found is None:
        raise ExtensionError(f"explorers.py: the page {place.page} has no place {place.after!r}")
    if isinstance(found, nodes.section):
        found.append(node)
        return
    while not isinstance(found.parent, nodes.section):
        found = found.parent
    following = found.parent[found.parent.index(found) :]
    caption = next(i for i, n in enumerate(following) if "caption-text" in n.get("classes", ()))
    found.parent.insert(found.parent.index(found) + caption + 1, node)


def load(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document) -> None:
    """Adds the scripts of a page's explorers."""
    names = [place.name for place in PLACES if place.page == pagename]
    if names and app.builder.name != "epub":
        app.add_css_file("explorers/explorers.css")
        for script in ["core", *names]:
            app.add_js_file(f"explorers/{script}.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-read", insert)
    app.connect("html-page-context", load)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
