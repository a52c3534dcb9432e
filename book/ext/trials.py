"""What each assertion was tried with: its mutants and their outcomes, its power, and the balls of a claim.

    python -m book.ext.ledger --audit        the ledger's weakest points first

book/mutants.yml declares the mutants and the power, book/mutants.csv has the outcomes (book/tools/mutants.py
writes it), book/certified.csv the balls (tests/certified/constants.py writes it).
"""

import csv
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import yaml
from ledger import OPEN, Ledger

MUTANTS, OUTCOMES, BALLS = "mutants.yml", "mutants.csv", "certified.csv"


class Trial(NamedTuple):
    """A wrong theory, whether the assertion rejects it and by how much; `survives` says why it does not."""

    mutant: str
    caught: bool
    margin: str
    survives: str | None


class Record(NamedTuple):
    """The trials of one assertion; `power` is the smallest deviation that it sees with 95 % probability."""

    trials: tuple[Trial, ...]
    power: str | None


class Ball(NamedTuple):
    """A constant, enclosed: the true value is within `radius` of `middle`."""

    symbol: str
    middle: str
    radius: str


def load_records(book: Path) -> dict[str, Record]:
    """The records by assertion; empty for a book without mutants."""
    if not (book / MUTANTS).is_file() or not (book / OUTCOMES).is_file():
        return {}
    with open(book / OUTCOMES, encoding="utf-8", newline="") as file:
        outcomes = {(row["assertion"], row["mutant"]): row for row in csv.DictReader(file)}
    declared = yaml.safe_load((book / MUTANTS).read_text(encoding="utf-8"))
    return {name: _record(name, entries, outcomes) for name, entries in declared.items()}


def _record(name: str, entries: list[dict], outcomes: dict) -> Record:
    trials = [
        Trial(entry["what"], row["outcome"] == "caught", row["margin"], entry.get("survives"))
        for entry in entries
        if "what" in entry and (row := outcomes.get((name, entry["what"])))
    ]
    power = next((entry["power"] for entry in entries if "power" in entry), None)
    return Record(tuple(trials), power)


def load_balls(book: Path) -> dict[str, list[Ball]]:
    """The balls by the claim or assertion in which their decimals stand."""
    if not (book / BALLS).is_file():
        return {}
    balls = {}
    with open(book / BALLS, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for place in row["places"].split():
                balls.setdefault(place, []).append(Ball(row["symbol"], row["middle"], row["radius"]))
    return balls


def words(record: Record | None) -> str:
    """The record as Markdown, for the line of its assertion."""
    if record is None:
        return ""
    caught = "; ".join(trial.mutant for trial in record.trials if trial.caught)
    text = f" *Rejects:* {plain_text(caught)}." if caught else ""
    text += "".join(
        f" *Lets pass:* {plain_text(trial.mutant)}; {trial.survives}."
        for trial in record.trials
        if not trial.caught
    )
    if record.power:
        text += f" *Would see* (95 %): {record.power}."
    return text


def plain_text(text: str) -> str:
    """Letters as they are: what Markdown or TeX would take for its own is escaped."""
    return re.sub(r"([\\`*_{}\[\]<>|$^~])", r"\\\1", text)


def audit(ledger: Ledger, records: dict[str, Record]) -> list[str]:
    """A line for each open claim, then one for each assertion, the weakest first."""
    lines = [f"open      {claim.id}: {claim.title}" for claim in ledger.claims if claim.verdict == OPEN]
    names = {a.name for claim in ledger.claims for a in claim.assertions}
    scored = sorted((_weakness(records.get(name)), name) for name in names)
    for (kind, factor), name in scored:
        record = records.get(name)
        power = f"; would see {record.power}" if record and record.power else ""
        margin = "" if math.isinf(factor) else f"smallest margin {factor:.3g}"
        lines.append(f"{_KINDS[kind]:9} {name}: {margin}{power}")
    return lines


_KINDS = ("untried", "survived", "random", "exact")


def _weakness(record: Record | None) -> tuple[int, float]:
    """A number that is small for the weak, and the smallest factor by which a mutant was rejected."""
    if record is None or not record.trials:
        return 0, 0.0
    factors = [_factor(trial.margin) for trial in record.trials if trial.caught]
    smallest = min(factors, default=0.0)
    if not all(trial.caught for trial in record.trials):
        return 1, smallest
    return (2 if record.power else 3), smallest


def _factor(margin: str) -> float:
    found = re.search(r"by a factor (\S+)", margin)
    return float(found[1]) if found else float("inf")


def count(records: Iterable[Record]) -> tuple[int, int]:
    """How many mutants were caught, and how many there are."""
    trials = [trial for record in records for trial in record.trials]
    return sum(trial.caught for trial in trials), len(trials)
