"""The book as an EPUB, from the outputs that the notebooks carry.

python book/tools/epub.py OUT        writes OUT/ntk-book.epub
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def settings() -> dict:
    """The book's configuration, changed to what an EPUB needs."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    config["execute"] = {"execute_notebooks": "off"}
    sphinx = config["sphinx"]
    places = {name: str(ROOT / path) for name, path in sphinx["local_extensions"].items()}
    sphinx["local_extensions"] = places | {"mathml": str(ROOT / "book" / "ext")}
    sphinx["config"] |= {
        "html_math_renderer": "mathml",
        "html_js_files": [],
        "epub_basename": "ntk-book",
        "epub_title": config["title"],
        "epub_author": config["author"],
        "epub_publisher": config["author"],
        "epub_copyright": config["copyright"],
        "epub_uid": "ntk-book",
        "epub_scheme": "URL",
        "epub_identifier": config["html"]["baseurl"],
        "epub_show_urls": "no",
        "epub_use_index": False,
        "epub_tocdepth": 2,
        "epub_exclude_files": [],
    }
    return config


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    out = Path(arguments[0])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "_config.yml"
        path.write_text(yaml.safe_dump(settings()), encoding="utf-8")
        program = Path(sys.executable).with_name("jupyter-book")
        options = ["--builder", "custom", "--custom-builder", "epub", "--all", "--keep-going"]
        command = [program, "build", *options, "--config", path, "--path-output", folder, ROOT]
        done = subprocess.run(command, check=False)
        if done.returncode:
            return done.returncode
        (book,) = Path(folder, "_build", "epub").glob("*.epub")
        out.mkdir(parents=True, exist_ok=True)
        book.replace(out / "ntk-book.epub")
    print(f"wrote {out / 'ntk-book.epub'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
