"""The pages in a real browser, wide and narrow: no formula is cut, and nothing is wider than the screen."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from built_book import ROOT, build, configuration

pytestmark = pytest.mark.book

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--allow-file-access-from-files",
    "--virtual-time-budget=600000",
)
# A frame of the screen's width shows the page; every formula is typeset; then boxes are measured, in pixels.
MEASURE = """
<!DOCTYPE html><meta charset="utf-8"><body>waiting</body>
<script>
const frame = document.createElement("iframe");
frame.style = "border: 0; height: 900px; width: %(width)dpx";
frame.onload = async () => {
    const view = frame.contentWindow, page = view.document;
    while (!view.MathJax?.startup?.promise) await new Promise(done => setTimeout(done, 20));
    await view.MathJax.startup.promise;
    await view.MathJax.startup.document.lazyTypesetAll();
    await new Promise(done => setTimeout(done, 200));
    const seen = [...page.querySelectorAll("article mjx-container")].filter(box => box.offsetParent);
    const name = box => box.closest("[id]")?.id ?? "";
    const wide = box => box.scrollWidth > box.clientWidth + 2;
    const over = box => {
        const around = box.closest("p, li, td, th, dd, summary, div");
        const parent = box.parentElement;
        const hidden = view.getComputedStyle(parent).overflowX != "visible" && wide(parent);
        return hidden || box.getBoundingClientRect().right > around.getBoundingClientRect().right + 2;
    };
    const display = seen.filter(box => box.getAttribute("display") == "true");
    const inline = seen.filter(box => box.getAttribute("display") != "true" && !box.closest("table"));
    document.body.textContent = JSON.stringify({
        typeset: seen.length,
        scrolling: display.filter(wide).map(name),
        cut: inline.filter(over).map(box => `${name(box)}: ${box.textContent.slice(0, 40)}`),
        page: page.documentElement.scrollWidth - view.innerWidth,
    });
};
frame.src = %(page)s;
document.body.append(frame);
</script>
"""


@pytest.fixture(scope="module")
def html(tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("built")
    run = build(ROOT, configuration(), output)
    assert run.returncode == 0, run.stdout + run.stderr
    return output / "_build" / "html"


def measured(page: Path, width: int, folder: Path) -> dict:
    """What a screen of `width` pixels shows of `page`: formulas that scroll or are cut, and its overflow."""
    harness = folder / "screen.html"
    harness.write_text(MEASURE % {"width": width, "page": json.dumps(page.as_uri())}, encoding="utf-8")
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", harness.as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300)
    return json.loads(BeautifulSoup(run.stdout, "html.parser").body.get_text())


# Pages with the longest formulas. On a phone a few displays of aligned lines scroll, number and all.
SCREENS = [
    ("02_tangent_kernel", 1400, 0),
    ("01_gaussian_processes", 1400, 0),
    ("11_on_the_edge", 1100, 0),
    ("07_squared_loss", 390, 5),
    ("11_on_the_edge", 390, 5),
]


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: nothing can show the pages")
@pytest.mark.parametrize(("name", "width", "scrolling"), SCREENS)
def test_no_formula_is_cut(html, tmp_path, name, width, scrolling):
    seen = measured(html / "notebooks" / f"{name}.html", width, tmp_path)
    assert seen["typeset"] > 50
    assert not seen["cut"], "\n".join(seen["cut"])
    assert len(seen["scrolling"]) <= scrolling, seen["scrolling"]
    assert seen["page"] <= 0


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: nothing can show the pages")
def test_a_formula_that_is_cut_is_seen(html, tmp_path):
    page = html / "notebooks" / "07_squared_loss.html"
    broken = html / "notebooks" / "broken.html"
    style = "<style>article p { max-width: 60px } article span.math { white-space: nowrap }</style></head>"
    text = page.read_text(encoding="utf-8").replace("</head>", style)
    broken.write_text(
        text.replace('"displayOverflow": "linebreak"', '"displayOverflow": "overflow"'), encoding="utf-8"
    )
    seen = measured(broken, 390, tmp_path)
    broken.unlink()
    assert seen["cut"]
    assert len(seen["scrolling"]) > 10
