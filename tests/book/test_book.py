"""The book as a reader gets it, built from the notebooks' outputs: no warning, no dead link, no network."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from built_book import (
    ROOT,
    broken_links,
    configuration,
    css_loads,
    formulas,
    leaks,
    network_loads,
    read_pages,
    repeated_anchors,
)

sys.path.insert(0, str(ROOT / "book" / "ext"))

import explorers
import run_claim
from box_grammar import check, read_cells, toc_pages
from ledger import read_notebook

pytestmark = [pytest.mark.book, pytest.mark.slow("builds the whole book")]

MATHJAX = ROOT / "book" / "assets" / "mathjax"
UNICODE_LESS = "\\u003c"  # a "<" that cannot end a script
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def html(built) -> Path:
    return built[1]


@pytest.fixture(scope="module")
def pages(html) -> dict[str, BeautifulSoup]:
    return read_pages(html)


# ---- the sources


def test_pages_keep_to_the_grammar():
    problems = check(cell for page in toc_pages(ROOT) for cell in read_cells(ROOT, page))
    assert not problems, "\n".join(map(str, problems))


def test_every_notebook_is_a_page_of_the_book():
    notebooks = {path.relative_to(ROOT).as_posix() for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert notebooks == {page for page in toc_pages(ROOT) if page.endswith(".ipynb")}


def test_every_page_of_the_folder_is_a_page_of_the_book():
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "book").rglob("*.md")}
    assert files == {page for page in toc_pages(ROOT) if page.startswith("book/")}


# Components of the npm packages mathjax and @mathjax/mathjax-tex-font, both 4.1.3: the head of each SHA-256.
MATHJAX_FILES = {
    "a11y/assistive-mml.js": "9c1166c7c2ca2e57d5d25cc3bf71dc53",
    "core.js": "1a3cb32a18199355c67b8f78f57598de",
    "input/tex.js": "0375844c0c9698b3c26bde0c78b5bc62",
    "loader.js": "cf0b9464defa51ae0c53f139a84a5b70",
    "mathjax-tex-font/svg.js": "ed5c78819c63883579fb8a4bcec97a2a",
    "output/svg.js": "6151d21b8205858c103642484f1ca272",
    "startup.js": "13a303eae8790c5c79eddb2afdd3d223",
}


def test_mathjax_is_the_published_files():
    found = {
        path.relative_to(MATHJAX).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:32]
        for path in MATHJAX.rglob("*.js")
    }
    assert found == MATHJAX_FILES
    assert "Apache License" in (MATHJAX / "LICENSE").read_text(encoding="utf-8")


# ---- the build


def test_build_has_no_warning(built):
    run, _ = built
    said = run.stdout + run.stderr
    assert run.returncode == 0, said
    assert "WARNING" not in said, said


def test_every_page_is_built(html):
    wanted = {Path(page).with_suffix(".html").as_posix() for page in toc_pages(ROOT)}
    missing = {page for page in wanted if not (html / page).is_file()}
    assert not missing


def test_no_link_is_broken(pages, html):
    broken = list(broken_links(pages, html))
    assert not broken, "\n".join(broken)


def test_no_page_loads_anything_from_a_network(pages, html):
    loads = [f"{name}: {load}" for name, page in pages.items() for load in network_loads(page)]
    for sheet in html.rglob("*.css"):
        loads += [f"{sheet.name}: {load}" for load in css_loads(sheet.read_text(encoding="utf-8"))]
    assert not loads, "\n".join(loads)


def test_pages_with_mathematics_load_mathjax(pages):
    typeset = {name: page for name, page in pages.items() if formulas(page)}
    assert typeset
    for name, page in typeset.items():
        scripts = [script["src"].partition("?")[0] for script in page.find_all("script", src=True)]
        assert any(src.endswith("_static/mathjax/startup.js") for src in scripts), name


def test_pages_with_a_plotly_figure_load_plotly(pages):
    for name, page in pages.items():
        scripts = [script["src"].partition("?")[0] for script in page.find_all("script", src=True)]
        drawn = any("Plotly.newPlot" in script.get_text() for script in page.find_all("script", src=False))
        assert any(src.endswith("_static/plotly.min.js") for src in scripts) == drawn, name


def test_no_source_shows_through(pages):
    # The words of others (search results, the index) are none of ours.
    found = [f"{name}: {leak}" for name, page in pages.items() for leak in leaks(page)]
    assert not found, "\n".join(found)


def test_anchors_are_unique_in_a_page(pages):
    assert not {name: found for name, page in pages.items() if (found := repeated_anchors(page))}


def test_pictures_are_described(pages):
    silent = [
        f"{name}: {image.get('src')}"
        for name, page in pages.items()
        for image in page.select("article img")
        if not image.get("alt", "").strip()
    ]
    assert not silent, "\n".join(silent)


def test_explorers_and_checks_stand_in_their_pages(pages):
    places = {(place.page, f"explorer-{place.name}") for place in explorers.PLACES}
    found = {
        (name.removesuffix(".html"), card["id"])
        for name, page in pages.items()
        for card in page.select("section.explorer")
    }
    assert found == places
    folds = pages["book/claims.html"].select("details.run-claim")
    assert {fold["id"] for fold in folds} == {f"check-{path.stem}" for path in run_claim.CHECKS.glob("*.py")}
    for fold in folds:  # each in its claim's section
        assert fold.find_parent("section")["id"] == fold["id"].replace("check-", "claim-", 1)


def test_every_verdict_is_shown_and_leads_to_its_claim(pages):
    printed = {
        a.name for path in (ROOT / "notebooks").glob("*.ipynb") for a in read_notebook(path).assertions
    }
    shown = {}
    for name, page in pages.items():
        for line in page.select("p.verdict-line"):
            assertion, claim = line.find_all("a")
            assert assertion["href"] == f"#assertion-{assertion.get_text()}", name
            assert claim["href"].endswith(f"claims.html#claim-{claim.get_text()}"), name
            shown[assertion.get_text()] = name
    assert set(shown) == printed
    boxes = [box for page in pages.values() for box in page.select("div.verdict p.admonition-title")]
    assert boxes
    assert all(box.select('a[href*="claims.html#claim-"]') for box in boxes)


def test_the_anchor_of_a_figure_is_at_the_picture(pages):
    places = [
        element
        for page in pages.values()
        for element in page.select('[id^="fig-"]')
        if element.name == "p" and "caption-text" in element.get("class", [])
    ]
    assert not places, [place["id"] for place in places]


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: nothing can run MathJax")
def test_mathjax_understands_every_formula(pages, html, tmp_path):
    wanted = sorted(set().union(*map(formulas, pages.values())))
    errors = mathjax_errors(wanted, tmp_path)
    assert not errors, "\n".join(errors)


def mathjax_errors(wanted: list[tuple[str, bool]], folder: Path) -> list[str]:
    """What the book's MathJax, in a browser without a network, says of each formula that it cannot read."""
    page = folder / "formulas.html"
    script = """
        MathJax.startup.promise.then(() => {
            const said = formulas.map(([tex, display]) => {
                // An error is a node of its own; a macro that it does not know, MathJax shows in red.
                const error = MathJax.tex2mml(tex, {display}).match(/data-mjx-error="[^"]*"|mathcolor="red"/);
                return error && `${error[0]}: ${tex}`;
            });
            document.body.textContent = JSON.stringify(said.filter(Boolean));
        });
    """
    settings = configuration()["sphinx"]["config"]["mathjax3_config"] | {"startup": {"typeset": False}}
    page.write_text(
        '<!DOCTYPE html><meta charset="utf-8"><body>waiting</body>'
        f"<script>window.MathJax = {json.dumps(settings)};</script>"
        f'<script src="{(MATHJAX / "startup.js").as_uri()}"></script>'
        f"<script>const formulas = {json.dumps(wanted).replace('<', UNICODE_LESS)};{script}</script>",
        encoding="utf-8",
    )
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
    ]
    options += ["--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder / 'profile'}"]
    options += ["--allow-file-access-from-files", "--virtual-time-budget=60000", "--dump-dom", page.as_uri()]
    run = subprocess.run([CHROMIUM, *options], capture_output=True, text=True, encoding="utf-8", timeout=120)
    return json.loads(BeautifulSoup(run.stdout, "html.parser").body.get_text())


# ---- the checks themselves: each must see what it is for


def page_of(body: str, head: str = "") -> BeautifulSoup:
    return BeautifulSoup(
        f"<html><head>{head}</head><body><article>{body}</article></body></html>", "html.parser"
    )


@pytest.mark.parametrize(
    "fragment",
    [
        '<script src="https://unpkg.com/x.js"></script>',
        '<script src="//unpkg.com/x.js"></script>',
        '<link rel="stylesheet" href="https://fonts.googleapis.com/css">',
        '<img src="http://example.org/badge.svg">',
        '<img srcset="a.png 1x, https://example.org/b.png 2x">',
        '<iframe src="https://example.org"></iframe>',
        '<p style="background: url(https://example.org/x.png)">x</p>',
        '<style>@import "https://example.org/x.css";</style>',
        '<script>load("https://cdn.jsdelivr.net/x.js")</script>',
    ],
)
def test_network_loads_sees(fragment):
    assert list(network_loads(page_of(fragment)))


def test_network_loads_admits_links_and_local_files():
    page = page_of('<a href="https://example.org">x</a><img src="../a.png"><script src="a.js?v=1"></script>')
    assert not list(network_loads(page))


def test_broken_links_sees(tmp_path):
    for name in ("a.html", "b.html", "c.png"):
        (tmp_path / name).touch()
    pages = {
        "a.html": page_of(
            '<a href="b.html#here">x</a><a href="#top">x</a><a id="top"></a><img src="c.png">'
            '<a href="b.html#gone">x</a><a href="d.html">x</a><a href="#gone">x</a><img src="e.png">'
            '<a href="https://example.org/#x">x</a>'
        ),
        "b.html": page_of('<p id="here">x</p>'),
    }
    assert [problem.split()[1] for problem in broken_links(pages, tmp_path)] == [
        "b.html#gone",
        "d.html",
        "#gone",
        "e.png",
    ]


@pytest.mark.parametrize(
    "fragment",
    [
        "<p>:::{note}</p>",
        "<p>{prf:theorem} Title</p>",
        "<p>see {ref}`x`</p>",
        "<p>**bold**</p>",
        "<p>[Theorem 2.1](#thm-2-1)</p>",
        "<p>a cost of $x$</p>",
        "<p>\\begin{align}</p>",
        '<span class="problematic">x</span>',
    ],
)
def test_leaks_sees(fragment):
    assert list(leaks(page_of(fragment)))


def test_leaks_admits_code_and_mathematics():
    page = page_of(r'<pre>a ** b $x$</pre><code>**</code><span class="math">\(x\)</span><p>x</p>')
    assert not list(leaks(page))


def test_repeated_anchors_sees():
    assert repeated_anchors(page_of('<p id="a">x</p><p id="a">x</p><p id="b">x</p>')) == ["a"]


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: nothing can run MathJax")
def test_mathjax_errors_sees(tmp_path):
    wanted = [(r"\frac{1}{2} \tag{2.1}", True), (r"\unknownmacro", False), (r"\frac{1}", True)]
    errors = mathjax_errors(wanted, tmp_path)
    assert len(errors) == 2
    assert "unknownmacro" in errors[0]
    assert "Missing argument" in errors[1]
