"""Writes the numbers of the explorers, book/assets/explorers/NAME.json, from ntk_helpers.

python book/tools/explorer_numbers.py [NAME ...]

A file holds a caption and a table (head, rows), which the page shows when the script does not run, and which
the tests compare with the script; and data, where the script draws from a table.
"""

import json
import sys
from pathlib import Path

from ntk_helpers import mean_field

FOLDER = Path(__file__).parents[1] / "assets" / "explorers"
STATES = [
    ("tanh", 0.9, 0.2),
    ("tanh", None, 0.2),
    ("tanh", 2.0, 0.2),
    ("tanh", 2.0, 0.05),
    ("tanh", 3.0, 0.9),
    ("erf", 0.7, 0.3),
    ("erf", None, 0.2),
    ("erf", 2.5, 0.3),
    ("relu", 1.0, 0.5),
    ("relu", None, 0.0),
    ("relu", 1.6, 0.2),
    ("elu", 1.0, 0.4),
    ("elu", None, 0.2),
    ("elu", 1.35, 0.1),
]
NAMES = {"relu": "ReLU", "elu": "ELU"}


def phase_plane() -> dict:
    """States of the phase plane; sigma_w None is the edge."""
    head = ("activation", "σ_w", "σ_b", "phase", "q", "χ₁", "limit of c", "ξ in layers")
    return {
        "caption": "States of the phase plane, computed by the package",
        "head": head,
        "rows": [state(*given) for given in STATES],
    }


def state(name: str, sigma_w: float | None, sigma_b: float) -> list:
    edge = sigma_w is None
    if edge:
        sigma_w = float(mean_field.edge_of_chaos(name, sigma_b=sigma_b).sigma_w)
    start = [NAMES.get(name, name), sigma_w, sigma_b]
    try:
        q = (
            1.0
            if edge and name == "relu"
            else float(mean_field.fixed_point(name, sigma_w=sigma_w, sigma_b=sigma_b))
        )
    except ValueError:  # the variance has no limit
        return [*start, "unbounded", None, None, None, None]
    phase, chi = (
        mean_field.phase(name, sigma_w=sigma_w, sigma_b=sigma_b),
        float(mean_field.chi(name, sigma_w=sigma_w, q=q)),
    )
    if phase == "critical":
        return [*start, phase, q, chi, 1.0, None]
    limit = float(mean_field.correlation_fixed_point(name, sigma_w=sigma_w, sigma_b=sigma_b)[0])
    scale = float(mean_field.depth_scales(name, sigma_w=sigma_w, sigma_b=sigma_b).xi_c)
    return [*start, phase, q, chi, limit, scale]


WRITERS = {"phase_plane": phase_plane}

if __name__ == "__main__":
    for name in sys.argv[1:] or WRITERS:
        text = json.dumps(WRITERS[name](), ensure_ascii=False, indent=1)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")
