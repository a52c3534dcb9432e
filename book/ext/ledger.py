"""The claim ledger: read book/claims.yml, and hold the executed notebooks to it.

    python book/ext/ledger.py                says what is wrong, or how many claims have which verdict
    python -m book.ext.ledger --audit        lists what is open, and the assertions, the weakest first

A claim is decided by assertions: code cells of the notebooks whose first line is
`# Assertion NAME: a plain sentence`, which hold at least one `assert`, and whose last printed line is
`NAME | verdict | what was measured`. NAME is the id of the claim that it decides, a hyphen and a slug.
"""

import ast
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import yaml

if __package__:  # run as a module of the book: its neighbours are found as when a file is run
    sys.path.insert(0, str(Path(__file__).parent))

from box_grammar import Cell, Verdict, scan

# From best to worst. A claim has the worst verdict of its assertions: one part that fails, fails the whole.
VERDICTS = ("holds", "holds with a correction", "does not hold as printed")
# Without a verdict: not decided (yet, or in part only), what a paper assumes, what it defines.
OPEN, ASSUMED, DEFINITION = UNDECIDED = ("open", "assumed", "definition")
# What an assertion prints. One that found an interval that holds both answers is open: it decides nothing.
PRINTED = (*VERDICTS, OPEN)

# What a statement is taken from, for each paper, and how a box says it; {} is the place.
SOURCES = {
    "O": {
        "abstract": "printed in the {}",
        "abstract, published version": "printed in the {}",
        "caption": "caption of {}",
        "code": "from the authors' code, {}",
        "runs": "from the authors' runs, {}",
        "reconstruction": "reconstruction, not seen in print: {}",
    },
    "S": {
        "printed": "printed in {}",
        "proof step": "proof step in {}",
        "caption": "caption in {}",
        "figure": "drawn in {}",
    },
}
NOT_PRINTED = ("reconstruction", "code", "runs")

REQUIRED = ("id", "paper", "where", "source", "title", "statement", "chapter", "verdict")
OPTIONAL = ("under", "reason", "finding", "later", "corrected", "changed", "assertions")
ASSERTION = ("name", "notebook", "verdict", "measured")
CHANGE = ("date", "from", "to", "why")

_ID = re.compile(r"[A-Z]\d*(-[A-Za-z0-9]+)*")
_HEADER = re.compile(r"# Assertion ([A-Za-z0-9-]+): \S.*")
_DATE = re.compile(r"20\d\d-\d\d-\d\d")
_VERDICT_BOX = re.compile(r"(?m)^> \*\*Verdict \((?P<claims>[^()]+)\).*(?:\n>.*)*")
_NUMBERED = re.compile(r'<a id="(?P<anchor>(?:thm|lem|prp|cor)-[\d-]+)"></a>\n(?P<text>(?:>.*\n?)+)')
_PROVED = re.compile(r"\]\([^)#]*#((?:thm|lem|prp|cor)-[\d-]+)\)")
_SUPPORT = re.compile(r"\]\([^)]*#(?:thm|lem|prp|cor|def|rem|eq|fig|tbl|assertion)-")


class Assertion(NamedTuple):
    """One assertion cell: where it is, and what it prints."""

    name: str
    notebook: str
    verdict: str
    measured: str


class Where(NamedTuple):
    """The place of a statement in its paper; prints as "Section 2.2, equation (10), page 4"."""

    section: str
    equation: str | None
    page: str | None

    def __str__(self) -> str:
        several = re.search("[,-]", self.equation or "")
        equation = self.equation and f"equation{'s' if several else ''} {self.equation}"
        several = re.search("[,-]", self.page or "")
        page = self.page and f"page{'s' if several else ''} {self.page}"
        return ", ".join(filter(None, (self.section, equation, page)))


class Change(NamedTuple):
    """A verdict, or a statement, that this book had wrong: `before` and `after` are verdicts or words."""

    date: str
    before: str
    after: str
    why: str


class Claim(NamedTuple):
    """One claim of a paper; `assertions` of an open claim are the part that was run."""

    id: str
    paper: str
    where: Where
    source: str
    title: str
    statement: str
    chapter: int
    verdict: str
    under: str | None
    reason: str | None
    finding: str | None
    later: str | None
    corrected: str | None
    changed: tuple[Change, ...]
    assertions: tuple[Assertion, ...]

    @property
    def origin(self) -> str:
        """Where the statement comes from, in words."""
        return SOURCES[self.paper][self.source].format(self.where)


class Ledger(NamedTuple):
    """The papers (key -> name), the chapters (number -> title) and the claims in the order of the file."""

    papers: dict[str, str]
    chapters: dict[int, str]
    claims: tuple[Claim, ...]


class Notebook(NamedTuple):
    """What one notebook says: its assertion cells, its verdict boxes (claim, verdict), and what is wrong."""

    assertions: tuple[Assertion, ...]
    boxes: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]


# ---- the file


class _UniqueKeys(yaml.SafeLoader):
    """YAML without tags and without repeated keys: of two verdicts PyYAML would silently keep the last."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        for key, count in Counter(keys).items():
            if count > 1:
                raise ValueError(
                    f"{node.start_mark.name}: key {key!r} stands {count} times in the mapping that begins "
                    f"at line {node.start_mark.line + 1}; keep one"
                )
        return super().construct_mapping(node, deep)


def load(path: Path) -> Ledger:
    """Read and validate the ledger at `path`; raises ValueError naming each claim, field and fix."""
    with open(path, encoding="utf-8") as file:
        document = yaml.load(file, _UniqueKeys)
    return parse(document, name=Path(path).name)


def parse(document: object, name: str = "claims.yml") -> Ledger:
    """Turn the ledger's document into a Ledger; raises ValueError naming each claim, field and fix."""
    parts = ("papers", "chapters", "claims")
    if not isinstance(document, dict) or set(document) != set(parts):
        came = sorted(map(str, document)) if isinstance(document, dict) else type(document).__name__
        raise ValueError(f"{name} must be a mapping with the keys {', '.join(parts)}; it has {came}")
    papers, chapters, claims = (document[part] for part in parts)
    if not _mapping_of(papers, str) or not _mapping_of(chapters, int):
        raise ValueError(f"{name}: 'papers' must map a letter to a name, 'chapters' a number to a title")
    if not isinstance(claims, list) or not claims:
        raise ValueError(f"{name}: 'claims' must be a list of claims that is not empty")

    problems = [
        problem
        for position, claim in enumerate(claims, 1)
        for problem in _claim_problems(claim, position, papers, chapters)
    ]
    ids = [claim["id"] for claim in claims if isinstance(claim, dict) and isinstance(claim.get("id"), str)]
    problems += [f"claim {id}: field 'id' stands {n} times; ids are unique" for id, n in _repeated(ids)]
    if not problems:
        problems = [*_kinship_problems(claims, ids), *_ownership_problems(claims, ids)]
    if problems:
        raise ValueError("\n".join(f"{name}: {problem}" for problem in problems))
    return Ledger(dict(papers), dict(chapters), tuple(map(_claim, claims)))


def _claim(entry: dict) -> Claim:
    where = Where(*(entry["where"].get(field) for field in Where._fields))
    changed = tuple(Change(*(change[field] for field in CHANGE)) for change in entry.get("changed", ()))
    assertions = tuple(Assertion(**assertion) for assertion in entry.get("assertions", ()))
    texts = {
        field: entry.get(field) for field in (*REQUIRED, "under", "reason", "finding", "later", "corrected")
    }
    return Claim(**texts | {"where": where, "changed": changed, "assertions": assertions})


def _claim_problems(claim: object, position: int, papers: dict, chapters: dict) -> list[str]:
    if not isinstance(claim, dict):
        return [
            f"claim number {position} is a {type(claim).__name__}; write a mapping that begins with 'id:'"
        ]
    who = f"claim {claim.get('id', f'number {position}')}"
    problems = [f"{who}: field {f!r} is missing; add it" for f in REQUIRED if f not in claim]
    known = (*REQUIRED, *OPTIONAL)
    problems += [
        f"{who}: field {f!r} is unknown; the fields are {', '.join(known)}" for f in claim if f not in known
    ]
    texts = (
        "id",
        "paper",
        "source",
        "title",
        "statement",
        "under",
        "reason",
        "finding",
        "later",
        "corrected",
    )
    problems += _text_problems(claim, texts, who)
    if problems:
        return problems

    if not _ID.fullmatch(claim["id"]) or claim["id"][0] != claim["paper"]:
        problems.append(f"{who}: field 'id' must begin with its paper, {claim['paper']!r}, as O2 or S-Prop2")
    if claim["paper"] not in papers or claim["paper"] not in SOURCES:
        problems.append(f"{who}: field 'paper' is {claim['paper']!r}; write one of {', '.join(papers)}")
    else:
        problems += _source_problems(claim, who)
    if type(claim["chapter"]) is not int or claim["chapter"] not in chapters:
        problems.append(
            f"{who}: field 'chapter' is {claim['chapter']!r}; write a number listed in 'chapters'"
        )
    problems += _list_problems(claim, "changed", CHANGE, who)
    problems += _list_problems(claim, "assertions", ASSERTION, who)
    return problems or [*_change_problems(claim, who), *_verdict_problems(claim, who)]


def _source_problems(claim: dict, who: str) -> list[str]:
    """Where the statement stands, and what it is taken from."""
    problems = []
    where, sources = claim["where"], SOURCES[claim["paper"]]
    if not isinstance(where, dict) or "section" not in where or not set(where) <= set(Where._fields):
        fields = ", ".join(Where._fields)
        problems.append(f"{who}: field 'where' is {where!r}; write a mapping with section, of {fields}")
    else:
        problems += _text_problems(where, Where._fields, f"{who}, where")
        if claim["paper"] == "S" and "page" not in where:
            problems.append(f"{who}: field 'where' has no page; add the page of the PDF")
        if claim["paper"] == "O" and "page" in where:
            problems.append(f"{who}: field 'where' has a page; remove it: the paper's pages were not seen")
    if claim["source"] not in sources:
        allowed = " | ".join(sources)
        problems.append(f"{who}: field 'source' is {claim['source']!r}; write one of {allowed}")
    if claim["source"] in NOT_PRINTED and claim["verdict"] == VERDICTS[-1]:
        problems.append(
            f"{who}: field 'verdict' is {claim['verdict']!r}, but the source is {claim['source']!r}: "
            f"what was not seen in print cannot fail as printed; write another verdict"
        )
    if "later" in claim and claim["paper"] != "S":
        problems.append(f"{who}: field 'later' is for paper S; remove it")
    return problems


def _verdict_problems(claim: dict, who: str) -> list[str]:
    verdict, assertions = claim["verdict"], claim.get("assertions", [])
    if verdict not in (*VERDICTS, *UNDECIDED):
        allowed = ", ".join((*VERDICTS, *UNDECIDED))
        return [f"{who}: field 'verdict' is {verdict!r}; write one of {allowed}"]
    problems = []
    if verdict in UNDECIDED and "reason" not in claim:
        problems.append(f"{who}: field 'reason' is missing; say in a sentence why it is {verdict}")
    if verdict in VERDICTS and "reason" in claim:
        problems.append(f"{who}: field 'reason' is given but there is a verdict; remove it")
    if verdict in (ASSUMED, DEFINITION):
        problems += [
            f"{who}: field {f!r} is given but the verdict is {verdict}; remove it, or decide"
            for f in ("corrected", "assertions")
            if f in claim
        ]
    if verdict in VERDICTS and not assertions:
        problems.append(f"{who}: field 'assertions' is empty; a verdict needs at least one assertion")
    if problems:
        return problems

    problems += [
        f"{who}, assertion {a['name']}: field 'verdict' is {a['verdict']!r}; "
        f"write one of {', '.join(PRINTED)}"
        for a in assertions
        if a["verdict"] not in PRINTED
    ]
    problems += [
        f"{who}: assertion {name} is listed {n} times; keep one"
        for name, n in _repeated(a["name"] for a in assertions)
    ]
    if problems or verdict == OPEN or not assertions:
        return problems
    decided = [a["verdict"] for a in assertions if a["verdict"] != OPEN]
    worst = max(decided, key=VERDICTS.index, default=OPEN)
    if verdict != worst:
        problems.append(
            f"{who}: field 'verdict' is {verdict!r}, but the worst of its assertions is {worst!r}; write that"
        )
    if verdict != VERDICTS[0] and "corrected" not in claim:
        problems.append(
            f"{who}: field 'corrected' is missing; the verdict is {verdict!r}, so state what is true"
        )
    return problems


def _change_problems(claim: dict, who: str) -> list[str]:
    return [
        f"{who}: field 'changed' has the date {change['date']!r}; write it as \"2026-11-30\""
        for change in claim.get("changed", [])
        if not _DATE.fullmatch(change["date"])
    ]


def _list_problems(claim: dict, field: str, parts: tuple[str, ...], who: str) -> list[str]:
    """What is wrong with a list of mappings from `parts` to texts."""
    if field not in claim:
        return []
    if not isinstance(claim[field], list):
        return [f"{who}: field {field!r} is {claim[field]!r}; write a list"]
    problems = []
    for entry in claim[field]:
        if not isinstance(entry, dict) or set(entry) != set(parts):
            problems.append(f"{who}: field {field!r} holds {entry!r}; write the fields {', '.join(parts)}")
        else:
            problems += _text_problems(entry, parts, f"{who}, {field[:-1]} {entry[parts[0]]}")
    return problems


def _text_problems(mapping: dict, fields: Iterable[str], who: str) -> list[str]:
    return [
        f"{who}: field {f!r} is {mapping[f]!r}; write a text (quote it where YAML reads a number)"
        for f in fields
        if f in mapping and not _text(mapping[f])
    ]


def _kinship_problems(claims: list[dict], ids: list[str]) -> list[str]:
    """A step of a proof may hang under the claim that it proves."""
    problems = []
    for claim in claims:
        under, paper = claim.get("under", ""), claim["paper"]
        if under and (under not in ids or under == claim["id"] or under[0] != paper):
            problems.append(
                f"claim {claim['id']}: field 'under' is {under!r}; write the id of another claim of paper "
                f"{paper}"
            )
    return problems


def _ownership_problems(claims: list[dict], ids: list[str]) -> list[str]:
    """An assertion stands under the claim that it is named after; other claims may lean on it besides."""
    problems = []
    listed = {(claim["id"], a["name"]) for claim in claims for a in claim.get("assertions", ())}
    for id, name in sorted(listed):
        mine = owner(name, ids)
        if mine is None:
            problems.append(f"claim {id}: assertion {name} is named after no claim; name it {id}-...")
        elif (mine, name) not in listed:
            problems.append(
                f"claim {id}: assertion {name} is named after claim {mine}; list it there too, or rename it"
            )
    return problems


def owner(assertion: str, ids: Iterable[str]) -> str | None:
    """The claim that an assertion is named after: the longest id that, with a hyphen, begins its name."""
    return max((id for id in ids if assertion.startswith(f"{id}-")), key=len, default=None)


def _text(value: object) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _mapping_of(value: object, key_type: type, value_type: type = str) -> bool:
    return (
        isinstance(value, dict)
        and value != {}
        and all(
            type(key) is key_type and isinstance(held, value_type) and (value_type is not str or _text(held))
            for key, held in value.items()
        )
    )


def _repeated(values: Iterable[str]) -> list[tuple[str, int]]:
    return [(value, count) for value, count in Counter(values).items() if count > 1]


# ---- the notebooks


def read_notebook(path: Path) -> Notebook:
    """Collect the assertion cells and verdict boxes of the executed notebook at `path`."""
    path = Path(path)
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assertions, boxes, problems = [], [], []
    for number, cell in enumerate(cells):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            found, wrong = _read_boxes(Cell(path.name, str(number), source))
            boxes += found
        elif cell["cell_type"] == "code":
            found, wrong = _read_assertion(source, cell, path.name)
            assertions += found
        else:
            continue
        problems += [f"{path.name}, cell {number}: {problem}" for problem in wrong]
    return Notebook(tuple(assertions), tuple(boxes), tuple(problems))


def assertion_name(source: str) -> str | None:
    """The name of the assertion in a code cell with this source, or None if it is another kind of cell."""
    match = _HEADER.fullmatch(source.split("\n", 1)[0].rstrip())
    return match and match[1]


def _read_boxes(cell: Cell) -> tuple[list[tuple[str, str]], list[str]]:
    found = [thing for thing in scan(cell) if isinstance(thing, Verdict)]
    boxes = [(claim, box.verdict) for box in found for claim in box.claims]
    if lazy := [box["claims"] for box in _VERDICT_BOX.finditer(cell.text) if _goes_on(cell.text, box.end())]:
        return boxes, [f"the verdict box of {claims} goes on in a line without '>'" for claims in lazy]
    if cell.text.count("**Verdict (") == len(found):
        return boxes, []
    form = f"'> **Verdict (ID): verdict.** ...' with one of {', '.join((*VERDICTS, OPEN))}"
    return boxes, [f"a verdict box is not of the form {form}"]


def _goes_on(text: str, end: int) -> bool:
    """Whether a line that is not empty follows: Markdown takes it for a part of the quotation before it."""
    return text[end : end + 2] not in ("", "\n", "\n\n")


def _read_assertion(source: str, cell: dict, notebook: str) -> tuple[list[Assertion], list[str]]:
    name = assertion_name(source)
    if name is None:
        if re.search(r"^\s*#\s*Assertion\b", source, re.MULTILINE):
            return [], ["an assertion cell must begin with the line '# Assertion NAME: a plain sentence'"]
        return [], []
    problems = []
    if not _asserts(source):
        problems.append(f"assertion {name} holds no assert statement that can fail")
    if cell.get("execution_count") is None:
        problems.append(f"assertion {name} did not run; execute the notebook")
    if any(output["output_type"] == "error" for output in cell["outputs"]):
        problems.append(f"assertion {name} failed")
    lines = _stdout(cell["outputs"]).splitlines()
    fields = lines[-1].split(" | ", 2) if lines else []
    if len(fields) != 3 or fields[0] != name or fields[1] not in PRINTED or not _text(fields[2]):
        problems.append(
            f"assertion {name} must print '{name} | verdict | measured' as its last line; "
            f"it printed {lines[-1] if lines else 'nothing'!r}"
        )
        return [], problems
    return [Assertion(name, notebook, fields[1], fields[2])], problems


def _asserts(source: str) -> bool:
    """Whether the source has an assert whose test is more than a constant (a tuple with a message is one)."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a notebook's magic: nothing that an assertion needs
        return False
    return any(
        isinstance(node, ast.Assert) and not isinstance(node.test, ast.Constant | ast.Tuple)
        for node in ast.walk(tree)
    )


def _stdout(outputs: list[dict]) -> str:
    return "".join(
        "".join(o["text"]) for o in outputs if o["output_type"] == "stream" and o["name"] == "stdout"
    )


# ---- the one against the others


def check(ledger: Ledger, notebooks: Iterable[Path]) -> list[str]:
    """Where ledger and notebooks disagree, a sentence each; empty if the ledger says what the cells said."""
    read = {Path(path).name: read_notebook(path) for path in sorted(notebooks)}
    problems = [problem for notebook in read.values() for problem in notebook.problems]
    ran = [assertion for notebook in read.values() for assertion in notebook.assertions]
    problems += [
        f"assertion {name} stands in {n} cells; names are unique"
        for name, n in _repeated(a.name for a in ran)
    ]

    printed = {(assertion.notebook, assertion.name): assertion for assertion in ran}
    for claim in ledger.claims:
        for assertion in claim.assertions:
            problems += _assertion_problems(claim.id, assertion, read, printed)

    listed = {assertion.name for claim in ledger.claims for assertion in claim.assertions}
    ids = [claim.id for claim in ledger.claims]
    for assertion in ran:
        if assertion.name not in listed:
            claim = owner(assertion.name, ids)
            where = (
                f"under claim {claim} add"
                if claim
                else "it is named after no claim of the ledger: rename it;"
            )
            entry = json.dumps(assertion._asdict(), ensure_ascii=False)  # JSON is YAML
            problems.append(
                f"{assertion.notebook}: assertion {assertion.name} is not in the ledger; {where} {entry}"
            )

    verdicts = {claim.id: claim.verdict for claim in ledger.claims}
    for name, notebook in read.items():
        for claim, verdict in notebook.boxes:
            if claim not in verdicts:
                problems.append(f"{name}: verdict box names claim {claim}, which the ledger does not have")
            elif verdict != verdicts[claim]:
                problems.append(
                    f"{name}: verdict box of claim {claim} says {verdict!r}, the ledger {verdicts[claim]!r}"
                )
    return problems


def _assertion_problems(claim: str, listed: Assertion, read: dict, printed: dict) -> list[str]:
    who = f"claim {claim}, assertion {listed.name}"
    if listed.notebook not in read:
        return [f"{who}: there is no notebook {listed.notebook!r}"]
    ran = printed.get((listed.notebook, listed.name))
    if ran is None:
        return [f"{who}: {listed.notebook} has no cell of that name that ran and printed its verdict"]
    return [
        f"{who}: the ledger's {field} is {ours!r}, the cell printed {theirs!r}"
        for field, ours, theirs in zip(ASSERTION, listed, ran, strict=True)
        if ours != theirs
    ]


def unsupported(ledger: Ledger, notebooks: Iterable[Path]) -> list[str]:
    """Verdict boxes that correct a claim and do not say on what: a sentence each.

    A correction has hypotheses. They stand in a theorem (lemma, definition, equation) of the book, or in the
    description of an experiment (figure, table, assertion): the box, or the corrected statement in the
    ledger, must link to one.
    """
    corrected = {claim.id: claim.corrected for claim in ledger.claims if claim.corrected}
    return [
        f"{name}: the verdict box of claim {claim} links to no theorem, equation or "
        f"figure on which its correction rests"
        for name, text in _markdown(notebooks).items()
        for claims, box in _verdict_boxes(text)
        for claim in claims
        if claim in corrected and not _SUPPORT.search(box + corrected[claim])
    ]


def load_hypotheses(path: Path) -> dict[str, dict[str, dict[str, str] | str]]:
    """The file book/hypotheses.yml: claim -> anchor of a theorem -> its words -> those of the box.

    A text in place of the last mapping is the reason why the box need name no hypothesis. Raises ValueError
    for any other form.
    """
    path = Path(path)
    with open(path, encoding="utf-8") as file:
        document = yaml.load(file, _UniqueKeys)
    if not _mapping_of(document, str, dict):
        raise ValueError(
            f"{path.name} must map a claim to the anchors of theorems, as 'S-GD: {{thm-5-1: ...}}'"
        )
    for claim, theorems in document.items():
        for anchor, named in theorems.items():
            if not _text(named) and not _mapping_of(named, str):
                raise ValueError(
                    f"{path.name}, claim {claim}, {anchor}: it is {named!r}; map words of the theorem to "
                    f"words of the box, or write in a text why the box need name no hypothesis"
                )
    return document


def unnamed(hypotheses: dict, notebooks: Iterable[Path]) -> list[str]:
    """Verdict boxes that lean on a theorem and do not name its hypotheses: a sentence each.

    `hypotheses` is what `load_hypotheses` read. Three things are compared: every theorem that a box links to
    is listed, the theorem still has the words that are listed, and the box names each of them.
    """
    texts = _markdown(notebooks)
    proved = {found["anchor"]: found["text"] for text in texts.values() for found in _NUMBERED.finditer(text)}
    problems, used = [], set()
    for name, text in texts.items():
        for (claim, *_), box in _verdict_boxes(text):
            for anchor in dict.fromkeys(_PROVED.findall(box)):
                who = f"{name}: the verdict box of claim {claim} leans on {anchor}"
                named = hypotheses.get(claim, {}).get(anchor)
                used.add((claim, anchor))
                if named is None:
                    problems.append(f"{who}, whose hypotheses are not listed; add them to hypotheses.yml")
                elif isinstance(named, dict):
                    problems += [
                        f"{who}, which does not say {words!r}; list what it says"
                        for words in named
                        if words not in proved.get(anchor, "")
                    ]
                    problems += [
                        f"{who} and does not name its hypothesis {words!r}; let the box say {ours!r}"
                        for words, ours in named.items()
                        if ours not in box
                    ]
    problems += [
        f"hypotheses.yml: no verdict box of claim {claim} links to {anchor}; remove the entry"
        for claim, theorems in hypotheses.items()
        for anchor in theorems
        if (claim, anchor) not in used
    ]
    return problems


def _markdown(notebooks: Iterable[Path]) -> dict[str, str]:
    """The Markdown of each notebook, by its name."""
    return {
        path.name: "\n\n".join(
            "".join(cell["source"])
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
            if cell["cell_type"] == "markdown"
        )
        for path in sorted(map(Path, notebooks))
    }


def _verdict_boxes(text: str) -> list[tuple[list[str], str]]:
    """The verdict boxes of a text: the claims of each, and all that it says."""
    return [([*map(str.strip, box["claims"].split(","))], box[0]) for box in _VERDICT_BOX.finditer(text)]


def main() -> None:
    """Check this book's ledger against its notebooks; exit with the list of problems, if there are any."""
    root = Path(__file__).resolve().parents[2]
    try:
        ledger = load(root / "book" / "claims.yml")
    except ValueError as error:
        sys.exit(str(error))
    notebooks = sorted((root / "notebooks").glob("*.ipynb"))
    hypotheses = load_hypotheses(root / "book" / "hypotheses.yml")
    if problems := [*check(ledger, notebooks), *unnamed(hypotheses, notebooks)]:
        sys.exit("\n".join(problems))
    if sys.argv[1:] == ["--audit"]:
        from trials import audit, load_balls, load_records  # which need this module

        print("\n".join(audit(ledger, load_records(root / "book"), load_balls(root / "book"))))
        return
    counts = Counter(claim.verdict for claim in ledger.claims)
    print(", ".join(f"{verdict}: {counts[verdict]}" for verdict in (*VERDICTS, *UNDECIDED)))


if __name__ == "__main__":
    main()
