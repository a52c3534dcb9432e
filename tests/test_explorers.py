"""The explorers: their scripts, in a browser, give the package's numbers, and their controls act."""

import json
import sys

import pytest
from built_book import ROOT
from explorer_page import CHROMIUM, FOLDER, run

sys.path.insert(0, str(ROOT / "book" / "tools"))

import explorer_numbers
from explorers import EXPLORERS, PLACES, card

pytestmark = pytest.mark.book
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: nothing can run the scripts")

NAMES = sorted(EXPLORERS)


def table(name: str) -> list:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["rows"]


def close(found, expected, rel, abs=0.0) -> None:
    """Equal up to rounding, entry by entry; words and None exactly."""
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        if isinstance(b, float):
            assert a == pytest.approx(b, rel=rel, abs=abs), (found, expected)
        else:
            assert a == b, (found, expected)


@pytest.mark.parametrize("name", NAMES)
def test_table_is_what_the_package_computes(name):
    written = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    again = json.loads(json.dumps(explorer_numbers.WRITERS[name]()))
    assert written["head"] == again["head"]
    assert len(written["rows"]) == len(again["rows"]) > 3
    for found, expected in zip(written["rows"], again["rows"], strict=True):
        close(found, expected, rel=1e-9, abs=1e-12)


def test_every_explorer_has_a_place():
    assert {place.name for place in PLACES} == set(EXPLORERS) == set(explorer_numbers.WRITERS)


@in_browser
def test_phase_plane(tmp_path):
    rows = table("phase_plane")
    script = f"""
      const rows = {json.dumps(rows)};
      return rows.map(([activation, sigma_w, sigma_b]) => {{
        const n = plot.numbers({{activation, sigma_w, sigma_b, c: -0.5}});
        return [activation, sigma_w, sigma_b, n.phase, n.q, n.chi ?? null, n.limit ?? null, n.scale ?? null];
      }});"""
    for found, expected in zip(run("phase_plane", tmp_path, script), rows, strict=True):
        if expected[3] == "unbounded":
            assert found[3] == "unbounded"
        else:
            close(found, expected, rel=1e-5, abs=1e-9)


@in_browser
def test_controls_of_the_phase_plane(tmp_path):
    script = """
      const look = () => [said(), root.querySelector("figure:last-child .line.c4")?.getAttribute("d")];
      const seen = [look()];
      set("sigma_w", 0.8); seen.push(look());
      root.querySelector("button").click(); seen.push(look());
      const plane = root.querySelector("svg.pick"), box = plane.getBoundingClientRect();
      const place = {clientX: box.left + 0.9 * box.width, clientY: box.top + 0.5 * box.height};
      plane.dispatchEvent(new MouseEvent("click", place));
      seen.push(look());
      set("activation", "ReLU"); seen.push(look());
      return seen;"""
    words, paths = zip(*run("phase_plane", tmp_path, script), strict=True)
    starts = ("Chaotic", "Ordered", "Edge of chaos", "Chaotic", "The variance grows")
    for word, start in zip(words, starts, strict=True):
        assert word.startswith(start)
    assert len(set(paths)) == 5  # each move draws another path; without a limit there is none


@in_browser
@pytest.mark.parametrize("name", NAMES)
def test_explorer_is_accessible(tmp_path, name):
    """Each control has a label, the read-out is live, pictures have titles, the table is folded but there."""
    script = """
      const inputs = [...root.querySelectorAll("input, select")];
      return {
        unnamed: inputs.filter(input => !input.labels[0]?.textContent.trim()).map(input => input.name),
        silent: inputs.filter(i => i.type === "range" && !i.getAttribute("aria-valuetext")).map(i => i.name),
        live: root.querySelector("[aria-live=polite]").textContent,
        titles: [...root.querySelectorAll("figure > svg > title")].map(title => title.textContent),
        rows: root.querySelectorAll("details:not([open]) tbody tr").length,
        broken: root.querySelectorAll("path[d*=NaN], circle[cx=NaN], circle[cy=NaN]").length,
      };"""
    seen = run(name, tmp_path, script)
    assert not seen["unnamed"] + seen["silent"]
    assert len(seen["live"]) > 20
    assert seen["titles"]
    assert all(seen["titles"])
    assert seen["rows"] == len(table(name))
    assert seen["broken"] == 0


def test_without_the_script_the_table_is_open():
    for name in NAMES:
        assert "<details open>" in card(name).astext()
