"""Execute notebooks in place and keep only what a reader or a test needs.

    python book/tools/execute.py notebooks/02_tangent_kernel.ipynb ...

Each notebook runs top to bottom in a fresh kernel, in its own folder. Times, widget states and
interpreter details are dropped, so that running an unchanged notebook again changes no text. Pictures are
written in few bytes.
"""

import base64
import io
import os
import sys
from pathlib import Path

import nbformat
import numpy as np
from nbclient import NotebookClient
from PIL import Image, ImageChops

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def execute(path: Path, timeout: int = 600) -> None:
    """Run the notebook at `path` and write it back, atomically; CellExecutionError at a cell that fails."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        # What a cell prints is one output, however its parts arrived.
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if png := output.get("data", {}).get("image/png"):
                output.data["image/png"] = base64.b64encode(lighter(base64.b64decode(png))).decode()
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k == "tags"})
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    nbformat.validate(notebook)
    draft = path.with_suffix(".ipynb.part")
    nbformat.write(notebook, draft)
    os.replace(draft, path)


def lighter(png: bytes) -> bytes:
    """The same opaque picture in a third of the bytes: 256 colours do for lines and text.

    Where they do not, in a heat map with lines beside it, areas would show steps: it keeps all its colours.
    """
    drawn = Image.open(io.BytesIO(png))
    picture = drawn.convert("RGB")
    few = picture.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    change = np.asarray(ImageChops.difference(picture, few.convert("RGB"))).max(axis=-1)
    seen = np.mean(change > 4) > 0.02  # a change of 4 in 255 is hardly one to the eye
    file = io.BytesIO()
    (picture if seen else few).save(file, "png", optimize=True, dpi=drawn.info.get("dpi"))
    return file.getvalue()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for name in sys.argv[1:]:
        execute(Path(name))
        print(f"executed {name}")
