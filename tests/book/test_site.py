"""What publishes the book and tells programs of it: workflows, addresses, claims.json, texts without TeX."""

import copy
import json
import math
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml
from built_book import ROOT

sys.path.insert(0, str(ROOT / "book" / "ext"))
sys.path.insert(0, str(ROOT / "book" / "tools"))
sys.path.insert(0, str(ROOT / "tests" / "environments"))

import address
import api_docs
import benchmarks
import claims_export
import colab_now
import epub
import ledger
import mathml
import pages
import paper
import trials
from plain_math import plain, without_tex

pytestmark = pytest.mark.book

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"(?m)^([\w./-]+):(?!=)", (ROOT / "Makefile").read_text(encoding="utf-8")))


# ---- workflows


def read(path) -> dict:
    """A workflow; YAML takes the key `on` for true."""
    return {"on" if k is True else k: v for k, v in yaml.safe_load(path.read_text(encoding="utf-8")).items()}


@pytest.fixture(scope="module")
def schema() -> dict:
    return json.loads((ROOT / "tests" / "schemas" / "github-workflow.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_keeps_to_its_schema(path, schema):
    jsonschema.validate(read(path), schema)


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w.pop("on"),
        lambda w: w["jobs"]["test"].pop("runs-on"),
        lambda w: w["jobs"]["test"]["steps"].append({"runs": "make test"}),
        lambda w: w["permissions"].update(contents="all"),
    ],
)
def test_a_broken_workflow_is_seen(change, schema):
    workflow = copy.deepcopy(read(ROOT / ".github" / "workflows" / "test.yml"))
    change(workflow)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(workflow, schema)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_make_targets_that_exist(path):
    called = []
    for job in read(path)["jobs"].values():
        rows = job.get("strategy", {}).get("matrix", {}).get("include", [])
        for step in job["steps"]:
            for words in re.findall(r"^make (.*)$", step.get("run", ""), re.MULTILINE):
                called += [row["target"] for row in rows] if "matrix.target" in words else words.split()
    assert set(called) <= TARGETS
    assert called or path.name != "test.yml"


def test_readers_find_an_environment():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert container["image"]
    assert re.findall(r"make (\S+)", container["postCreateCommand"]) == [".venv/.installed"]
    binder = (ROOT / ".binder" / "postBuild").read_text(encoding="utf-8")
    assert "--no-deps -r requirements.txt" in binder
    assert (ROOT / ".binder" / "runtime.txt").read_text(encoding="utf-8").startswith("python-3.")


def test_colab_is_brought_up_to_date():
    before = (ROOT / "tests" / "environments" / "colab.txt").read_text(encoding="utf-8")
    listed = re.findall(r"(?m)^([\w.-]+)==", before)
    after = colab_now.renewed(before, "\n".join(f"{name}==99.0" for name in listed))
    assert "jax==99.0" in after
    assert re.search(r"(?m)^diffrax==0\.", after)  # not Colab's: the set-up cell brings it
    with pytest.raises(ValueError, match="no jax"):
        colab_now.renewed(before, "numpy==2.0")


# ---- addresses


def test_one_command_gives_the_book_its_address():
    before = (ROOT / "_config.yml").read_text(encoding="utf-8")
    site = address.site_of("https://github.com/Some-One/book.git")
    assert site == "https://some-one.github.io/book/"
    config = yaml.safe_load(address.configured(before, "https://github.com/Some-One/book", site))
    assert config["repository"]["url"] == "https://github.com/Some-One/book"
    assert config["html"]["baseurl"] == site
    assert address.configured(before, *addresses(before)) == before


def addresses(config: str) -> tuple[str, str]:
    read = yaml.safe_load(config)
    return read["repository"]["url"], read["html"]["baseurl"]


@pytest.mark.parametrize("url", ["http://github.com/a/b", "github.com/a/b", "https://a.org/b c"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ValueError, match=r"url is"):
        address.configured("  url: x\n  baseurl: y\n", url, "https://a.org/")
    with pytest.raises(ValueError, match="no site is known"):
        address.site_of("https://gitlab.com/a/b")


def test_links_of_a_printed_page_lead_to_the_site():
    page = '<a href="../book/claims.html#claim-O1">x</a><a href="#thm-1">y</a><a href="https://a.org">z</a>'
    printed = paper.printable(page, "https://site.org/book/notebooks/01_x.html")
    assert 'href="https://site.org/book/book/claims.html#claim-O1"' in printed
    assert printed.endswith('<a href="#thm-1">y</a><a href="https://a.org">z</a>')


def test_the_footer_leads_to_the_other_forms_where_they_are_published():
    base = "https://site.org/book/"
    links = re.findall('href="([^"]*)"', pages.footer("Version 1", base, "notebooks/01_x"))
    assert links == [f"{base}pdf/01_x.pdf", f"{base}pdf/ntk-book.pdf", f"{base}ntk-book.epub"]
    # the names that the tools give these files
    assert paper.printed(Path("html"), "notebooks/01_x.ipynb") == Path("html/pdf/01_x.pdf")
    assert pages.footer("Version 1", "", "x") == '<p class="version">Version 1</p>'


# ---- claims.json


@pytest.fixture(scope="module")
def exported() -> dict:
    chapters = [f"notebooks/{path.stem}" for path in (ROOT / "notebooks").glob("*.ipynb")]
    book = ROOT / "book"
    evidence = trials.load_records(book), trials.load_balls(book)
    return claims_export.document(
        ledger.load(book / "claims.yml"), chapters, "1.0", "https://site.org/book/", *evidence
    )


def test_the_export_has_the_evidence(exported):
    assertions = {a["name"]: a for claim in exported["claims"] for a in claim["assertions"]}
    assert assertions["O5-scatter"]["power"] == "the variance off by 4 %"
    found = assertions["S-Lemma1-gradient"]["mutants"]
    assert {trial["mutant"] for trial in found if trial["caught"]} >= {"1/(2e) off by 0.1%"}
    (elu,) = (claim for claim in exported["claims"] if claim["id"] == "S-EOC-elu")
    assert any(ball["middle"].startswith("1.2292511") for ball in elu["balls"])


@pytest.fixture(scope="module")
def claims_schema() -> dict:
    return json.loads((ROOT / "book" / "claims.schema.json").read_text(encoding="utf-8"))


def test_the_export_keeps_to_its_schema(exported, claims_schema):
    content = json.loads(json.dumps(exported))
    jsonschema.validate(content, claims_schema)
    listed = ledger.load(ROOT / "book" / "claims.yml").claims
    assert [claim["id"] for claim in content["claims"]] == [claim.id for claim in listed]
    urls = {claim["url"] for claim in content["claims"]}
    assert len(urls) == len(listed)
    assert "https://site.org/book/book/claims.html#claim-S-Lemma1" in urls
    evidence = [a for claim in content["claims"] for a in claim["assertions"]]
    assert all(
        re.fullmatch(r"https://site\.org/book/notebooks/\w+\.html#assertion-[\w-]+", a["url"])
        for a in evidence
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.pop("verdict"),
        lambda c: c.update(verdict="true"),
        lambda c: c.update(chapter="5"),
        lambda c: c.update(note="x"),
        lambda c: c["assertions"].append({"name": "x"}),
    ],
)
def test_a_broken_export_is_seen(change, exported, claims_schema):
    content = json.loads(json.dumps(exported))
    change(content["claims"][0])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, claims_schema)


def test_each_claim_has_a_bibtex_entry_that_can_be_read(exported):
    from pybtex.database import parse_string

    entries = "\n".join(claim["bibtex"] for claim in exported["claims"])
    read = parse_string(entries, "bibtex").entries
    assert len(read) == len(exported["claims"])
    entry = read["ntk-book:S-Lemma1"].fields
    assert entry["url"] == "https://site.org/book/book/claims.html#claim-S-Lemma1"
    assert entry["note"].startswith("Verdict: ")


# ---- formulas as text


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"40/\lambda_{\max}", "40/λ_max"),
        (r"n^{-1/2}", "n^(-1/2)"),
        (r"\sigma_w = \sqrt 2", "σ_w = √2"),
        (r"\tfrac{1}{2}\hat\theta_k", "1/2θ_k"),
        (r"\sqrt{\frac{2}{\pi}}", "√(2/π)"),
        (r"\lVert x \rVert \le \eta\, C", "| x | ≤ η C"),
        (r"\begin{equation*} a = b \tag{1.2} \end{equation*}", "a = b"),
    ],
)
def test_a_formula_as_text(tex, text):
    assert plain(tex) == text


def test_figures_are_described_without_tex():
    captions = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            captions += re.findall(r"(?m)^\*((?:Figure|Table) .*)\*$", "".join(cell["source"]))
    assert captions
    left = [text for caption in captions if re.search(r"[\\${}]", text := without_tex(caption))]
    assert not left, left


# ---- the page on performance


def results(name: str) -> dict:
    return json.loads((ROOT / benchmarks.RESULTS / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(benchmarks.SHOWN))
def test_results_are_shown_in_words(name):
    shown = "\n".join(benchmarks.markdown(results(name), benchmarks.SHOWN[name]))
    assert not re.findall(r"\w*_\w*", shown.replace("sigma_w", "").replace("sigma_b", ""))
    assert f"```{{benchmark}} {name}\n" in (ROOT / "book" / "performance.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(benchmarks.SHOWN))
def test_a_chart_has_a_mark_where_each_number_is(name):
    given, shown = results(name)["rows"], benchmarks.SHOWN[name]
    for chart in shown.charts:
        drawn = ET.fromstring(benchmarks.drawn(chart, given, shown.case))
        svg = drawn.find("{*}svg")
        marks = [float(mark.get("x").rstrip("%")) for mark in svg.findall("{*}svg")]
        numbers = [math.log10(row[n]) for row in given for n in reversed(chart.contenders) if row[n]]
        assert len(marks) == len(numbers)
        # equal factors are equal distances, and every mark is within the frame
        slope, start = np.polyfit(numbers, marks, 1)
        assert slope > 0
        assert max(abs(slope * x + start - mark) for x, mark in zip(numbers, marks, strict=True)) < 0.02
        assert 0 < min(marks) <= max(marks) < 100


def test_ticks_are_in_units_that_one_says():
    seconds = benchmarks.Chart("", {}, 1.0)
    assert [benchmarks.tick(power, seconds) for power in (-5, -3, -1, 0, 2)] == [
        "10 µs",
        "1 ms",
        "100 ms",
        "1 s",
        "100 s",
    ]
    assert benchmarks.tick(4, seconds._replace(unit=None)) == "10,000"


# ---- the EPUB


def test_a_page_of_the_epub_is_xml_without_what_needs_a_browser():
    page = (
        '<html><head><link rel="stylesheet" href="../_static/theme.css"/>'
        '<link rel="stylesheet" href="../_static/boxes.css"/></head><body>'
        '<details><summary aria-label="x">\n<p class="a">Show</p><p class="b">Hide</p></summary>'
        'a</details><a class="x" href="../_downloads/1/claims.yml">y</a>'
        '<a href="../_static/quizzes.html">z</a>'
        '<table border="1"><tr align="right"><td>1<br>2</td></tr>'
        "</table><script>go()</script></body></html>"
    )
    cleaned = epub.cleaned(page)
    assert ET.fromstring(cleaned).tag == "html"
    assert "boxes.css" in cleaned
    assert "<summary>Show</summary>" in cleaned
    for gone in ("script", "theme.css", "_downloads", "quizzes.html", "border", "align", "Hide"):
        assert gone not in cleaned, gone


def test_the_epub_lists_its_pages_in_the_order_of_its_contents():
    names = ("nav.xhtml", "book/intro.xhtml", "notebooks/01_x.xhtml", "genindex.xhtml", "_static/theme.html")
    items = "".join(f'<item id="{name[:4].strip(".")}" href="{name}"/>' for name in names)
    opf = (
        f'<package xmlns="{epub.OPF}"><manifest>{items}</manifest>'
        '<spine toc="ncx"><itemref idref="gone"/></spine></package>'
    )
    pages = dict.fromkeys(names[:4], "<p/>") | {"notebooks/01_x.xhtml": '<math xmlns="x"/>'}
    nav = '<link href="x"/><nav><a href="notebooks/01_x.xhtml#a"/><a href="book/intro.xhtml"/></nav>'
    tree = ET.fromstring(epub.contents(opf, nav, pages))
    manifest, spine = tree.find("{*}manifest"), tree.find("{*}spine")
    held = {item.get("href"): item.get("properties") for item in manifest}
    assert held == dict.fromkeys(names[:4]) | {"notebooks/01_x.xhtml": "mathml"}
    order = [(item.get("idref"), item.get("linear")) for item in spine]
    assert order == [("note", None), ("book", None), ("geni", "no")]
    assert spine.get("toc") == "ncx"


def test_mathml_is_stripped_of_what_only_mathjax_reads():
    given = '<math xmlns="x">\n  <mi data-latex="a" mathvariant="script">A</mi>\n</math>'
    assert mathml.tidy(given) == '<math xmlns="x"><mi mathvariant="script">A</mi></math>'


def test_a_parameter_of_two_lines_is_shown_whole():
    """What stands behind the colon is a meaning, which may go on in the next line, and no type."""
    lines = [
        "Parameters",
        "----------",
        "x1, x2 : (n, d) inputs,",
        "    one a row.",
        "",
        "Notes",
        "-----",
        "a : b",
    ]
    shown = ["Parameters", "----------", "x1, x2", "    (n, d) inputs,", "    one a row.", *lines[4:]]
    assert api_docs.plain_to_rst(lines) == shown
