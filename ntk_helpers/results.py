"""What the long runs wrote: `ntk_helpers.experiments` writes, this reads."""

import json
from pathlib import Path
from typing import NamedTuple

#: Where the chapters find the results: beside them.
FOLDER = Path("results")


class Results(NamedTuple):
    """The result of one experiment at one scale.

    Attributes
    ----------
    settings : the settings of the run, as in its `Experiment.scales`.
    records : the slices in order; each a dictionary of "slice", "result", "seconds", ...
    environments : the machines, with date and versions; `record["environment"]` counts them.
    command, data : the command that made it, and where each data set came from.
    """

    settings: dict
    records: list
    environments: list
    command: str
    data: dict

    @property
    def rows(self) -> list[dict]:
        """One dictionary for each row of a slice's result, or for the whole of it, with the slice's keys."""
        return [
            record["slice"] | row
            for record in self.records
            for row in record["result"].get("rows", [record["result"]])
        ]

    @property
    def minutes(self) -> float:
        """How long the slices took together."""
        return sum(record["seconds"] for record in self.records) / 60

    @property
    def provenance(self) -> str:
        """Where the numbers come from, in one line."""
        machine = self.environments[0]
        packages = ", ".join(f"{name} {machine['packages'][name]}" for name in ("jax", "numpy"))
        data = "".join(f"; {text}" for text in self.data.values())
        return f"{self.command}; {machine['date']}; {machine['device']}; {packages}{data}"


def load(name: str, scale: str = "paper", *, folder=FOLDER) -> Results:
    """Read the result of an experiment.

    Parameters
    ----------
    name : the experiment's name.
    scale : the scale that was run.
    folder : where the results are kept.

    Returns
    -------
    Results

    Raises
    ------
    ValueError
        If there is no such result; the message has the command that makes it.
    """
    file = Path(folder) / (f"{name}.json" if scale == "paper" else f"{name}.{scale}.json")
    if not file.exists():
        raise ValueError(
            f"name and scale must be those of a result in {str(folder)!r}, got {name!r} and {scale!r}: run "
            f"python -m ntk_helpers.experiments {name} --scale {scale}"
        )
    found = json.loads(file.read_text(encoding="utf-8"))
    return Results(*(found[field] for field in Results._fields))


def published(name: str, *, folder=FOLDER) -> dict:
    """Read `folder`/published/`name`.json: numbers that the authors published, or read off a figure.

    Parameters
    ----------
    name, folder : as in `load`.

    Returns
    -------
    dict
    """
    return json.loads((Path(folder) / "published" / f"{name}.json").read_text(encoding="utf-8"))
