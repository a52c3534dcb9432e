"""The numbers of verdict boxes and corrected statements, and the assertion that has each of them.

    python book/tools/quoted_numbers.py            every number with its assertion
    python book/tools/quoted_numbers.py --missing  only those that no assertion has

A number in a box or in a field `corrected` of the ledger is held if an assertion of its claims prints it, to
the digits of the text, or works with it as a constant: `3 * s**2 / 8` has the coefficient 3/8. A number that
another assertion has is declared in book/quoted_numbers.yml, which names that assertion; a setting, or
what no cell has, is declared there with the reason.
"""

import argparse
import ast
import json
import math
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
DECLARED = ROOT / "book" / "quoted_numbers.yml"
sys.path.insert(0, str(ROOT / "book" / "ext"))
import ledger  # noqa: E402
from trials import load_balls  # noqa: E402

_VERDICT = re.compile(r"(?m)^> \*\*Verdict \((?P<claims>[^()]+)\).*(?:\n>.*)*")
_PLACE = re.compile(r"\[[^\]]*\]\([^)]*\)|\(\d+(?:\.\d+)?\)|[Ss]ection \d+(?:\.\d+)?")
_PART = r"(?:\{([^{}]*)\}|(\w))"
_FRACTION = re.compile(rf"\\t?frac\s*{_PART}\s*{_PART}")
_POWER = re.compile(r"(?:(\d+(?:\.\d+)?)\s*\\times\s*)?(?<![\w.])10\^(?:\{(-?\d+)\}|(\d))")
_NUMBER = re.compile(r"(?<![\w.^{/-])\d(?:[\d,]*\d)?(?:\.\d+)?(?:e-?\d+)?(?![\w/])")

_WITH_ERROR = re.compile(r"(?<![\w.^])(\d+(?:\.\d+)?)(?:\s*%)?\s*(?:\\pm|±|\+-)\s*(\d+(?:\.\d+)?)")
# What may stand between a number and its per cent sign: the rest of a range or list, as in "8 to 10%".
_BETWEEN = re.compile(r"[\d.,\s$~±–+-]*(?:(?:to|and|or|less|than|at|most|\\pm)[\d.,\s$~±–+-]*){0,4}\\?")


class Number(NamedTuple):
    """A number of a text: as it stands there, its value, half a unit of its last digit (0 is exact).

    `error` is the number after a plus-minus sign; `percent` whether a per cent sign follows, also after the
    other end of a range.
    """

    text: str
    value: float
    half: float
    error: tuple[float, float] | None = None
    percent: bool = False


class Text(NamedTuple):
    """A verdict box, or a corrected statement."""

    where: str
    claims: tuple[str, ...]
    text: str


class Evidence(NamedTuple):
    """What an assertion's cell printed, as numbers with half their last digits, and its constants."""

    printed: tuple[Number, ...]
    constants: frozenset[float]


def texts() -> Iterator[Text]:
    """The verdict boxes of the notebooks, then the corrected statements of the ledger."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                for box in _VERDICT.finditer("".join(cell["source"])):
                    claims = tuple(map(str.strip, box["claims"].split(",")))
                    yield Text(f"{path.name}, {claims[0]}", claims, box[0].split(".**", 1)[-1])
    for claim in ledger.load(ROOT / "book" / "claims.yml").claims:
        if claim.corrected:
            yield Text(f"corrected, {claim.id}", (claim.id,), claim.corrected)


def numbers(text: str) -> list[Number]:
    """The fractions, decimals and whole numbers from 10 on of a text, without those that name a place."""
    text, found = _PLACE.sub(" ", text), []

    def fraction(match: re.Match) -> str:
        above, below = (a or b for a, b in (match.group(1, 2), match.group(3, 4)))
        parts = [re.match(r"\s*(\d+)?", part)[1] for part in (above, below)]
        if any(parts):
            p, q = (int(part or 1) for part in parts)
            if q and (p, q) != (1, 1):
                found.append(Number(match[0], p / q, 0.0))
        return " "

    def power(match: re.Match) -> str:
        scale = 10.0 ** int(match[2] or match[3])
        digits = match[1] or "1"
        found.append(Number(match[0], float(digits) * scale, _half(digits) * scale if match[1] else 0.0))
        return " "

    text = _FRACTION.sub(fraction, text)
    text = re.sub(r"(?<![\w.^])(\d+)/(\d+)(?![\w.])", lambda m: fraction_of(m, found), text)
    text = _POWER.sub(power, text)
    for match in _WITH_ERROR.finditer(text):
        found.append(_with_error(match))
    text = _WITH_ERROR.sub(lambda m: " " * len(m[0]), text)
    for match in _NUMBER.finditer(text):
        digits = match[0].replace(",", "")
        if "." in digits or float(digits) >= 10:
            percent = _percent(text, match.end())
            found.append(Number(match[0], float(digits), _half(digits), percent=percent))
    return found


def _with_error(match: re.Match) -> Number:
    value, error = match.groups()
    percent = "%" in match[0] or _percent(match.string, match.end())
    return Number(match[0], float(value), _half(value), (float(error), _half(error)), percent)


def _percent(text: str, start: int) -> bool:
    """Whether a per cent sign belongs to the number that ends at `start`."""
    between, sign, _ = text[start : start + 40].replace("per cent", "%").partition("%")
    return bool(sign) and _BETWEEN.fullmatch(between) is not None


def fraction_of(match: re.Match, found: list[Number]) -> str:
    """Adds a fraction a/b to what was found, and takes it out of the text."""
    found.append(Number(match[0], int(match[1]) / int(match[2]), 0.0))
    return " "


def _half(digits: str) -> float:
    """Half a unit of the last digit."""
    mantissa, _, exponent = digits.partition("e")
    return 0.5 * 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


@cache
def evidence() -> dict[str, Evidence]:
    """What each code cell printed and works with, by its place ("11 cell-055") or its assertion's name."""
    found = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code":
                name = ledger.assertion_name(source) or f"{path.name.split('_')[0]} {cell['id']}"
                found[name] = Evidence(tuple(printed(ledger._stdout(cell["outputs"]))), constants(source))
    return found


def printed(text: str) -> list[Number]:
    """The numbers of an output."""
    pairs = [_with_error(match) for match in _WITH_ERROR.finditer(text)]
    values = []
    for match in re.finditer(r"(?<![\w.^])\d(?:[\d,]*\d)?(?:\.\d+)?(?:e[-+]?\d+)?(?!\w)", text):
        digits = match[0].replace(",", "")
        percent = _percent(text, match.end())
        values.append(Number(match[0], float(digits), _half(digits), percent=percent))
    fractions = re.findall(r"(?<![\w.])(\d+)/(\d+)(?![\w.])", text)
    return pairs + values + [Number(f"{p}/{q}", int(p) / int(q), 0.0) for p, q in fractions if int(q)]


def constants(source: str) -> frozenset[float]:
    """The numbers of a cell's code and the coefficients of its products: 3 * s**2 / 8 has 3/8."""
    found = set()
    for node in ast.walk(ast.parse(re.sub(r"(?m)^[%!].*$", "", source))):
        if isinstance(node, ast.expr):
            value = abs(_coefficient(node))
            if value not in (0.0, 1.0) and math.isfinite(value):
                found.add(value)
    return frozenset(found)


def _coefficient(node: ast.expr) -> float:
    """The product of the numbers of a product; what is no number counts as one."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return float(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_coefficient(node.operand)
    if isinstance(node, ast.BinOp):
        left, right = _coefficient(node.left), _coefficient(node.right)
        if isinstance(node.op, ast.Mult):
            return left * right
        if isinstance(node.op, ast.Div):
            return left / right if right else 1.0
        if isinstance(node.op, ast.Pow) and all(isinstance(n, ast.Constant) for n in (node.left, node.right)):
            return left**right
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
        ("mpf", "float", "Rational", "Fraction")
    ):
        arguments = [_coefficient(argument) for argument in node.args]
        if len(arguments) == 2 and arguments[1]:
            return arguments[0] / arguments[1]
        return arguments[0] if arguments else 1.0
    return 1.0


def holds(number: Number, known: Evidence) -> bool:
    """Whether an assertion printed a number, to its digits or more, or works with it; per cents as shares."""
    if any(_same(number, other, scale) for other in known.printed for scale in _scales(number, other)):
        return True
    return number.error is None and any(
        abs(scale * value - number.value) <= 1e-9 * number.value
        for value in known.constants
        for scale in ((1.0, 100.0) if number.percent else (1.0,))
    )


def _scales(number: Number, other: Number) -> tuple[float, ...]:
    if number.percent == other.percent:
        return (1.0,)
    return (1.0, 100.0) if number.percent else (1.0, 0.01)


def _same(number: Number, other: Number, scale: float) -> bool:
    if not _close(number.value, number.half, scale * other.value, scale * other.half):
        return False
    if number.error is None or other.error is None:
        return number.error is None
    return _close(*number.error, scale * other.error[0], scale * other.error[1])


def _close(value: float, half: float, other: float, other_half: float) -> bool:
    """Whether a number that was printed as finely, or more so, rounds to the value."""
    return other_half <= half * (1 + 1e-9) and abs(other - value) <= half * (1 + 1e-9) + 1e-12 * abs(value)


def enclosed(balls: dict) -> dict[str, Evidence]:
    """The certified constants, by the claim or assertion where they stand."""
    return {
        place: Evidence(tuple(Number(b.middle, float(b.middle), 0.0) for b in some), frozenset())
        for place, some in balls.items()
    }


class Held(NamedTuple):
    """A number of a text, and what holds it: an assertion, a cell, a reason; None where nothing does."""

    where: str
    number: Number
    holder: str | None


def compared(every: Iterable[Text] | None = None) -> list[Held]:
    """Each number of the texts, with what holds it."""
    claims = ledger.load(ROOT / "book" / "claims.yml").claims
    own = {claim.id: [claim.id, *(a.name for a in claim.assertions)] for claim in claims}
    known, balls = evidence(), enclosed(load_balls(ROOT / "book"))
    declared = yaml.safe_load(DECLARED.read_text(encoding="utf-8"))
    found = []
    for text in texts() if every is None else every:
        names = [name for claim in text.claims for name in own.get(claim, ())]
        said = {n: holder for claim in text.claims for n, holder in declared.get(claim, {}).items()}
        for number in numbers(text.text):
            places = [
                name for name in names if any(name in k and holds(number, k[name]) for k in (known, balls))
            ]
            holder = places[0] if places else said.get(number.text)
            if holder in known and not holds(number, known[holder]):
                holder = None  # it changed
            elif holder and " " not in holder and holder not in {**known, **balls}:
                raise ValueError(f"{DECLARED.name}, {number.text}: there is no assertion {holder}")
            found.append(Held(text.where, number, holder))
    return found


def idle(found: list[Held]) -> list[str]:
    """Entries of book/quoted_numbers.yml that no text needs."""
    used = {(held.where.split(", ")[-1], held.number.text) for held in found}
    declared = yaml.safe_load(DECLARED.read_text(encoding="utf-8"))
    claims = {claim: some for claim, some in declared.items() if not claim.startswith("text of ")}
    return [f"{claim}: {n}" for claim, some in claims.items() for n in some if (claim, n) not in used]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--missing", action="store_true", help="only the numbers that nothing holds")
    options = parser.parse_args()
    found = compared()
    for held in found:
        if not options.missing or held.holder is None:
            print(f"{held.where} | {held.number.text} | {held.holder or 'NOTHING HOLDS IT'}")
    by = sum(held.holder is not None and held.holder.count(" ") < 2 for held in found)
    print(f"{len(found)} numbers; {by} are compared with an assertion or a cell")


if __name__ == "__main__":
    main()
