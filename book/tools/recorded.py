"""Scale each recorded quantity by 1.1, and see whether an assertion notices: book/recorded.csv.

    python book/tools/recorded.py                  all chapters that read recorded results
    python book/tools/recorded.py 08_kernel        the chapters whose names hold one of these texts
    python book/tools/recorded.py --check          only whether the table lists what the results hold

A quantity is what one file of notebooks/results has under one name, for one choice of the words that
describe its records (ensemble, activation, data set): all its numbers are scaled together, one quantity
at a time. Settings are not scaled. A quantity that no assertion sees at 10 % stands in book/recorded.yml,
with the reason.
"""

import argparse
import ast
import builtins
import contextlib
import copy
import csv
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml
from mutants import ROOT, _copied, _own_names, _Run, assertion_name, code_cells, slice_of, statements

RESULTS = ROOT / "notebooks" / "results"
TABLE, REASONS = ROOT / "book" / "recorded.csv", ROOT / "book" / "recorded.yml"
COLUMNS = ("chapter", "file", "quantity", "seen by")
FACTOR = 1.1
UNREAD = "not used by an assertion"
# What was chosen and not measured.
SETTINGS = {
    "at",
    "step",
    "steps",
    "i",
    "L",
    "widths",
    "epoch_index",
    "points",
    "depth",
    "width",
    "seed",
    "seeds",
}
SETTINGS |= {"ridge", "train_size", "average", "networks", "runs", "images", "count", "reading_error"}
SETTINGS |= {"weight_variance", "weight_layers", "bias_variance", "learning_rate"}


class Quantity(NamedTuple):
    """Numbers that are scaled together: a file of notebooks/results, and the words that name them."""

    file: str
    name: str


def leaves(document: dict) -> Iterator[tuple[str, dict | list, object]]:
    """The numbers of a results file: the name of their quantity, what holds them, and the key there."""
    if "records" in document:
        for record in document["records"]:
            yield from _leaves(record["result"], _words(record["slice"]))
    else:
        yield from _leaves(document, ())


def _leaves(node: dict | list, name: tuple[str, ...]) -> Iterator[tuple[str, dict | list, object]]:
    if isinstance(node, dict):
        name += _words(node)
    for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
        inner = name if isinstance(node, list) or key == "rows" else (*name, key)
        if key in SETTINGS or isinstance(value, bool | str) or value is None:
            continue
        if isinstance(value, dict | list):
            yield from _leaves(value, inner)
        else:
            yield ", ".join(inner), node, key


def _words(mapping: dict) -> tuple[str, ...]:
    long = ("source", "quantity", "protocol", "note", "rows", "bars", "figure of", "reading_error")
    return tuple(
        value
        for key, value in mapping.items()
        if isinstance(value, str) and key not in long and len(value) < 30
    )


def quantities(file: Path) -> list[Quantity]:
    """The quantities of one results file, in order."""
    document = json.loads(file.read_text(encoding="utf-8"))
    names = dict.fromkeys(name for name, *_ in leaves(document))
    return [Quantity(file.relative_to(RESULTS).as_posix(), name) for name in names]


def scaled(document: dict, name: str, factor: float | None = FACTOR) -> dict:
    """The document with one quantity scaled; without a factor it is no number, and who reads it fails."""
    document = copy.deepcopy(document)
    for found, holder, key in leaves(document):
        if found == name:
            holder[key] = "no number" if factor is None else factor * holder[key]
    return document


class Reading(NamedTuple):
    """A chapter: its statements, those that read a file, and the cells of the assertions that need them."""

    path: Path
    run: _Run
    readers: dict[int, list[str]]
    assertions: dict[int, str]


def reading(path: Path) -> Reading | None:
    """What a chapter reads; None if it reads no recorded results."""
    cells = code_cells(path)
    code = statements(cells)
    files = [f.relative_to(RESULTS).as_posix() for f in sorted(RESULTS.rglob("*.json"))]
    readers = {
        i: found
        for i, statement in enumerate(code)
        if (found := [f for f in files if _reads(statement.source, f)])
    }
    if not readers:
        return None
    assertions = {
        k: name
        for k, cell in enumerate(cells)
        if (name := assertion_name(cell.source)) and set(slice_of(code, k)) & set(readers)
    }
    return Reading(path, _Run(code), readers, assertions)


def _reads(source: str, file: str) -> bool:
    """Whether a statement may read a file: it calls a reader and names the file's beginning."""
    stem = Path(file).name.split(".")[0]
    if "results.load(" in source:
        return "/" not in file and f'"{stem}"' in source
    if found := re.search(r'results\.published\((f?)"([^"{]*)', source):
        return "/" in file and (stem.startswith(found[2]) if found[1] else stem == found[2])
    if found := re.search(r'(f?)"results/([^"{]*)', source):
        return file.startswith(found[2]) if found[1] else file == found[2]
    return False


def chapter(path: Path) -> Iterator[tuple[Quantity, str]]:
    """Each quantity of the files that a chapter reads, and the first assertion that sees it scaled."""
    found = reading(path)
    if found is None:
        return
    run = found.run
    needed = sorted({i for k in found.assertions for i in slice_of(run.code, k)})
    readers = {i: files for i, files in found.readers.items() if i in needed}
    os.chdir(path.parent)
    opened: set[str] = set()
    for i in needed:
        with _watching(opened):
            run.forward(i)
    files = [f for f in sorted({f for some in readers.values() for f in some}) if f in opened]
    for file in files:
        document = json.loads((RESULTS / file).read_text(encoding="utf-8"))
        again = [i for i in readers if file in readers[i]]
        for quantity in quantities(RESULTS / file):
            seen = UNREAD
            for factor in (None, FACTOR):  # is it used at all?
                with _replaced(file, json.dumps(scaled(document, quantity.name, factor))):
                    first = _first_to_fail(run, needed, again, found.assertions)
                if not first:
                    break
                seen = first if factor else ""
            yield quantity, seen


def _first_to_fail(run: _Run, needed: list[int], readers: list[int], assertions: dict[int, str]) -> str:
    """The first assertion that fails if the readers run again, and what depends on them; '' if none does."""
    first, changed = min(readers), set()
    run.goto(run.before[first])
    for i in (j for j in needed if j >= first):
        here = run.code[i]
        if i in readers or here.reads & _not_own(here.source) & changed:
            try:
                run.execute(i)
            except AssertionError:
                return assertions.get(here.cell, "another cell")
            except Exception as error:
                return f"{assertions.get(here.cell, 'another cell')} ({type(error).__name__})"
            changed |= here.sets - set(dir(builtins))  # a statement print(...) changes no print
        else:
            run.names.update(_copied(run.after[i]))
            changed -= here.sets
    return ""


@cache
def _not_own(source: str) -> frozenset[str]:
    """The names in a statement without those that its functions, loops and comprehensions set themselves."""
    return _outside(ast.parse(source), frozenset())


def _outside(node: ast.AST, own: frozenset[str]) -> frozenset[str]:
    if isinstance(node, ast.Name):
        return frozenset({node.id}) - own
    first = frozenset()
    if isinstance(node, ast.FunctionDef):
        own |= _own_names(node)
    if isinstance(node, ast.For):
        first = _outside(node.iter, own)
        own |= _outside(node.target, frozenset())
        for part in node.body:  # what a line sets is the loop's own in the lines below
            if isinstance(part, ast.Assign):
                first |= _outside(part.value, own)
                names = (n for target in part.targets for n in ast.walk(target) if isinstance(n, ast.Name))
                own |= {n.id for n in names if isinstance(n.ctx, ast.Store)}
                first = first.union(*(_outside(target, own) for target in part.targets))
            else:
                first |= _outside(part, own)
        return first.union(*(_outside(part, own) for part in node.orelse))
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        first = _outside(node.generators[0].iter, own)  # it is read before the variables are there
        own = own.union(*(_outside(g.target, frozenset()) for g in node.generators))
    return first.union(*(_outside(child, own) for child in ast.iter_child_nodes(node)))


@contextlib.contextmanager
def _watching(opened: set[str]):
    """Adds to `opened` the results files that are read."""
    with _patched(lambda path, text: opened.add(_name(path)) or text):
        yield


@contextlib.contextmanager
def _replaced(file: str, content: str):
    """Reads `content` in place of a results file."""
    with _patched(lambda path, text: content if _name(path) == file else text):
        yield


def _name(path: Path) -> str:
    path = path.resolve()
    return path.relative_to(RESULTS).as_posix() if path.is_relative_to(RESULTS) else ""


@contextlib.contextmanager
def _patched(change):
    plain = Path.read_text
    Path.read_text = lambda self, *args, **kwargs: change(self, plain(self, *args, **kwargs))
    try:
        yield
    finally:
        Path.read_text = plain


# ---- table


class Row(NamedTuple):
    """One row of the table: the first assertion that sees a quantity of a file scaled, '' if none does."""

    chapter: str
    file: str
    quantity: str
    seen: str


def read_table(path: Path = TABLE) -> list[Row]:
    """The committed table."""
    with open(path, encoding="utf-8", newline="") as file:
        return [Row(*row) for row in csv.reader(file)][1:]


def write_table(rows: Iterable[Row], path: Path = TABLE) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def out_of_step() -> list[str]:
    """Where the table, the results and book/recorded.yml disagree, a sentence each."""
    rows, problems, used = read_table(), [], set()
    reasons = yaml.safe_load(REASONS.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        there = {(row.file, row.quantity) for row in rows if row.chapter == path.stem}
        held = {tuple(quantity) for file, _ in there for quantity in quantities(RESULTS / file)}
        if there != held:
            problems.append(f"{path.stem}: its results have other quantities now; run book/tools/recorded.py")
        if not there and (found := reading(path)) and found.assertions:
            problems.append(f"{path.stem}: reads results and is not in the table; run book/tools/recorded.py")
    for row in rows:
        if not row.seen:
            entry = next((k for k in reasons if re.fullmatch(k, f"{row.file}, {row.quantity}")), None)
            used.add(entry)
            if entry is None:
                problems.append(
                    f"{row.file}, {row.quantity}: no assertion of {row.chapter} sees 10 %; say why"
                )
    return problems + [f"recorded.yml, {entry}: no quantity needs it" for entry in set(reasons) - used]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="parts of names of notebooks; none means all")
    parser.add_argument("--check", action="store_true", help="only compare the table with the results")
    options = parser.parse_args()
    if options.check:
        sys.exit("\n".join(out_of_step()) or None)
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        if options.names and not any(name in path.name for name in options.names):
            continue
        rows = []
        for quantity, seen in chapter(path):
            rows.append(Row(path.stem, *quantity, seen))
            print(" | ".join(rows[-1]), flush=True)
        kept = [row for row in (read_table() if TABLE.exists() else ()) if row.chapter != path.stem]
        write_table(sorted(kept + rows))


if __name__ == "__main__":
    main()
