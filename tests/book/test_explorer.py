"""The phase explorer of chapter 9: what it embeds is what the package computes, and its controls draw."""

import html
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from built_book import ROOT

from ntk_helpers import activations
from ntk_helpers.kernels import depth_profile
from ntk_helpers.mean_field import (
    chi,
    correlation_fixed_point,
    edge_of_chaos,
    fixed_point,
    phase,
)

pytestmark = [pytest.mark.book, pytest.mark.slow("runs the explorers in a browser")]

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PHASES = ("ordered", "critical", "chaotic")


@pytest.fixture(scope="module")
def output() -> str:
    """The explorer's HTML, as the executed notebook holds it."""
    notebook = json.loads((ROOT / "notebooks" / "09_phases.ipynb").read_text(encoding="utf-8"))
    outputs = [
        "".join(output["data"]["text/html"])
        for cell in notebook["cells"]
        for output in cell.get("outputs", ())
        if "text/html" in output.get("data", {})
    ]
    (found,) = [text for text in outputs if 'id="phase-explorer"' in text]
    return found


@pytest.fixture(scope="module")
def data(output) -> dict:
    return json.loads(re.search(r'\("phase-explorer", (\{.*\}), \d+\);\n</script>', output)[1])


def state(data, name, sigma_w, sigma_b) -> dict:
    """The grid point of an activation; sigma_w = "edge" is the last one of the row."""
    entry = next(entry for entry in data["activations"] if entry["name"] == name)
    row = entry["points"][data["sigma_b"].index(sigma_b)]
    numbers = row[-1 if sigma_w == "edge" else data["sigma_w"].index(sigma_w)]
    names = ("chi", "phase", "q", "c", "slope")
    kernels = 5 + len(data["c"])
    half = kernels + len(data["depths"])
    assert len(numbers) == half + len(data["depths"])
    return dict(zip(names, numbers[:5], strict=True)) | {
        "map": np.array(numbers[5:kernels]) / 1e4,
        "diagonal": np.array(numbers[kernels:half]),
        "off": np.array(numbers[half:]),
    }


def test_explorer_script_is_the_one_of_the_book(output):
    script = (ROOT / "book" / "assets" / "explorer.js").read_text(encoding="utf-8").rstrip()
    assert script in output, "execute chapter 9 again: its explorer is not book/assets/explorer.js"


@pytest.mark.parametrize(
    ("name", "sigma_w", "sigma_b", "expected"),
    [
        ("tanh", 0.9, 0.2, "ordered"),
        ("tanh", 2.0, 0.2, "chaotic"),
        ("elu", 1.3, 0.8, "ordered"),
        ("elu", "edge", 0.2, "critical"),
        ("sigmoid", "edge", 0.0, "critical"),
        ("softplus", 1.2, 1.0, "ordered"),
    ],
)
def test_explorer_data_agree_with_the_package(data, name, sigma_w, sigma_b, expected):
    shown = state(data, name, sigma_w, sigma_b)
    if sigma_w == "edge":
        sigma_w = edge_of_chaos(name, sigma_b=sigma_b).sigma_w
    q = fixed_point(name, sigma_w=sigma_w, sigma_b=sigma_b)
    # on the edge chi_1 is 1 up to rounding, on either side
    critical = expected == "critical"
    c_limit, slope = (
        (1, 1) if critical else correlation_fixed_point(name, sigma_w=sigma_w, sigma_b=sigma_b)[::2]
    )
    assert PHASES[shown["phase"]] == expected == phase(name, sigma_w=sigma_w, sigma_b=sigma_b)
    # four significant digits are embedded, three of the kernels
    four, three = 5.1e-4, 5.1e-3
    assert shown["q"] == pytest.approx(q, rel=four)
    assert shown["chi"] == pytest.approx(chi(name, sigma_w=sigma_w, q=q), rel=four)
    assert shown["c"] == pytest.approx(c_limit, rel=four)
    assert shown["slope"] == pytest.approx(slope, rel=four)
    assert (shown["slope"] == 1) == critical
    c = np.cos(np.linspace(np.pi, 0, len(data["c"])))
    assert data["c"] == pytest.approx(c, abs=5.1e-4)
    product = activations.get(name).moments(q, q, 1 - c)[0]
    assert shown["map"] == pytest.approx((sigma_b**2 + sigma_w**2 * product) / q, abs=5.1e-5 + 1e-8)
    profile = depth_profile(data["depths"], activation=name, sigma_w=sigma_w, sigma_b=sigma_b, c1=0.5)
    scale = np.array(data["depths"]) * profile.q[:, 0]
    assert shown["diagonal"] == pytest.approx(profile.ntk_diagonal[:, 0] / scale, rel=three)
    assert shown["off"] == pytest.approx(profile.ntk / scale, rel=three)


def test_explorer_says_where_there_is_no_edge(data):
    edges = {entry["name"]: entry["edge"] for entry in data["activations"]}
    assert set(edges["softplus"]) == {None}
    assert edges["relu"] == [pytest.approx(2**0.5, rel=1e-4)] + [None] * (len(data["sigma_b"]) - 1)
    assert None not in edges["sigmoid"] + edges["tanh"]
    # SiLU without bias: the variance leaves the edge
    assert PHASES[state(data, "silu", "edge", 0.0)["phase"]] == "chaotic"


HARNESS = """<!doctype html><meta charset="utf-8"><body>{output}<pre id="result"></pre><script>
const root = document.getElementById("phase-explorer"), seen = [];
function look() {{
  const curve = (name) => root.querySelector(`[data-curve="${{name}}"]`).getAttribute("d");
  seen.push([root.querySelector("[role=status]").textContent, curve("map"), curve("diagonal")]);
}}
function set(name, value) {{
  const control = root.querySelector(`[name="${{name}}"]`);
  if (control.type === "checkbox") control.checked = value; else control.value = value;
  control.dispatchEvent(new Event("input", {{bubbles: true}}));
  look();
}}
look(); set("sigma_w", {chaotic}); set("edge", true); set("activation", {sigmoid}); set("edge", false);
document.getElementById("result").textContent = JSON.stringify(seen);
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_explorer_draws_when_a_control_moves(output, data, tmp_path):
    names = [entry["name"] for entry in data["activations"]]
    page = tmp_path / "page.html"
    values = {"chaotic": data["sigma_w"].index(2.0), "sigmoid": names.index("sigmoid")}
    page.write_text(HARNESS.format(output=output, **values), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
    options += ["--disable-background-networking", "--disable-component-update", "--virtual-time-budget=5000"]
    command = [CHROMIUM, *options, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120).stdout
    seen = json.loads(html.unescape(re.search(r'<pre id="result">(.*?)</pre>', dom, re.DOTALL)[1]))
    sentences, maps, kernels = zip(*seen, strict=True)
    words = ("ordered phase", "chaotic phase", "edge of chaos", "edge of chaos", "ordered phase")
    for sentence, start in zip(sentences, words, strict=True):
        assert sentence.startswith(start)
    # each move draws new curves
    assert len(set(maps)) == len(set(kernels)) == 5
    # the controls are native and labelled, so that the keyboard and a screen reader reach them
    for kind in ('type="range"', 'type="checkbox"', "<select"):
        assert re.search(rf"<label[^>]*>(?:(?!</label>).)*{re.escape(kind)}", dom, re.DOTALL)
