"""What each assertion was tried with: its mutants and their outcomes, its power, and the balls of a claim.

    python -m book.ext.ledger --audit        the ledger's weakest points first

book/mutants.yml declares the mutants and the power, book/mutants.csv has the outcomes (book/tools/mutants.py
writes it), book/certified.csv the balls (tests/certified/constants.py writes it).
"""

import csv
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
    """The trials of one assertion.

    One about random numbers has its `power`, the smallest deviation that it sees with 95 % probability; one
    without that rejects no error of 0.1 % says in `coarse` why.
    """

    trials: tuple[Trial, ...]
    power: str | None
    coarse: str | None = None


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
    said = {word: entry[word] for entry in entries for word in ("power", "coarse") if word in entry}
    return Record(tuple(trials), said.get("power"), said.get("coarse"))


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
    if record.coarse:
        text += f" *Rejects nothing smaller because* {plain_text(record.coarse)}."
    return text


def plain_text(text: str) -> str:
    """Letters as they are: what Markdown or TeX would take for its own is escaped."""
    return re.sub(r"([\\`*_{}\[\]<>|$^~])", r"\\\1", text)


def audit(ledger: Ledger, records: dict[str, Record], balls: dict[str, list[Ball]]) -> list[str]:
    """A line for each open claim, then one for each assertion, the weakest first.

    Weak is, in this order: an assertion that was never tried; one that let a wrong theory pass; one about
    random numbers, the larger the deviation that it would see; one that rejects no error of 0.1 %;
    the others, by the smallest error that they rejected.
    """
    lines = [f"open      {claim.id}: {claim.title}" for claim in ledger.claims if claim.verdict == OPEN]
    assertions = {a.name: a for claim in ledger.claims for a in claim.assertions}
    for kind, _, name in sorted((*_weakness(records.get(name)), name) for name in assertions):
        record, some = records.get(name, Record((), None)), balls.get(name, ())
        parts = [f"rejects {sum(t.caught for t in record.trials)} of {len(record.trials)}"]
        parts += [f"lets pass {trial.mutant}" for trial in record.trials if not trial.caught]
        parts += [f"would see {record.power}"] if record.power else []
        parts += [f"no finer: {record.coarse}"] if record.coarse else []
        parts += [f"{ball.symbol} = {ball.middle} ± {ball.radius}" for ball in some]
        lines.append(f"{_KINDS[kind]:9} {name} ({assertions[name].notebook}): {'; '.join(parts)}")
    return lines


_KINDS = ("untried", "survived", "random", "coarse", "exact")


def _weakness(record: Record | None) -> tuple[int, float]:
    """The kind of an assertion, and a number that is smaller for the weaker of a kind."""
    if record is None or not record.trials:
        return 0, 0.0
    if not all(trial.caught for trial in record.trials):
        return 1, -_share(record.power or "")
    if record.power:
        return 2, -_share(record.power)
    return (3 if record.coarse else 4), -min(_share(trial.mutant) for trial in record.trials)


def _share(text: str) -> float:
    """The largest error that a text names, in per cent (exponents in hundredths); 100 if it names none."""
    shares = [float(number) for number in re.findall(r"(\d+(?:\.\d+)?) ?%", text)]
    shares += [100 * float(number) for number in re.findall(r"exponent\D* off by (\d+\.\d+)", text)]
    return max(shares, default=100.0)


def count(records: Iterable[Record]) -> tuple[int, int]:
    """How many mutants were caught, and how many there are."""
    trials = [trial for record in records for trial in record.trials]
    return sum(trial.caught for trial in trials), len(trials)
