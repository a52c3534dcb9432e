"""Building the book, and what can be wrong with a built page. Used by test_boxes.py and test_book.py."""

import posixpath
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup, NavigableString

ROOT = Path(__file__).parents[1]


def configuration() -> dict:
    """The book's _config.yml, changed to build from the notebooks' outputs, wherever it is read."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    config["execute"] = {"execute_notebooks": "off"}
    config["html"]["favicon"] = str(ROOT / config["html"]["favicon"])
    config["logo"] = str(ROOT / config["logo"])
    settings = config["sphinx"]["config"]
    settings["templates_path"] = [str(ROOT / path) for path in settings["templates_path"]]
    extensions = config["sphinx"]["local_extensions"]
    config["sphinx"]["local_extensions"] = {name: str(ROOT / path) for name, path in extensions.items()}
    return config


def build(source: Path, config: dict, output: Path) -> subprocess.CompletedProcess:
    """Runs jupyter-book on the folder `source`, warnings as errors; the pages go to output/_build/html."""
    output.mkdir(parents=True, exist_ok=True)
    settings = output / "_config.yml"
    settings.write_text(yaml.safe_dump(config), encoding="utf-8")
    program = Path(sys.executable).with_name("jupyter-book")
    options = ["-W", "--keep-going", "-n", "--all", "--config", settings, "--path-output", output]
    return subprocess.run(
        [program, "build", *options, source], capture_output=True, text=True, encoding="utf-8"
    )


def read_pages(html: Path) -> dict[str, BeautifulSoup]:
    """Every page under the folder `html`, by its path relative to it."""
    return {
        path.relative_to(html).as_posix(): BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in sorted(html.rglob("*.html"))
        if "_static" not in path.parts
    }


# ---- what a page refers to

_LOADING = {
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "image": "href",
    "img": "src",
    "input": "src",
    "link": "href",
    "object": "data",
    "script": "src",
    "source": "src",
    "track": "src",
    "use": "href",
    "video": "src",
}
_CDN = re.compile(r"\b(?:unpkg|jsdelivr|cdnjs|googleapis|gstatic|mybinder|cdn)\.[a-z]")
_CSS_URL = re.compile(r"""(?:url\(\s*|@import\s+)["']?(?P<url>[^"')\s;]+)""")


def is_remote(url: str) -> bool:
    return bool(urlsplit(url).netloc)


def network_loads(page: BeautifulSoup) -> Iterator[str]:
    """What the page would fetch from a network by itself; links to click are not meant."""
    for name, attribute in _LOADING.items():
        for element in page.find_all(name):
            if "canonical" in element.get("rel", ()):
                continue  # says where the page stands, and loads nothing
            urls = [element.get(attribute, ""), *re.split(r"[,\s]+", element.get("srcset", ""))]
            yield from (f"<{name}> {url}" for url in urls if is_remote(url))
    styles = [style.get_text() for style in page.find_all("style")]
    styles += [element["style"] for element in page.find_all(style=True)]
    for style in styles:
        yield from css_loads(style)
    for script in page.find_all("script", src=False):
        yield from (f"<script> ... {match[0]}" for match in _CDN.finditer(script.get_text()))


def css_loads(style: str) -> list[str]:
    """What a style sheet would fetch from a network."""
    return [f"style {match['url']}" for match in _CSS_URL.finditer(style) if is_remote(match["url"])]


def broken_links(pages: Mapping[str, BeautifulSoup], html: Path) -> Iterator[str]:
    """Links, pictures and scripts of the pages that lead to no file or to no anchor of the book."""
    anchors = {
        name: {element["id"] for element in page.find_all(id=True)}
        | {a["name"] for a in page.find_all("a", {"name": True})}
        for name, page in pages.items()
    }
    for name, page in pages.items():
        for element in page.find_all(["a", *_LOADING]):
            url = urlsplit(element.get("href") or element.get(_LOADING.get(element.name, "href")) or "")
            published = url.path.startswith("/")  # an address of the published site: in 404.html alone
            if (
                (published and name == "404.html")
                or url.scheme
                or url.netloc
                or not (url.path or url.fragment)
            ):
                continue
            target = (
                posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(url.path)))
                if url.path
                else name
            )
            if not (html / target).is_file():
                yield f"{name}: {url.geturl()} leads to no file"
            elif url.fragment and target in anchors and unquote(url.fragment) not in anchors[target]:
                yield f"{name}: {url.geturl()} leads to no anchor"


# ---- what a page shows

_LEAKS = {
    "a directive": re.compile(r":::|```|^\{[a-z:-]+\}", re.MULTILINE),
    "a role": re.compile(r"\{[a-z:]+\}`"),
    "Markdown emphasis": re.compile(r"\*\*"),
    "a link": re.compile(r"\]\([#\w./-]+\)"),
    "mathematics": re.compile(r"\$|\\\(|\\\[|\\begin\{"),
}
_VERBATIM = ("pre", "code", "script", "style", "math", "svg")


_OTHER = {"math", "cell_output", "sig"}  # `sig`: the signatures of the API page


def prose(page: BeautifulSoup) -> str:
    """The text of the page's article without code, signatures, outputs and mathematics."""

    def shown(node) -> Iterator[str]:
        for child in node.children:
            if isinstance(child, NavigableString):
                yield str(child)
            elif child.name not in _VERBATIM and not _OTHER & set(child.get("class", [])):
                yield from shown(child)

    article = page.find("article")
    return "".join(shown(article)) if article else ""


def leaks(page: BeautifulSoup) -> Iterator[str]:
    """Source that shows through in the text of a page, and errors that docutils writes into it."""
    text = prose(page)
    for what, pattern in _LEAKS.items():
        if match := pattern.search(text):
            yield f"{what} shows as text: ...{text[max(0, match.start() - 40) : match.end() + 40]}..."
    for element in page.select(".problematic, .system-message"):
        yield f"an error of the builder shows: {element.get_text()}"


def repeated_anchors(page: BeautifulSoup) -> list[str]:
    """Anchors that stand more than once in the page's article."""
    article = page.find("article")
    anchors = [element["id"] for element in article.find_all(id=True)] if article else []
    return sorted({anchor for anchor in anchors if anchors.count(anchor) > 1})


def formulas(page: BeautifulSoup) -> set[tuple[str, bool]]:
    """The TeX of the page, each with whether it is displayed."""
    found = set()
    for element in page.select("span.math, div.math"):
        text = element.get_text().strip()
        display = element.name == "div"
        found.add((re.sub(r"^\\[(\[]|\\[)\]]$", "", text), display))
    return found


if __name__ == "__main__":  # python tests/built_book.py OUT
    done = build(ROOT, configuration(), Path(sys.argv[1]))
    print(done.stdout, done.stderr, sep="\n")
    sys.exit(done.returncode)
