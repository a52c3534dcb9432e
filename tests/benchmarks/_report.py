"""What the benchmarks share: timing in turn, the machine's description, and results as JSON and Markdown."""

import datetime
import importlib.metadata
import itertools
import json
import os
import platform
import time
from pathlib import Path

import jax

from ntk_helpers._compilation import usable_cores

RESULTS = Path(__file__).with_name("results")
PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "neural-tangents")


def best_times(contenders, *, turns=3, seconds=0.4):
    """Seconds of the fastest run of each: {name: function} to {name: seconds}.

    The contenders take turns, so that a busy spell of the machine does not fall on one of them, and each turn
    lasts `seconds` at least: equal time for the quick and the slow. A first run of each, which compiles, is
    not counted.
    """
    for function in contenders.values():
        jax.block_until_ready(function())
    best = dict.fromkeys(contenders, float("inf"))
    for _, (name, function) in itertools.product(range(turns), contenders.items()):
        begun = now = time.perf_counter()
        while now < begun + seconds:
            start = now
            jax.block_until_ready(function())
            now = time.perf_counter()
            best[name] = min(best[name], now - start)
    return best


def environment():
    """Date, machine and package versions, as a dictionary of text and numbers."""
    return {
        "date": datetime.date.today().isoformat(),
        "device": f"{jax.default_backend()}: {jax.devices()[0].device_kind}, {usable_cores()} cores",
        "processor": _processor(),
        "load_before": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def write(name, *, title, environment, notes, rows):
    """Write results/NAME.json and results/NAME.md from rows, dictionaries with the same keys."""
    RESULTS.mkdir(exist_ok=True)
    document = {"title": title, "environment": environment, "notes": notes, "rows": rows}
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")
    packages = ", ".join(f"{package} {version}" for package, version in environment["packages"].items())
    machine = f"{environment['date']}; {environment['device']} ({environment['processor']}); load average "
    machine += f"{environment['load_before']} when it began; Python {environment['python']}, {packages}."
    columns = list(rows[0])
    table = [columns, ["---"] * len(columns), *([_cell(row[column]) for column in columns] for row in rows)]
    lines = [f"# {title}", "", machine, "", *notes, "", *(f"| {' | '.join(line)} |" for line in table)]
    (RESULTS / f"{name}.md").write_text("\n".join(lines) + "\n")


def _cell(value):
    return f"{value:.3g}" if isinstance(value, float) else "" if value is None else str(value)


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
