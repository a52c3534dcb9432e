"""Sphinx extension: formulas as MathML, for the EPUB. The book's own MathJax translates them, in chromium.

Used with `html_math_renderer = "mathml"`. What moves only by a script is replaced by a sentence:
a reader of books runs none.
"""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

MATHJAX = Path(__file__).resolve().parents[1] / "assets" / "mathjax" / "startup.js"
NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--allow-file-access-from-files",
    "--virtual-time-budget=600000",
    "--dump-dom",
)
PAGE = """<!DOCTYPE html><meta charset="utf-8"><body>waiting</body>
<script>window.MathJax = {
    loader: {load: ["core", "input/tex"]}, startup: {typeset: false},
};</script>
<script src="%s"></script>
<script>MathJax.startup.promise.then(() => {
    const texts = %s.map(([tex, display]) => MathJax.tex2mml(tex, {display}));
    document.body.textContent = JSON.stringify(texts);
});</script>"""
MOVES = "This part moves in the book on the web, and is not shown here."


def translated(formulas: Iterable[tuple[str, bool]]) -> dict[tuple[str, bool], str]:
    """MathML of formulas, given as TeX and whether displayed; raises RuntimeError without an answer."""
    wanted = sorted(set(formulas))
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        raise RuntimeError(f"formulas of the EPUB need one of {', '.join(NAMES)}: install chromium")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "formulas.html"
        data = json.dumps([list(formula) for formula in wanted]).replace("<", "\\u003c")
        page.write_text(PAGE % (MATHJAX.as_uri(), data), encoding="utf-8")
        command = [browser, *OPTIONS, f"--user-data-dir={folder}/profile", page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300)
    body = re.search(r"<body>(.*?)</body>", done.stdout, re.DOTALL)
    if not body or not body[1].startswith("["):
        raise RuntimeError(f"MathJax did not translate the formulas:\n{done.stderr[-2000:]}")
    text = body[1].replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", "\u00a0").replace("&amp;", "&")
    return {formula: tidy(mathml) for formula, mathml in zip(wanted, json.loads(text), strict=True)}


def tidy(mathml: str) -> str:
    """MathML without MathJax's own attributes, and with an equation's number as a plain label."""
    text = re.sub(r'\s+(?:data-[\w-]+|class|id|href)="[^"]*"', "", mathml)
    return re.sub(r"\n\s*", "", text)


def collect(app: Sphinx, env) -> list[str]:
    """Translates every formula of the book at once."""
    if app.config.html_math_renderer == "mathml":
        found = set()
        for name in env.found_docs:
            doctree = env.get_doctree(name)
            found |= {(node.astext(), False) for node in doctree.findall(nodes.math)}
            found |= {(node.astext(), True) for node in doctree.findall(nodes.math_block)}
        app.mathml = translated(found)
    return []


def inline(self, node: nodes.math) -> None:
    self.body.append(self.builder.app.mathml[node.astext(), False])
    raise nodes.SkipNode


def block(self, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math"))
    self.body.append(self.builder.app.mathml[node.astext(), True] + "</div>\n")
    raise nodes.SkipNode


def still(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Replaces what a script would draw, and drops what only a browser uses."""
    if app.builder.name != "epub":
        return
    for raw in list(doctree.findall(nodes.raw)):
        text = raw.astext()
        if "<script" in text or "<iframe" in text:
            raw.replace_self([] if "claim-facts" in text else nodes.paragraph("", MOVES))
        elif "<details" in text and "cite" in text:
            raw.parent.remove(raw)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    app.connect("env-updated", collect)
    app.connect("doctree-resolved", still)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
