"""Execute notebooks in place and keep only what a reader or a test needs.

    python book/tools/execute.py notebooks/02_tangent_kernel.ipynb ...

Each notebook runs top to bottom in a fresh kernel, in its own folder. Times, widget states and
interpreter details are dropped, so that running an unchanged notebook again changes no text.
"""

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

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
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k == "tags"})
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    nbformat.validate(notebook)
    draft = path.with_suffix(".ipynb.part")
    nbformat.write(notebook, draft)
    os.replace(draft, path)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for name in sys.argv[1:]:
        execute(Path(name))
        print(f"executed {name}")
