"""Run every assertion against the wrong theories that it must reject, and write book/mutants.csv.

    python book/tools/mutants.py                     all of them; what did not change comes from a cache
    python book/tools/mutants.py -j 2 02_tangent     the notebooks whose name holds this text, two at a time
    python book/tools/mutants.py S-Lemma2-constant   one assertion
    python book/tools/mutants.py --check             only compare the table with the declarations, run nothing

book/mutants.yml declares for each assertion its mutants: a text of the assertion's cell, or of an earlier
cell of its notebook, and what a wrong theory would have there. A mutant is caught if the assertion then
raises AssertionError. Of a notebook only the cells run on which the assertions depend; a mutant repeats only
the cells between its own and the assertion that depend on the change.
"""

import argparse
import ast
import builtins
import contextlib
import copy
import csv
import fcntl
import hashlib
import io
import json
import math
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[2]
DECLARED = ROOT / "book" / "mutants.yml"
TABLE = ROOT / "book" / "mutants.csv"
CACHE = ROOT / "_build" / "mutants.json"
COLUMNS = ("assertion", "mutant", "outcome", "margin", "digest")
FIELDS = ("what", "old", "new", "cell", "survives")
CAUGHT, SURVIVED = "caught", "survived"
LARGE = 2**20  # bytes

sys.path.insert(0, str(ROOT / "book" / "ext"))
from ledger import assertion_name  # noqa: E402


class Mutant(NamedTuple):
    """A wrong theory: in `cell` (None is the assertion's own) the text `old`, found once, becomes `new`."""

    assertion: str
    what: str
    old: str
    new: str
    cell: str | None = None
    survives: str | None = None


class Cell(NamedTuple):
    """A code cell."""

    id: str
    source: str


class Statement(NamedTuple):
    """A statement at the top level of a cell: the names that it sets or changes, and those that it reads.

    `later` are the names that a function looks up when it is called: they may be set after its definition.
    """

    cell: int
    source: str
    sets: frozenset[str]
    reads: frozenset[str]
    asserts: bool
    later: frozenset[str]


class Result(NamedTuple):
    """One row of the table."""

    assertion: str
    mutant: str
    outcome: str
    margin: str
    digest: str


# ---- what is declared


def declared(path: Path = DECLARED) -> list[Mutant]:
    """The mutants of book/mutants.yml; ValueError names the assertion and the field that is wrong."""
    document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    mutants = []
    for assertion, entries in document.items():
        for entry in entries:
            if set(entry) in ({"power"}, {"coarse"}):
                continue
            wrong = sorted(set(entry) - set(FIELDS)) + sorted(set(FIELDS[:3]) - set(entry))
            if wrong or not all(isinstance(text, str) for text in entry.values()):
                raise ValueError(
                    f"{Path(path).name}, {assertion}: {entry} must have the texts what, old and new, and may "
                    f"have cell and survives; mend {wrong or 'the values (quote numbers)'}"
                )
            mutants.append(Mutant(assertion, **entry))
    return mutants


def size(mutant: Mutant) -> float:
    """The relative error of the number that changed, or of the factor put in; 1 for other changes."""
    before, after = Counter(_numbers(mutant.old)), Counter(_numbers(mutant.new))
    gone, come = list((before - after).elements()), list((after - before).elements())
    if len(come) == 1 and len(gone) < 2:
        old = gone[0] if gone else 1.0
        return abs(come[0] / old - 1) if old and come[0] != old else 1.0
    return 1.0


def _numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"(?<![\w.])(?:\d+\.?\d*(?:e-?\d+)?)", text)]


def coarse(records: dict) -> list[str]:
    """Assertions without random numbers that reject no error of 0.1 % and give no reason, a sentence each.

    Also those that give a reason without need.
    """
    small = {(m.assertion, m.what) for m in declared() if size(m) < 1.001e-3}
    problems = []
    for name, record in records.items():
        sharp = any(trial.caught and (name, trial.mutant) in small for trial in record.trials)
        if not (sharp or record.coarse or record.power):
            problems.append(f"{name}: rejects no error of 0.1 %; sharpen it, or say why under 'coarse'")
        if record.coarse and (sharp or record.power):
            problems.append(f"{name}: has a reason under 'coarse', but rejects 0.1 % or is random")
    return problems


def code_cells(notebook: Path) -> list[Cell]:
    """The code cells of a notebook."""
    cells = json.loads(Path(notebook).read_text(encoding="utf-8"))["cells"]
    return [Cell(c["id"], "".join(c["source"])) for c in cells if c["cell_type"] == "code"]


def statements(cells: list[Cell]) -> list[Statement]:
    """The statements of all cells, in order."""
    return [_statement(k, part) for k, cell in enumerate(cells) for part in _split(cell.source)]


def _split(source: str) -> list[str]:
    """The texts of the statements at the top level."""
    lines, parts = source.split("\n"), []
    for node in ast.parse(source).body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        parts.append("\n".join(lines[first - 1 : node.end_lineno]))
    return parts


def _statement(cell: int, source: str) -> Statement:
    tree = ast.parse(source)
    reads = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    sets = set()
    for node in _top_level(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            sets.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            sets.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            sets |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.AugAssign):
            reads |= _base(node.target)
        elif isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            sets |= _base(node)  # x[0] = ..., x.shape = ...
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            sets |= _base(node.value.func)  # x.append(...), jax.config.update(...)
    for node in _top_level(tree):
        if isinstance(node, ast.For) and _names(node.target) & sets & _changed(node):
            sets |= _names(node.iter)  # for run in runs.values(): run["kernel"] = ...
    asserts = any(isinstance(node, ast.Assert) for node in _top_level(tree))
    function = isinstance(tree.body[0], ast.FunctionDef)
    later = reads - _own_names(tree.body[0]) if function else ()
    return Statement(cell, source, frozenset(sets), frozenset(reads), asserts, frozenset(later))


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _changed(tree: ast.AST) -> set[str]:
    """The names of objects that are changed in place by assignment."""
    targets = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load)
    ]
    updated = [node.target for node in ast.walk(tree) if isinstance(node, ast.AugAssign)]
    return set().union(*map(_base, [*targets, *updated]))


def _own_names(function: ast.FunctionDef) -> set[str]:
    """A function's arguments and variables."""
    arguments = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    return arguments | {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }


def _top_level(tree: ast.AST) -> Iterable[ast.AST]:
    """All nodes but those inside functions and comprehensions, whose names are their own."""
    own = (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(node, own):
            yield from _top_level(node)


def _base(node: ast.AST) -> set[str]:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):  # misses.setdefault(name, []).append
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def slice_of(code: list[Statement], cell: int, first: int = 0) -> list[int]:
    """The statements from `first` on that the asserts of a cell need, the asserts included."""
    later, chosen, before = set(), set(), None
    while chosen != before:  # again, where a function that was chosen reads what is set after its definition
        needed, before = set(later), set(chosen)
        for i in range(len(code) - 1, first - 1, -1):
            here = code[i]
            settings = here.source.startswith("jax.config.")
            if (here.cell == cell and here.asserts) or (
                here.cell <= cell and (settings or here.sets & needed)
            ):
                needed |= here.reads
                later |= here.later
                chosen.add(i)
    return sorted(chosen)


def site(cells: list[Cell], mutant: Mutant) -> tuple[int, int]:
    """The positions of the mutant's cell and of its assertion; ValueError if the text is not there once."""
    end = next((i for i, c in enumerate(cells) if assertion_name(c.source) == mutant.assertion), None)
    if end is None:
        raise ValueError(f"{mutant.assertion}: there is no such assertion")
    begin = end
    if mutant.cell is not None:
        begin = next((i for i, c in enumerate(cells[:end]) if c.id == mutant.cell), None)
        if begin is None:
            raise ValueError(f"{mutant.assertion}: there is no code cell {mutant.cell} before it")
    if (n := cells[begin].source.count(mutant.old)) != 1:
        raise ValueError(
            f"{mutant.assertion}, {mutant.what!r}: the text {mutant.old!r} stands {n} times in cell "
            f"{cells[begin].id}; quote more of it, so that it stands once"
        )
    return begin, end


def digest(cells: list[Cell], mutant: Mutant) -> str:
    """Changes when the assertion, the mutated cell or the mutant does, but not with the layout."""
    begin, end = site(cells, mutant)
    mutated = cells[begin].source.replace(mutant.old, mutant.new)
    return _hash(*map(_without_layout, (cells[end].source, cells[begin].source, mutated)))


@cache
def _without_layout(source: str) -> str:
    """A program without its comments, docstrings and line breaks."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
    return ast.unparse(tree)


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:10]


# ---- running


class _Run:
    """A notebook that runs statement by statement, and can go back."""

    def __init__(self, code: list[Statement]):
        self.code = code
        self.names = {"__name__": "__main__", "__builtins__": builtins, "display": lambda *_, **__: None}
        self.before = {}  # position -> the namespace before that statement
        self.after = {}  # position -> what the statement set, as it was after it
        self.repeated = {}  # assertion's cell and changed positions -> what went wrong without a change

    def execute(self, i: int, source: str | None = None) -> None:
        code = compile(source or self.code[i].source, f"statement {i}", "exec")
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            exec(code, self.names)

    def forward(self, i: int) -> None:
        self.before[i] = _copied(self.names)
        self.execute(i)
        self.after[i] = _copied({name: self.names[name] for name in self.code[i].sets & set(self.names)})

    def goto(self, names: dict) -> None:
        self.names.clear()
        self.names.update(_copied(names))

    def replay(self, cell: int, new: dict[int, str]) -> None:
        """Run the statements `new` in place of those at their positions, and what depends on them."""
        first, changed = min(new), set()
        needed = {*slice_of(self.code, cell, first), *new}
        self.goto(self.before[first])
        for i in sorted(j for j in self.after if j >= first and self.code[j].cell <= cell):
            here = self.code[i]
            if i in new or (i in needed and here.reads & changed):
                self.execute(i, new.get(i))
                changed |= here.sets
            else:
                self.names.update(_copied(self.after[i]))
                changed -= here.sets


def _copied(names: dict) -> dict:
    """A namespace whose containers, arrays and random generators can be changed without harm, at any depth.

    What two names share in the original, they share in the copy. Large arrays are shared, and made read-only.
    """
    copies = {}

    def fresh(value: object) -> object:
        if id(value) not in copies:
            copies[id(value)] = fresh_one(value)
        return copies[id(value)]

    def fresh_one(value: object) -> object:
        if isinstance(value, np.ndarray) and value.nbytes > LARGE:
            value.flags.writeable = False
        elif isinstance(value, np.ndarray | np.random.Generator):
            return copy.deepcopy(value)
        if isinstance(value, list | dict | set):
            same = copies[id(value)] = copy.copy(value)
            for key in range(len(same)) if isinstance(same, list) else same if isinstance(same, dict) else ():
                same[key] = fresh(same[key])
            return same
        if isinstance(value, tuple) and any(fresh(part) is not part for part in value):
            parts = map(fresh, value)
            return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
        return value

    return {name: fresh(value) for name, value in names.items()}


def run_notebook(path: Path, mutants: list[Mutant]) -> Iterable[tuple[Mutant, str, str]]:
    """Outcome and margin of each mutant of one notebook, one after the other."""
    cells = code_cells(path)
    code = statements(cells)
    changes = {mutant: (site(cells, mutant)[1], change(cells, code, mutant)) for mutant in mutants}
    chosen = {i for cell, _ in changes.values() for i in slice_of(code, cell)}
    chosen |= {i for _, new in changes.values() for i in new}
    run = _Run(code)
    os.chdir(path.parent)
    for i in sorted(chosen):
        run.forward(i)
        done = [m for m, (cell, _) in changes.items() if i == slice_of(code, cell)[-1]]
        here = _copied(run.names) if done else {}
        for mutant in done:
            start = time.perf_counter()
            outcome, margin = attempt(run, *changes[mutant])
            seconds = time.perf_counter() - start
            _say(f"{outcome} {seconds:4.1f} s  {mutant.assertion}: {mutant.what}; {margin}")
            yield mutant, outcome, margin
        if done:
            run.goto(here)


def _say(line: str) -> None:
    """Print a line whole: in one write, so that notebooks that run side by side do not share a line.

    print() writes the text and its newline apart where the stream is not buffered (PYTHONUNBUFFERED).
    """
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def change(cells: list[Cell], code: list[Statement], mutant: Mutant) -> dict[int, str]:
    """The statements that a mutant changes: position and new text."""
    begin, _ = site(cells, mutant)
    old = [i for i, statement in enumerate(code) if statement.cell == begin]
    new = _split(cells[begin].source.replace(mutant.old, mutant.new))
    if len(new) != len(old):
        raise ValueError(f"{mutant.assertion}, {mutant.what!r}: it changes the number of statements")
    return {i: text for i, text in zip(old, new, strict=True) if text != code[i].source}


def attempt(run: _Run, cell: int, new: dict[int, str]) -> tuple[str, str]:
    """Outcome and margin of the changes `new` for the assertion in a cell."""
    place = cell, *sorted(new)
    if place not in run.repeated:
        run.repeated[place] = _repetition(run, cell, new)
    if run.repeated[place]:
        return run.repeated[place], ""
    try:
        run.replay(cell, new)
    except AssertionError as error:
        frame = error.__traceback__
        while frame is not None and not frame.tb_frame.f_code.co_filename.startswith("statement "):
            frame = frame.tb_next
        i = int(frame.tb_frame.f_code.co_filename.split()[1])
        if run.code[i].cell != cell:
            return "broken: an earlier cell asserts", ""
        return CAUGHT, _margin(new.get(i, run.code[i].source), frame)
    except Exception as error:
        return f"broken: {type(error).__name__}: {str(error)[:100]}", ""
    return SURVIVED, ""


def _repetition(run: _Run, cell: int, places: Iterable[int]) -> str:
    """What is wrong if these statements, unchanged, and what depends on them run again; '' if nothing is."""
    try:
        run.replay(cell, {i: run.code[i].source for i in places})
    except Exception as error:
        return f"broken: without a change the repetition fails, {type(error).__name__}: {error}"[:150]
    return ""


def _margin(source: str, frame: object) -> str:
    """By how much the first assert failed: the two sides of its comparison."""
    line, scope = frame.tb_lineno, frame.tb_frame
    node = next(
        (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Assert) and _holds(n, line)), None
    )
    test = node and node.test

    def value(part: ast.AST) -> object:
        whole = ast.fix_missing_locations(ast.Expression(part))
        return eval(compile(whole, "margin", "eval"), scope.f_globals, scope.f_locals)

    try:
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            test = next(part for part in test.values if not np.all(value(part)))
        if isinstance(test, ast.Call) and ast.unparse(test.func) in ("np.all", "all"):
            test = test.args[0]
        elif isinstance(test, ast.Call) and isinstance(test.func, ast.Attribute) and test.func.attr == "all":
            test = test.func.value  # (values < bound).all()
        operators, sides = _sides(test, value)
        for op, left, right in zip(operators, sides[:-1], sides[1:], strict=True):
            a, b = np.broadcast_arrays(np.asarray(left, float), np.asarray(right, float))
            if isinstance(op, ast.Lt | ast.LtE) and np.any(a >= b):
                k = np.argmax(a - b)
                return _ratio(a.flat[k], b.flat[k], "<")
            if isinstance(op, ast.Gt | ast.GtE) and np.any(a <= b):
                k = np.argmin(a - b)
                return _ratio(a.flat[k], b.flat[k], ">")
    except Exception:
        return ""
    return ""


def _sides(test: ast.AST, value: Callable[[ast.AST], object]) -> tuple[list[ast.cmpop], list]:
    """The operators of a comparison and the values between them; (), [0] if it is none.

    np.allclose(a, b) is |a - b| < atol + rtol |b|; of all(... for ...) there are the values of all turns.
    """
    if isinstance(test, ast.Call) and ast.unparse(test.func) == "np.allclose":
        a, b = (np.asarray(value(part), float) for part in test.args)
        said = {"rtol": 1e-5, "atol": 1e-8} | {word.arg: value(word.value) for word in test.keywords}
        return [ast.Lt()], [np.abs(a - b), said["atol"] + said["rtol"] * np.abs(b)]
    turns = test.generators if isinstance(test, ast.GeneratorExp) else []
    test = test.elt if isinstance(test, ast.GeneratorExp) else test
    if not isinstance(test, ast.Compare):
        return [], [0]
    parts = [test.left, *test.comparators]
    if turns:
        found = value(ast.ListComp(ast.Tuple(parts, ast.Load()), turns))
        return test.ops, list(np.array(found, float).T)
    return test.ops, [value(part) for part in parts]


def _holds(node: ast.AST, line: int) -> bool:
    return node.lineno <= line <= node.end_lineno


def _ratio(a: float, b: float, sign: str) -> str:
    """The failed comparison, and where both sides are positive how far it failed."""
    if a > 0 and b > 0 and math.isfinite(a / b):
        ratio = a / b if sign == "<" else b / a
        return f"{a:.2g} {sign} {b:.2g} fails by a factor {ratio:.3g}"
    return f"{a:.2g} {sign} {b:.2g} fails"


# ---- cache, table


def _package() -> dict[str, str]:
    """Hashes of the package, of its experiments and of the recorded results."""
    modules, results = ROOT / "ntk_helpers", ROOT / "notebooks" / "results"
    experiments = set((modules / "experiments").rglob("*.py"))
    return {
        "ntk_helpers": _hash_of(set(modules.rglob("*.py")) - experiments),
        "experiment": _hash_of(experiments),
        "results": _hash_of(results.rglob("*.json")),
    }


def _hash_of(files: Iterable[Path]) -> str:
    return _hash(*(hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)))


@cache
def _needed(cells: tuple[Cell, ...], end: int) -> tuple[list[Statement], list[int]]:
    """A notebook's statements, and those that the asserts of a cell need."""
    code = _statements(cells)
    return code, slice_of(code, end)


@cache
def _statements(cells: tuple[Cell, ...]) -> list[Statement]:
    return statements(list(cells))


def key(cells: list[Cell], mutant: Mutant, package: dict[str, str]) -> str:
    """What an outcome depends on: the statements, the mutant, the package and what of the rest they name."""
    begin, end = site(cells, mutant)
    code, needed = _needed(tuple(cells), end)
    used = {*needed, *(i for i, s in enumerate(code) if s.cell == begin)}
    sources = [code[i].source for i in sorted(used)]
    named = [h for word, h in package.items() if word == "ntk_helpers" or any(word in s for s in sources)]
    return _hash(*sources, mutant.assertion, mutant.old, mutant.new, str(mutant.cell), *named)


def _cached() -> dict:
    return json.loads(CACHE.read_text(encoding="utf-8")) if CACHE.exists() else {}


def read_table(path: Path = TABLE) -> list[Result]:
    """The committed table."""
    with open(path, encoding="utf-8", newline="") as file:
        return [Result(**row) for row in csv.DictReader(file)]


def write_table(results: Iterable[Result], path: Path = TABLE) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(sorted(results))


def notebooks_of(mutants: Iterable[Mutant]) -> dict[Path, list[Mutant]]:
    """The mutants by notebook."""
    where = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in code_cells(path):
            if name := assertion_name(cell.source):
                where[name] = path
    by_notebook = {}
    for mutant in mutants:
        if mutant.assertion not in where:
            raise ValueError(f"mutants.yml: {mutant.assertion}: no notebook has this assertion")
        by_notebook.setdefault(where[mutant.assertion], []).append(mutant)
    return dict(sorted(by_notebook.items()))


def out_of_step(waiting: tuple[str, ...] = ()) -> list[str]:
    """Where table, declarations and notebooks disagree, a sentence each.

    Notebooks whose names begin with one of `waiting` may have mutants that were not run yet.
    """
    mutants, problems, expected, may_wait = declared(), [], {}, set()
    for path, some in notebooks_of(mutants).items():
        may_wait |= {mutant.assertion for mutant in some if waiting and path.name.startswith(waiting)}
        cells = code_cells(path)
        for mutant in some:
            try:
                expected[mutant.assertion, mutant.what] = digest(cells, mutant)
            except ValueError as error:
                problems.append(str(error))
    rows = {(row.assertion, row.mutant): row for row in read_table()}
    survivors = {(m.assertion, m.what) for m in mutants if m.survives}
    for name, found in expected.items():
        row = rows.pop(name, None)
        if row is None and name[0] in may_wait:
            continue
        if row is None or row.digest != found:
            problems.append(f"{name[0]}, {name[1]!r}: not run since it changed; run make mutants")
        elif row.outcome == SURVIVED and name not in survivors:
            problems.append(f"{name[0]}, {name[1]!r}: survives; sharpen the assertion, or say why")
        elif row.outcome == CAUGHT and name in survivors:
            problems.append(f"{name[0]}, {name[1]!r}: is caught, but has a reason for surviving")
        elif row.outcome not in (CAUGHT, SURVIVED):
            problems.append(f"{name[0]}, {name[1]!r}: {row.outcome}")
    return problems + [f"{a}, {what!r}: is in the table but not declared" for a, what in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="assertions, or parts of names of notebooks; none means all")
    parser.add_argument("-j", type=int, default=1, help="notebooks at a time")
    parser.add_argument("--check", action="store_true", help="only compare the table with what is declared")
    parser.add_argument("--fresh", action="store_true", help="run, whatever the cache holds; leave the table")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.check:
        sys.exit("\n".join(out_of_step()) or None)

    package, cache, everything = _package(), _cached(), notebooks_of(declared())
    chosen = {
        path: [m for m in some if not options.names or _wanted(m, path, options.names)]
        for path, some in everything.items()
    }
    chosen = {path: some for path, some in chosen.items() if some}
    if options.one:  # a process of its own for one notebook
        ((path, some),) = chosen.items()
        cells = code_cells(path)
        new = [m for m in some if options.fresh or key(cells, m, package) not in cache]
        for mutant, outcome, margin in run_notebook(path, new):
            _merge({key(cells, mutant, package): (outcome, margin)})
        return
    if not _run_all(chosen, options):
        sys.exit("a notebook could not be run")
    if options.fresh:
        return
    cache = _cached()
    rows = {(row.assertion, row.mutant): row for row in (read_table() if TABLE.exists() else ())}
    known = {(m.assertion, m.what) for some in everything.values() for m in some}
    rows = {name: row for name, row in rows.items() if name in known}
    for path, some in chosen.items():
        cells = code_cells(path)
        for m in some:
            outcome, margin = cache[key(cells, m, package)]
            rows[m.assertion, m.what] = Result(m.assertion, m.what, outcome, margin, digest(cells, m))
    write_table(rows.values())
    for row in rows.values():
        if row.outcome != CAUGHT:
            print(f"{row.outcome}: {row.assertion}: {row.mutant}")
    print(f"{sum(row.outcome == CAUGHT for row in rows.values())} of {len(rows)} mutants are caught")


def _wanted(mutant: Mutant, path: Path, names: list[str]) -> bool:
    return any(mutant.assertion == name or name in path.name for name in names)


def _run_all(chosen: dict[Path, list[Mutant]], options: argparse.Namespace) -> bool:
    """One process for each notebook, `-j` at a time."""
    waiting, running, good = list(chosen), [], True
    names = [n for n in options.names if not any(n in p.name for p in chosen)]
    while waiting or running:
        while waiting and len(running) < options.j:
            path = waiting.pop(0)
            wanted = [m.assertion for m in chosen[path]] if names else [path.name]
            command = [
                sys.executable,
                __file__,
                "--one",
                *["--fresh"] * options.fresh,
                *dict.fromkeys(wanted),
            ]
            environment = os.environ | {"MPLBACKEND": "Agg"}
            running.append(subprocess.Popen(command, env=environment))
        done = [p for p in running if p.poll() is not None]
        good &= all(p.returncode == 0 for p in done)
        running = [p for p in running if p not in done]
        time.sleep(0.1)
    return good


def _merge(fresh: dict) -> None:
    CACHE.parent.mkdir(exist_ok=True)
    with open(CACHE.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        CACHE.write_text(json.dumps(_cached() | fresh, indent=0), encoding="utf-8")


if __name__ == "__main__":
    main()
