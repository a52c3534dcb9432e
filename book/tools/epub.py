"""The book as an EPUB, from the outputs that the notebooks carry.

    python book/tools/epub.py OUT        writes OUT/ntk-book.epub

Sphinx writes the book. What a browser needs and a reader of e-books refuses is then taken out: scripts, files
to download, and HTML that is no XML.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]
# What the book does not take along: of the themes' files all but style sheets that it uses.
ABSENT = re.compile(r"_static/(?!(?:epub|boxes|pygments|basic)\.css|file\.png)|_downloads/")
OPF = "http://www.idpf.org/2007/opf"


def settings(static: Path) -> dict:
    """The book's configuration, changed to what an EPUB needs; `static` holds its style sheets."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    config["execute"] = {"execute_notebooks": "off"}
    for only_on_the_web in ("launch_buttons", "logo"):
        config.pop(only_on_the_web, None)
    sphinx = config["sphinx"]
    places = {name: str(ROOT / path) for name, path in sphinx["local_extensions"].items()}
    sphinx["local_extensions"] = places | {"mathml": str(ROOT / "book" / "ext")}
    sphinx["config"] |= {
        "html_math_renderer": "mathml",
        "html_js_files": [],
        "html_static_path": [str(static)],
        "templates_path": [],
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
        "epub_tocscope": "includehidden",
        "epub_description": "Two papers on the neural tangent kernel, reproduced and tested claim by claim.",
        "epub_contributor": config["author"],
    }
    return config


def cleaned(page: str) -> str:
    """A page as XML, without scripts, links to files that are not in the book, and what XHTML forbids."""
    page = re.sub(r"<script\b.*?</script>|<style\b.*?</style>", "", page, flags=re.DOTALL)
    page = re.sub(r'<link\b[^>]*href="([^"]*)"[^>]*>', lambda m: "" if ABSENT.search(m[1]) else m[0], page)
    page = re.sub(r'(<a\b[^>]*?) href="[^"]*(?:_downloads|_static)/[^"]*"', r"\1", page)
    # The words of a fold that a click changes are paragraphs, where only text may stand.
    page = re.sub(
        r'<summary[^>]*>\s*<p class="[^"]*">(.*?)</p>.*?</summary>',
        r"<summary>\1</summary>",
        page,
        flags=re.DOTALL,
    )
    page = page.replace(' role="doc-biblioentry"', "")  # deprecated
    page = re.sub(r'(<table\b[^>]*?) border="\d+"', r"\1", page)
    page = re.sub(r'(<t[dhr]\b[^>]*?) (?:align|valign)="\w+"', r"\1", page)
    try:
        ET.fromstring(page)
    except ET.ParseError:
        head, body = page.split("<body", 1)
        tree = BeautifulSoup(f"<body{body}".replace("</html>", ""), "html.parser")
        page = f"{head}{tree.decode(formatter='minimal')}</html>"
        ET.fromstring(page)
    return page


def contents(opf: str, nav: str, pages: dict[str, str]) -> str:
    """The list of the book's files, made right: what is there, what it holds, and in which order it is read.

    Sphinx finds no chapter that lies in another folder than the first page, and knows of no formulas.
    """
    ET.register_namespace("", OPF)
    ET.register_namespace("dc", "http://purl.org/dc/elements/1.1/")
    tree = ET.fromstring(opf)
    manifest, spine = tree.find(f"{{{OPF}}}manifest"), tree.find(f"{{{OPF}}}spine")
    for item in list(manifest):
        page = pages.get(item.get("href"), "")
        held = [name for name, start in (("mathml", "<math"), ("svg", "<svg")) if start in page]
        if ABSENT.match(item.get("href")):
            manifest.remove(item)
        elif held:
            item.set("properties", " ".join([*item.get("properties", "").split(), *held]))
    ids = {item.get("href"): item.get("id") for item in manifest}
    links = re.findall(r'href="([^"#]+)', nav[nav.index("<nav") :])
    order = [href for href in dict.fromkeys(links) if href in pages]
    for reference in list(spine):
        spine.remove(reference)
    for href in [
        *order,
        *(href for href in pages if href in ids and href not in order and ids[href] != "nav"),
    ]:
        reference = ET.SubElement(spine, f"{{{OPF}}}itemref", idref=ids[href])
        if href not in order:
            reference.set("linear", "no")
    return ET.tostring(tree, encoding="unicode", xml_declaration=True)


def bind(source: Path, target: Path) -> None:
    """Copies the book that Sphinx wrote, page by page cleaned."""
    with zipfile.ZipFile(source) as book:
        files = {name: book.read(name) for name in book.namelist() if not ABSENT.match(name)}
    for name in ("nav.xhtml", "toc.ncx"):  # places as seen from the first page, which is in book/
        files[name] = files[name].replace(b'"book/../', b'"')
    pages = {name: cleaned(data.decode()) for name, data in files.items() if name.endswith(".xhtml")}
    for name, page in pages.items():
        files[name] = page.encode()
    opf = files["content.opf"].decode()
    files["content.opf"] = contents(opf, pages["nav.xhtml"], pages).encode()
    identifier = re.search(r"<dc:identifier[^>]*>([^<]*)<", opf)[1]
    number = re.sub(r'(name="dtb:uid" content=")[^"]*', rf"\g<1>{identifier}", files["toc.ncx"].decode())
    files["toc.ncx"] = number.encode()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as clean:
        for name, data in files.items():
            stored = name == "mimetype"  # must be the first file, and not compressed
            clean.writestr(name, data, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    out = Path(arguments[0])
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        static = folder / "static"
        static.mkdir()
        shutil.copy(ROOT / "book" / "assets" / "boxes.css", static)
        path = folder / "_config.yml"
        path.write_text(yaml.safe_dump(settings(static)), encoding="utf-8")
        program = Path(sys.executable).with_name("jupyter-book")
        options = ["--builder", "custom", "--custom-builder", "epub", "--all", "--keep-going"]
        command = [program, "build", *options, "--config", path, "--path-output", folder, ROOT]
        done = subprocess.run(command, check=False)
        if done.returncode:
            return done.returncode
        (book,) = folder.joinpath("_build", "epub").glob("*.epub")
        bind(book, out / "ntk-book.epub")
    print(f"wrote {out / 'ntk-book.epub'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
