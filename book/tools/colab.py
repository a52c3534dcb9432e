"""Set up Google Colab; the first code cell of each notebook clones the repository and runs this there.

    %run ~/ntk-book/book/tools/colab.py [MODULE ...]

Chapters read notebooks/results, so the notebook works in the checkout's folder notebooks, with ntk_helpers on
the path: there is nothing to build. From the package index come neural-tangents and the one package that it
needs, and for each MODULE named its packages. They come without dependencies, so that jax and numpy stay
Colab's own.
"""

import os
import subprocess
import sys
from pathlib import Path

PACKAGES = ("neural-tangents==0.6.5", "frozendict")
# What importing a module needs more: versions that run on Colab's jax, as in tests/environments/colab.txt.
EXTRA_PACKAGES = {
    "diffrax": (
        "diffrax==0.7.2",
        "equinox==0.13.8",
        "lineax==0.1.0",
        "optimistix==0.1.0",
        "jaxtyping",
        "wadler-lindig",
    )
}


def main(modules: list[str]) -> None:
    """Install what is missing and work in the checkout's folder of notebooks."""
    extra = [package for module in modules for package in EXTRA_PACKAGES[module]]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, *PACKAGES, *extra], check=True)
    root = Path(__file__).resolve().parents[2]
    os.chdir(root / "notebooks")
    sys.path.insert(0, str(root))


if __name__ == "__main__":
    main(sys.argv[1:])
