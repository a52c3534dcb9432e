"""Fetches Pyodide, Python for the browser, into book/assets/pyodide: what the page needs to run a check.

python book/tools/fetch_pyodide.py

It comes from npm (13 MB unpacked, too much for the repository), is compared with its checksum, and is then
part of the site, which loads nothing from elsewhere. Without npm or a network this says so and leaves the
folder empty: the book is built all the same, and its buttons say that they have no Python. Exits with 1 if
what came is not what was expected.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "pyodide@314.0.7"
SHA512 = (
    "d18bd7c4485f11da4b7dbfd790cd8114078c44eab488c517d9bcf31fda4eb6dc"
    "8c716930abe1db139bb2b860fcd8b37bcb6abe48dbe2ffa579244b0e943d91d4"
)
FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json", "python_stdlib.zip")
TARGET = Path(__file__).parents[1] / "assets" / "pyodide"


def fetch(target: Path = TARGET) -> str:
    """Fills `target`; returns "" or the reason why there is nothing. Raises ValueError for a wrong file."""
    if shutil.which("npm") is None:
        return "npm is not installed"
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", PACKAGE, "--silent", "--pack-destination", folder]
        run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300)
        packed = next(Path(folder).glob("*.tgz"), None)
        if run.returncode or packed is None:
            return f"npm could not fetch {PACKAGE}: {run.stderr.strip()[:200]}"
        unpack(packed, target)
    return ""


def unpack(packed: Path, target: Path) -> None:
    """Takes the files that the page needs out of the package, if it is the expected one."""
    found = hashlib.sha512(packed.read_bytes()).hexdigest()
    if found != SHA512:
        raise ValueError(f"{packed.name} has the SHA-512 {found}, not {SHA512}: it is not {PACKAGE}")
    target.mkdir(parents=True, exist_ok=True)
    with tarfile.open(packed) as archive:
        for name in FILES:
            (target / name).write_bytes(archive.extractfile(f"package/{name}").read())


if __name__ == "__main__":
    try:
        problem = fetch()
    except (ValueError, subprocess.TimeoutExpired) as error:
        sys.exit(f"fetch_pyodide.py: {error}")
    if problem:
        print(f"The book will have no Python in its pages: {problem}.", file=sys.stderr)
