"""Sphinx extension: the scripts that pages need come with the book, which can thus be read without a network.

MathJax lies in book/assets/mathjax. Plotly's script is the one that the installed package carries, which its
figures are made for; pages with a plotly figure load it, and no others. Jupyter Book always adds sphinx-thebe
and its address of a network; the book has no use for it and drops it. The notebooks' Colab badge is a picture
from a network, as Colab and GitHub want it; the book shows its words.
"""

from importlib.util import find_spec
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.transforms import SphinxTransform

SCRIPT = "plotly.min.js"


def copy_plotly(app: Sphinx, config: Config) -> None:
    """Has Sphinx copy plotly's script into the book; raises ExtensionError if plotly is not installed."""
    package = find_spec("plotly")
    if package is None:
        raise ExtensionError("the book needs the package plotly: install requirements.txt")
    config.html_static_path.append(str(Path(package.origin).parent / "package_data" / SCRIPT))


def load_plotly(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document
) -> None:
    """Adds plotly's script to a page whose outputs call it."""
    if doctree and any("Plotly.newPlot" in raw.astext() for raw in doctree.findall(nodes.raw)):
        app.add_js_file(SCRIPT)


def drop_thebe(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document) -> None:
    """Removes the scripts of sphinx-thebe, by file name or by what they set."""
    context["script_files"] = [
        script
        for script in context["script_files"]
        if "thebe" not in f"{script.filename} {script.attributes.get('body', '')}"
    ]


def drop_thebe_settings(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Removes the settings that sphinx-thebe appends to every page."""
    for raw in list(doctree.findall(nodes.raw)):
        if "x-thebe-config" in raw.astext() or raw.astext().startswith("<script>kernelName"):
            raw.parent.remove(raw)


class RemotePictures(SphinxTransform):
    """Replaces a picture that a page would fetch from a network by the words that describe it."""

    default_priority = 100  # before Sphinx collects pictures

    def apply(self) -> None:
        for image in list(self.document.findall(nodes.image)):
            if "://" in image["uri"]:
                words = image.get("alt") or image["uri"]
                image.replace_self(nodes.inline("", words, classes=["remote-picture"]))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(RemotePictures)
    app.connect("config-inited", copy_plotly)
    app.connect("doctree-resolved", drop_thebe_settings, priority=900)
    app.connect("html-page-context", load_plotly)
    app.connect("html-page-context", drop_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
