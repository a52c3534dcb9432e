"""What a notebook reads besides its own code makes it run again.

The cache of executed notebooks compares their code alone. So this extension keeps, beside the cache, the
checksums of what they read, and takes out of the cache before a build what is no longer true:

* all notebooks where the package or the lock changed;
* where a file of results changed, the notebooks that name it. A file that none of them names may be read
  under a name that is put together, and counts for all.
"""

import hashlib
import json
import shutil
from pathlib import Path

from jupyter_cache import get_cache

SHARED, RESULTS = ("ntk_helpers/**/*.py", "requirements.txt"), ("notebooks/results/**/*.json",)
RECORD = "what_was_read.json"


def checksums(root: Path, patterns) -> dict[str, str]:
    """The checksum of each file under `root` that a pattern describes."""
    files = sorted({path for pattern in patterns for path in root.glob(pattern)})
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def changed(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """The files that came, went or changed."""
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def forget(folder: Path, root: Path) -> None:
    """Take out of the cache in `folder` what changed files under `root` have made untrue."""
    record = folder / RECORD
    now = {"shared": checksums(root, SHARED), "results": checksums(root, RESULTS)}
    if folder.is_dir():
        before = json.loads(record.read_text()) if record.is_file() else {"shared": {}, "results": {}}
        results = changed(before["results"], now["results"])
        if before["shared"] != now["shared"] or not take_out_readers(folder, results):
            shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(now, indent=1))


def take_out_readers(folder: Path, results: list[str]) -> bool:
    """Take out the notebooks that name these files of results; False where one of the files is not named."""
    if not results:
        return True
    cache = get_cache(folder)
    sources = {
        entry.pk: "".join(cell.source for cell in cache.get_cache_bundle(entry.pk).nb.cells)
        for entry in cache.list_cache_records()
    }
    readers = {
        name: [pk for pk, text in sources.items() if Path(name).name.split(".")[0] in text]
        for name in results
    }
    if not all(readers.values()):
        return False
    for pk in {pk for pks in readers.values() for pk in pks}:
        cache.remove_cache(pk)
    return True


def before_the_build(app):
    """Only where Sphinx is to use the cache."""
    if app.config.nb_execution_mode == "cache":
        folder = app.config.nb_execution_cache_path or Path(app.outdir).parent / ".jupyter_cache"
        forget(Path(folder), Path(app.srcdir))


def setup(app):
    """Registers the extension."""
    app.connect("builder-inited", before_the_build)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
