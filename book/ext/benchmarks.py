"""Sphinx extension: the recorded results of a benchmark as charts and a table, in words.

    ```{benchmark} kernels
    ```

The argument names a file of tests/benchmarks/results. The numbers are read where the benchmark wrote them, so
that no copy grows old; how they are shown stands in SHOWN.
"""

import json
import math
import re
from html import escape
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx

SVG = "http://www.w3.org/2000/svg"  # an EPUB wants it said
RESULTS = Path("tests") / "benchmarks" / "results"


class Chart(NamedTuple):
    """A row for each case, with a mark for each contender on a logarithmic axis."""

    title: str
    contenders: dict[str, str]  # column of the results: words; this package first
    unit: float | None  # seconds in the column's unit; None where it counts steps in a second


class Benchmark(NamedTuple):
    case: str  # the words for a row
    columns: dict[str, str]  # column of the results: its heading; columns not named here are not shown
    charts: list[Chart]


SHOWN = {
    "kernels": Benchmark(
        case="{N} inputs, {depth} layers",
        columns={
            "N": "inputs N",
            "depth": "layers L",
            "first call, s": "first call, s",
            "first call, neural-tangents, s": "first call, neural-tangents, s",
            "first call, ratio": "first call, ratio",
            "later, s": "later, s",
            "later, neural-tangents, s": "later, neural-tangents, s",
            "later, ratio": "later, ratio",
        },
        charts=[
            Chart(
                "The first call, with compilation",
                {"first call, s": "this package", "first call, neural-tangents, s": "neural-tangents"},
                1.0,
            ),
            Chart(
                "Later calls",
                {"later, s": "this package", "later, neural-tangents, s": "neural-tangents"},
                1.0,
            ),
        ],
    ),
    "empirical": Benchmark(
        case="{N} inputs, width {n}, {L} layers, {o} outputs",
        columns={
            "N": "inputs N",
            "n": "width n",
            "L": "layers L",
            "o": "outputs o",
            "ours_ms": "this package, ms",
            "jacobian_contraction_ms": "Jacobian contraction, ms",
            "ntk_vector_products_ms": "NTK-vector products, ms",
            "plain_jacobian_ms": "plain Jacobian, ms",
            "best_over_ours": "best of the others over ours",
            "aim": "aim",
            "relative_difference": "largest relative difference",
        },
        charts=[
            Chart(
                "One kernel",
                {
                    "ours_ms": "this package",
                    "jacobian_contraction_ms": "Jacobian contraction",
                    "ntk_vector_products_ms": "NTK-vector products",
                    "plain_jacobian_ms": "plain Jacobian",
                },
                1e-3,
            )
        ],
    ),
    "dynamics": Benchmark(
        case="{N} inputs, batches of {S}, {steps} steps",
        columns={
            "N": "inputs N",
            "steps": "steps",
            "S": "batch S",
            "moments_s": "last step, s",
            "every_step_s": "every step, s",
            "paths_needed": "paths needed",
            "monte_carlo_s": "Monte Carlo, s",
            "monte_carlo_over_moments": "Monte Carlo over last step",
            "pilot_z": "distance of the pilot",
        },
        charts=[
            Chart(
                "Moments of the residual to 1%",
                {
                    "moments_s": "exact, last step",
                    "every_step_s": "exact, every step",
                    "monte_carlo_s": "Monte Carlo",
                },
                1.0,
            )
        ],
    ),
    "training": Benchmark(
        case="{networks} networks, {depth} layers of width {width}, batches of {batch}",
        columns={
            "depth": "layers",
            "width": "width",
            "networks": "networks",
            "steps": "steps",
            "batch": "batch",
            "stack_network_steps_per_s": "stack, steps per second",
            "loop_network_steps_per_s": "loop, steps per second",
            "stack_over_loop": "stack over loop",
            "of_the_product_rate": "share of the product rate",
        },
        charts=[
            Chart(
                "Steps of one network in a second (more is better)",
                {"stack_network_steps_per_s": "stack", "loop_network_steps_per_s": "loop in Python"},
                None,
            )
        ],
    ),
}

# ---- the charts: an SVG without a scale of its own, so that its text is as large on a phone

ROW, EDGE, TOP = 40, 26, 4  # pixels: a row, the axis below them, the space above
LEFT, RIGHT = 6, 94  # per cent of the width between which the axis lies
MARKS = (  # a sign for each contender, so that colour is not all that tells them apart
    "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0",
    "M-4.5,-4.5h9v9h-9z",
    "M0,-6l6,6l-6,6l-6,-6z",
    "M0,-6l6,10h-12z",
)


def measured(row: dict, chart: Chart) -> dict[str, float]:
    """The numbers of the row that the chart shows, times in seconds."""
    unit = 1.0 if chart.unit is None else chart.unit
    return {name: row[name] * unit for name in chart.contenders if row[name] is not None}


def place(value: float, low: int, high: int) -> float:
    """Where on the axis from 10^low to 10^high a value lies, in per cent of the width."""
    return LEFT + (RIGHT - LEFT) * (math.log10(value) - low) / (high - low)


def tick(power: int, chart: Chart) -> str:
    """The label of 10^power."""
    if chart.unit is None:
        return f"{10**power:,}" if power >= 0 else f"{10.0**power:g}"
    name, power = ("s", power) if power >= 0 else ("ms", power + 3) if power >= -3 else ("µs", power + 6)
    return f"{10**power:,} {name}"


def drawn(chart: Chart, rows: list[dict], case: str) -> str:
    """The chart as HTML; rows of which nothing was measured are left out."""
    found = {case.format(**row).replace(" 1 outputs", " 1 output"): measured(row, chart) for row in rows}
    found = {label: numbers for label, numbers in found.items() if numbers}
    values = [value for numbers in found.values() for value in numbers.values()]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    bottom = TOP + ROW * len(found)
    every = 2 if high - low > 4 else 1  # no label runs into the next on a phone
    lines = []
    for power in range(low, high + 1):
        x = f"{place(10.0**power, low, high):.2f}%"
        lines.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP}" y2="{bottom}"/>')
        if (power - low) % every == 0:
            text = tick(power, chart)
            lines.append(f'<text text-anchor="middle" x="{x}" y="{bottom + 18}">{text}</text>')
    for number, (label, numbers) in enumerate(found.items()):
        y = TOP + ROW * number + 28
        places = {name: f"{place(value, low, high):.2f}%" for name, value in numbers.items()}
        lines.append(f'<text x="0" y="{y - 12}">{escape(label)}</text>')
        ends = min(numbers, key=numbers.get), max(numbers, key=numbers.get)
        lines.append(f'<line class="span" x1="{places[ends[0]]}" x2="{places[ends[1]]}" y1="{y}" y2="{y}"/>')
        for name, x in reversed(places.items()):  # this package on top
            which = list(chart.contenders).index(name)
            mark = f'<path class="c{which + 1}" d="{MARKS[which]}"/>'
            lines.append(f'<svg x="{x}" y="{y}" overflow="visible">{mark}</svg>')
    legend = "".join(
        f'<span><svg xmlns="{SVG}" width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true">'
        f'<path class="c{which + 1}" d="{MARKS[which]}"/></svg> {escape(words)}</span>'
        for which, words in enumerate(chart.contenders.values())
    )
    says = f"{chart.title}: {', '.join(chart.contenders.values())}. The table below has the numbers."
    return (
        f'<figure class="benchmark"><figcaption><b>{escape(chart.title)}</b>{legend}</figcaption>'
        f'<svg xmlns="{SVG}" role="img" aria-label="{escape(says)}" width="100%" '
        f'height="{bottom + EDGE}">{"".join(lines)}</svg></figure>'
    )


# ---- the words and the table, as Markdown


def machine(environment: dict) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in environment["packages"].items())
    device = f"{environment['device'].removeprefix('cpu: ')} ({environment['processor']})"
    return (
        f"{environment['date']}; {device}; load average {environment['load_before']} when it began; "
        f"Python {environment['python']}, {packages}."
    )


def in_words(note: str, columns: dict[str, str]) -> str:
    """A line of the notes with the headings of the table for the names of the columns."""
    return re.sub(r"`(\w+)`", lambda m: f"*{columns[m[1]]}*" if m[1] in columns else m[0], note)


def cell(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else "" if value is None else str(value)


def markdown(results: dict, shown: Benchmark) -> list[str]:
    """Machine, notes and table; cases of which nothing was measured are counted."""
    names = [name for chart in shown.charts for name in chart.contenders]
    rows = [row for row in results["rows"] if any(row[name] is not None for name in names)]
    lines = [
        machine(results["environment"]),
        "",
        *(in_words(note, shown.columns) for note in results["notes"]),
    ]
    if left := len(results["rows"]) - len(rows):
        lines += ["", f"{left} of {len(results['rows'])} cases were left out altogether, for these reasons."]
    table = [list(shown.columns.values()), ["---:"] * len(shown.columns)]
    table += [[cell(row[name]) for name in shown.columns] for row in rows]
    return [*lines, "", *(f"| {' | '.join(line)} |" for line in table)]


class Results(Directive):
    """The charts, then the words and the table."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        env = self.state.document.settings.env
        file = Path(env.srcdir) / RESULTS / f"{self.arguments[0]}.json"
        env.note_dependency(str(file))
        results, shown = json.loads(file.read_text(encoding="utf-8")), SHOWN[self.arguments[0]]
        charts = "".join(drawn(chart, results["rows"], shown.case) for chart in shown.charts)
        words = nodes.Element()
        self.state.nested_parse(StringList(markdown(results, shown), str(file)), 0, words)
        return [nodes.raw("", charts, format="html"), *words.children]


def setup(app: Sphinx) -> dict:
    app.add_directive("benchmark", Results)
    return {"version": "1", "parallel_read_safe": True}
