"""Sphinx extension: a figure of a chapter on another page, taken from the notebook's outputs.

    ```{chapter-figure} fig-2-3
    Two panels: errors that fall with the width, and their ratio.
    ```

The argument is the anchor of the figure's caption, the content a short text for those who cannot see the
picture. The picture links to its place in the chapter. No copy of it can grow old. The option `thumbnail`
makes it small.
"""

import base64
import json
import os
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from sphinx.application import Sphinx


def output(notebook: dict, anchor: str) -> dict:
    """The output whose PNG the caption with this anchor follows; ValueError if there is none."""
    for cell, after in zip(notebook["cells"], notebook["cells"][1:], strict=False):
        if f'<a id="{anchor}"></a>' in "".join(after["source"]):
            for found in cell.get("outputs", []):
                if "image/png" in found.get("data", {}):
                    return found
    raise ValueError(f"no picture stands before a caption with the anchor {anchor!r}")


def picture(notebook: dict, anchor: str) -> bytes:
    """That PNG."""
    return base64.b64decode(output(notebook, anchor)["data"]["image/png"])


def chapter(folder: Path, anchor: str) -> Path:
    """The notebook of the chapter that an anchor like fig-2-3 names."""
    parts = sorted(folder.glob(f"{int(anchor.split('-')[1]):02d}*.ipynb"))
    return next((path for path in parts if f'<a id=\\"{anchor}\\"></a>' in path.read_text("utf-8")), parts[0])


class ChapterFigure(Directive):
    """The picture of a chapter, linked to its place."""

    required_arguments = 1
    has_content = True
    option_spec = {"thumbnail": directives.flag}  # noqa: RUF012  (docutils' own form)

    def run(self) -> list[nodes.Node]:
        env = self.state.document.settings.env
        anchor, source = self.arguments[0], Path(env.srcdir)
        path = chapter(source / "notebooks", anchor)
        env.note_dependency(str(path))
        folder = Path(env.app.outdir).parent / "chapter_figures"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{anchor}.png"
        notebook = json.loads(path.read_text(encoding="utf-8"))
        file.write_bytes(picture(notebook, anchor))
        uri = "/" + Path(os.path.relpath(file, source)).as_posix()
        image = nodes.image(uri=uri, alt=" ".join(self.content))
        # A picture has more dots than the page has pixels for it.
        if width := output(notebook, anchor)["metadata"].get("image/png", {}).get("width"):
            image["width"] = f"{width}px"
        here = Path(env.doc2path(env.docname)).parent
        suffix = getattr(env.app.builder, "out_suffix", ".html")  # .xhtml in the EPUB
        page = Path(os.path.relpath(path.with_suffix(suffix), here)).as_posix()
        link = nodes.reference("", "", image, refuri=f"{page}#{anchor}", internal=False)
        classes = ["thumbnail"] if "thumbnail" in self.options else []
        return [nodes.paragraph("", "", link, classes=classes)]


def setup(app: Sphinx) -> dict:
    app.add_directive("chapter-figure", ChapterFigure)
    return {"version": "1", "parallel_read_safe": True}
