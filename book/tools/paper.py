"""The built pages on paper: a PDF of each page and of the whole book.

    python book/tools/paper.py _build/html [NAME ...]       writes _build/html/pdf/*.pdf; NAMEs choose pages

Chromium prints what a reader's browser would print. Links to other pages lead to the published site.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urljoin

import yaml
from pypdf import PdfReader, PdfWriter

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "book" / "ext"))

from box_grammar import toc_pages  # noqa: E402

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--allow-file-access-from-files",
    "--virtual-time-budget=600000",
    "--window-size=760,1000",  # the text is then as wide as on a sheet, and formulas are broken for it
    "--no-pdf-header-footer",
)
TYPESET = '<script>addEventListener("load", () => draw([...waiting]));</script>'  # of page.js
_LINK = re.compile(r'(<a\b[^>]*\bhref=")(?!#|[a-z]+:)([^"]*)')


def browser() -> str:
    """The path of a chromium; raises FileNotFoundError where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise FileNotFoundError(f"printing needs one of {', '.join(NAMES)}: install chromium")
    return found


def printable(text: str, address: str) -> str:
    """The page with every formula typeset as it loads, and links as seen from its published address."""
    text = text.replace("</head>", f"{TYPESET}</head>", 1)
    return _LINK.sub(lambda match: match[1] + urljoin(address, match[2]), text)


def print_page(page: Path, address: str, target: Path) -> None:
    """Prints a built page to the file `target`."""
    copy = page.with_name(f"printing-{page.name}")  # beside it, for its pictures and scripts
    copy.write_text(printable(page.read_text(encoding="utf-8"), address), encoding="utf-8")
    try:
        with tempfile.TemporaryDirectory() as profile:
            options = [*OPTIONS, f"--user-data-dir={profile}", f"--print-to-pdf={target}"]
            command = [browser(), *options, copy.resolve().as_uri()]
            done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    finally:
        copy.unlink()
    if done.returncode or not target.is_file():
        raise RuntimeError(f"chromium did not print {page}:\n{done.stderr}")


def printed(html: Path, name: str) -> Path:
    """Where the PDF of a page goes."""
    return html / "pdf" / f"{Path(name).stem}.pdf"


def bind(files: dict[Path, str], target: Path) -> None:
    """One file of all, with their titles as its outline."""
    writer = PdfWriter()
    for path, title in files.items():
        writer.append(PdfReader(path), outline_item=title)
    writer.compress_identical_objects()
    writer.write(target)


def title_of(page: Path) -> str:
    found = re.search(r'<meta property="og:title" content="([^"]*)"', page.read_text(encoding="utf-8"))
    return found[1].replace("&amp;", "&").replace("&#x27;", "'") if found else page.stem


def main(arguments: list[str]) -> int:
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    html, chosen = Path(arguments[0]), arguments[1:]
    base = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["html"]["baseurl"]
    folder = html / "pdf"
    folder.mkdir(exist_ok=True)
    files = {}
    for name in toc_pages(ROOT):
        page = (html / name).with_suffix(".html")
        if chosen and page.stem not in chosen:
            continue
        target = printed(html, name)
        print_page(page, urljoin(base, page.relative_to(html).as_posix()), target)
        files[target] = title_of(page)
        print(f"printed {target}", flush=True)
    if not chosen:
        bind(files, folder / "ntk-book.pdf")
        print(f"printed {folder / 'ntk-book.pdf'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
