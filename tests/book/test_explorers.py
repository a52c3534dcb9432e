"""The explorers: their scripts, in a browser, give the package's numbers, and their controls act."""

import json
import math
import sys

import numpy as np
import pytest
from built_book import ROOT
from explorer_page import CHROMIUM, FOLDER, run
from scipy.optimize import brentq

sys.path.insert(0, str(ROOT / "book" / "tools"))

import explorer_numbers
from explorers import EXPLORERS, PLACES, card

pytestmark = [pytest.mark.book, pytest.mark.slow("runs the explorers in a browser")]
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


@pytest.mark.parametrize("name", ["catapult", "phase_plane", "scatter", "sgd"])
def test_table_is_what_the_package_computes(name):
    written = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    again = json.loads(json.dumps(explorer_numbers.WRITERS[name]()))
    assert written["head"] == again["head"]
    assert len(written["rows"]) == len(again["rows"]) > 3
    for found, expected in zip(written["rows"], again["rows"], strict=True):
        close(found, expected, rel=1e-8, abs=2e-11)  # rounded to eleven decimals


@pytest.mark.parametrize("name", ["relu", "tanh", "elu"])
def test_table_of_the_edge_is_what_the_package_computes(name):
    """To 3,000 layers; the rest takes minutes."""
    data = json.loads((FOLDER / "edge.json").read_text(encoding="utf-8"))["data"]
    again = explorer_numbers.curve(name, 0.5, deepest=3000)
    written = data["curves"][explorer_numbers.NAMES.get(name, name)][data["c"].index(0.5)]
    assert len(again) > 25
    close(written[: len(again)], again, rel=2e-6, abs=1e-12)  # six digits are written


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


@in_browser
def test_catapult(tmp_path):
    """The map of the plane against gradient descent on all weights."""
    rows = table("catapult")
    script = f"""
      const rows = {json.dumps(rows)};
      return rows.map(([mark, width, steps]) => {{
        const {{loss, curvature}} = plot.numbers({{mark, width, steps}});
        const top = Math.max(...loss);
        return [mark, width, steps, loss.indexOf(top), top, loss.at(-1), curvature.at(-1)];
      }});"""
    for found, expected in zip(run("catapult", tmp_path, script), rows, strict=True):
        # where the loss is tiny, the weights hold fewer digits of it
        close(found[:5], expected[:5], rel=1e-8)
        close(found[5:], expected[5:], rel=1e-6, abs=1e-15 * expected[4])


@in_browser
def test_edge(tmp_path):
    rows = table("edge")
    script = f"""
      const rows = {json.dumps(rows)};
      return rows.map(([activation, c]) => {{
        const found = plot.numbers({{activation, c: data.c.indexOf(c)}}, data);
        const at = (depth) => found.error.find(point => point[0] === depth)[1];
        const [, slope] = found.slopes[data.depths.indexOf(10000)];
        return [activation, c, at(100), at(10000), at(1000000), slope];
      }});"""
    for found, expected in zip(run("edge", tmp_path, script), rows, strict=True):
        close(found, expected, rel=1e-9)


@in_browser
def test_sgd(tmp_path):
    rows = table("sgd")
    script = f"""
      const rows = {json.dumps(rows)};
      return rows.map(([r, size, share]) => {{
        const n = plot.numbers({{r, size, share, hessian: 1}});
        return [r, size, share, n.limit, n.sgd[60], n.sde[60], n.printed[20], n.corrected[20]];
      }});"""
    for found, expected in zip(run("sgd", tmp_path, script), rows, strict=True):
        close(found[:4], expected[:4], rel=1e-6)  # the threshold, and with it the rate of 60 steps
        close(found[4:], expected[4:], rel=2e-4, abs=1e-9)


@in_browser
def test_scatter(tmp_path):
    rows = table("scatter")
    script = f"""
      const rows = {json.dumps(rows)};
      return rows.map(([network, depth, width]) =>
        [network, depth, width, plot.numbers({{depth, width}})[network]]);"""
    for found, expected in zip(run("scatter", tmp_path, script), rows, strict=True):
        close([*found[:3], float(found[3])], expected, rel=1e-9, abs=1e-11)


def chapter_spectrum():
    """The function of chapter 3."""
    notebook = json.loads((ROOT / "notebooks" / "03_dynamical_isometry.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"]]
    (source,) = [source for source in cells if source.startswith("def jacobian_spectrum(")]
    names = {"np": np, "math": math, "brentq": brentq}
    exec(source, names)
    return names["jacobian_spectrum"]


@in_browser
def test_spectrum(tmp_path):
    """The curve against the chapter's function, largest values in closed form, and networks of width 300."""
    stored = json.loads((FOLDER / "spectrum.json").read_text(encoding="utf-8"))
    script = f"""
      const rows = {json.dumps(stored["rows"])};
      return rows.map(([network, weights, depth]) => plot.numbers({{network, depth}}, data)[weights]);"""
    spectrum, seen = chapter_spectrum(), 0
    z = np.linspace(0, 6, 100)  # the nodes of the script; the smallest values depend on them
    p = np.exp(-(z**2) / 2) / (1 + (z == 0))
    for found, (network, weights, L, *measured) in zip(
        run("spectrum", tmp_path, script), stored["rows"], strict=True
    ):
        if found is None:
            assert (network, weights) == ("linear", "orthogonal")
            assert measured == pytest.approx([1, 1, 1])
            continue
        given = stored["data"][network]
        law = {
            "linear": (np.ones(1), np.ones(1)),
            "ReLU": (np.array([0.0, 1.0]), np.array([0.5, 0.5])),
            "tanh": (np.cosh(math.sqrt(given["q"]) * z) ** -4.0, p / p.sum()),
        }[given["activation"]]
        log_x, density, share = spectrum(law, L, given["sigma_w"], weights, points=len(found))
        ours = np.array(found)
        seen_there = log_x > -60  # singular values above 1e-13; below them both have lost their digits
        assert ours[seen_there, 0] == pytest.approx(log_x[seen_there], rel=1e-6, abs=1e-6)
        assert ours[:, 1] == pytest.approx(density, abs=1e-6 * density.max())
        top = {("linear", "gaussian"): (L + 1) ** (L + 1) / L**L}
        top["ReLU", "orthogonal"] = 2 * (L - 1) * ((L - 1) / (L - 2)) ** (L - 2)
        if (network, weights) in top:
            assert math.exp(found[-1][0]) == pytest.approx(top[network, weights], rel=1e-9)
            seen += 1
        # One network's scale is off by half a percent at this width: 0.013 of the narrow spectra.
        first = 1 if network == "ReLU" else 0  # half of its singular values are zero
        below = np.interp(2 * np.log(measured[first:]), log_x, share)
        assert below == pytest.approx(np.array([0.5, 0.75, 0.95])[first:], abs=0.02)
    assert seen == 4
