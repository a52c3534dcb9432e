"""Sphinx extension: checks of claims that the reader runs in the page of the ledger.

book/checks/ID.py checks the claim ID with the standard library and mpmath alone; pytest runs the same file.
The page holds its source, folded. Opened, it can be run and changed: run_claim.js loads Pyodide, which
book/tools/fetch_pyodide.py has put among the assets, from the site itself. mpmath is the installed package.
"""

import zipfile
from html import escape
from importlib.util import find_spec
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

PAGE = "book/claims"
CHECKS = Path(__file__).parents[1] / "checks"
ASSETS = Path(__file__).parents[1] / "assets"


def fold(path: Path, runtime: bool) -> nodes.raw:
    """A check as HTML: its source in a fold, which the script makes runnable."""
    source = path.read_text(encoding="utf-8").strip()
    html = (
        f'<details class="run-claim" id="check-{path.stem}" data-runtime="{"pyodide" if runtime else ""}">'
        f"<summary>Run this check</summary><pre>{escape(source)}\n</pre></details>"
    )
    return nodes.raw("", html, format="html")


def insert(app: Sphinx, doctree: nodes.document) -> None:
    """Gives each claim of the ledger that has a check its fold."""
    if app.env.docname != PAGE:
        return
    runtime = (ASSETS / "pyodide" / "pyodide.mjs").is_file()
    for section in doctree.findall(nodes.section):
        for anchor in section["ids"]:
            path = CHECKS / f"{anchor.removeprefix('claim-')}.py"
            if anchor.startswith("claim-") and path.is_file():
                app.env.note_dependency(str(path))
                section.append(fold(path, runtime))


def load(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document) -> None:
    if pagename == PAGE and app.builder.name != "epub":
        app.add_css_file("run_claim/run_claim.css")
        app.add_js_file("run_claim/run_claim.js", loading_method="defer")


def pack_mpmath(app: Sphinx, error: Exception | None) -> None:
    """Puts mpmath beside Pyodide in the built book; raises ExtensionError if it is not installed."""
    folder = Path(app.outdir) / "_static" / "pyodide"
    if error or not folder.is_dir():
        return
    package = find_spec("mpmath")
    if package is None:
        raise ExtensionError("the book's checks need the package mpmath: install requirements.txt")
    root = Path(package.origin).parent
    with zipfile.ZipFile(folder / "mpmath.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.rglob("*.py")):
            if "tests" not in path.relative_to(root).parts:
                archive.write(path, Path("mpmath") / path.relative_to(root))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-read", insert)
    app.connect("html-page-context", load)
    app.connect("build-finished", pack_mpmath)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
