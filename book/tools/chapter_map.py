"""Say at the head of each chapter what is in it and how many minutes it takes.

    python book/tools/chapter_map.py            renew **Time:**, **Map** and the marks of sections
    python book/tools/chapter_map.py --print    print the minutes of each section, change nothing

Minutes are computed: a minute for 130 words of prose (a formula in a line counts as a word), half a minute
for a displayed formula, a minute for 1,230 characters of code (about 30 lines) and for a figure. Folds are
not counted. The minutes for the exercises are the sum of those that their boxes state.
A star after a section's number says that it can be skipped at a first reading; the tool keeps the stars, and
says the same below the heading of each starred section. The plans of the course (book/course_sessions.md) get
the minutes of their sections from the maps.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "course" / "tools"))

import course_pages  # noqa: E402

WORDS, DISPLAYS, CHARACTERS = 130, 2, 1230  # a minute each

_HEADING = re.compile(r"^## (?:(?P<number>\d+\.\d+) )?(?P<title>.+)$", re.MULTILINE)
_DISPLAY = re.compile(r"\$\$.*?\$\$", re.DOTALL)
_FOLD = re.compile(r"<details>.*?</details>", re.DOTALL)
_TIME = re.compile(r"\*\*Time:\*\* (?P<minutes>\d+) minutes to read(?:, \d+ for the exercises)?")
_EXERCISE = re.compile(r"(?m)^> \*Level \d, (?P<minutes>\d+) minutes")
_MAP = re.compile(r"^\*\*Map\*\*.*$", re.MULTILINE)
_ENTRY = re.compile(r"(?P<number>\d+\.\d+)(?P<star>\\\*)? (?P<title>.+?) \((?P<minutes>\d+)\)(?: · |\.)")
_MARKED = re.compile(r"^(?P<heading>## (?P<number>\d+\.\d+) .+)$(?:\n\n\*Advanced: .+\*$)?", re.MULTILINE)
MARK = "*Advanced: this section can be skipped at a first reading.*"
_UNCOUNTED = ("Exercises", "Which assertion breaks?")


class Section(NamedTuple):
    """A numbered section: `number` is 'chapter.counter'."""

    number: str
    title: str
    minutes: float


def prose_minutes(text: str) -> float:
    """Minutes to read Markdown without its folds."""
    text = _FOLD.sub(" ", text)
    displays = len(_DISPLAY.findall(text))
    text = re.sub(r"\$[^$]*\$", " formula ", _DISPLAY.sub(" ", text))
    text = re.sub(r"<[^>]*>|\]\([^)]*\)", " ", text)
    return len(re.findall(r"\w[\w'’-]*", text)) / WORDS + displays / DISPLAYS


def code_minutes(cell: dict) -> float:
    """Minutes to read a code cell and its figure; hidden cells are not read, of folded ones the figure is."""
    tags = cell["metadata"].get("tags", [])
    if "hide-cell" in tags:
        return 0.0
    figure = any("image/png" in output.get("data", {}) for output in cell["outputs"])
    folded = "hide-input" in tags
    return figure + (0.0 if folded else characters("".join(cell["source"])) / CHARACTERS)


def characters(code: str) -> int:
    """The length of a program without spaces and line breaks, which its layout does not change."""
    return len("".join(code.split()))


def pieces(notebook: dict) -> Iterator[tuple[str | None, str, float]]:
    """(number, title, minutes) of what the notebook holds, piece by piece, in order."""
    number, title = None, ""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            yield number, title, code_minutes(cell)
            continue
        text, start = "".join(cell["source"]), 0
        for heading in [*_HEADING.finditer(text), None]:
            end = heading.start() if heading else len(text)
            yield number, title, prose_minutes(text[start:end])
            if heading:
                number, title, start = heading["number"], heading["title"], heading.end()


def sections(notebook: dict) -> tuple[list[Section], float]:
    """The numbered sections, and the minutes of the whole chapter without its exercises."""
    found: dict[str, Section] = {}
    total = 0.0
    for number, title, minutes in pieces(notebook):
        if title in _UNCOUNTED:
            continue
        total += minutes
        if number:
            found[number] = Section(number, title, found.get(number, Section("", "", 0.0)).minutes + minutes)
    return list(found.values()), total


def exercise_minutes(notebook: dict) -> int:
    """The minutes that the boxes of the exercises state, together."""
    texts = ("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    return sum(int(found["minutes"]) for text in texts for found in _EXERCISE.finditer(text))


def rounded(minutes: float) -> int:
    """A chapter's minutes as a reader is told them."""
    return 5 * max(1, round(minutes / 5))


def stated(head: str) -> tuple[int, list[tuple[str, str, int]]]:
    """What the first cell says: the chapter's minutes, and (number, title, minutes) of its sections."""
    line = _MAP.search(head)
    entries = [(m["number"], m["title"], int(m["minutes"])) for m in _ENTRY.finditer(line[0])] if line else []
    time = _TIME.search(head)
    return (int(time["minutes"]) if time else 0), entries


def renewed(head: str, notebook: dict) -> str:
    """The first cell with computed minutes."""
    found, total = sections(notebook)
    old, stars = _MAP.search(head), starred(head)
    entries = " · ".join(
        f"{s.number}{chr(92) + '*' if s.number in stars else ''} {s.title} ({max(1, round(s.minutes))})"
        for s in found
        if s.title not in _UNCOUNTED
    )
    note = r" Sections with \* can be skipped at a first reading." if stars else ""
    line = f"**Map** (minutes): {entries}.{note}"
    time = f"**Time:** {rounded(total)} minutes to read, {exercise_minutes(notebook)} for the exercises"
    head = _TIME.sub(time, head)
    return _MAP.sub(lambda _: line, head) if old else f"{head.rstrip()}\n\n{line}"


def starred(head: str) -> set[str]:
    """The numbers of the sections that the first cell calls advanced."""
    line = _MAP.search(head)
    return {m["number"] for m in _ENTRY.finditer(line[0]) if m["star"]} if line else set()


def marked(text: str, stars: set[str]) -> str:
    """The Markdown with a mark below the headings of the sections in `stars`, and below no other."""
    return _MARKED.sub(lambda m: m["heading"] + (f"\n\n{MARK}" if m["number"] in stars else ""), text)


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--print"]):
        print(__doc__, file=sys.stderr)
        return 2
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        found, total = sections(notebook)
        if arguments:
            print(f"{path.name}: {total:.0f} minutes")
            print("\n".join(f"    {s.number} {s.title}: {s.minutes:.1f}" for s in found))
            continue
        before = json.dumps(notebook)
        head = notebook["cells"][0]
        stars = starred("".join(head["source"]))
        for cell in notebook["cells"][1:]:
            if cell["cell_type"] == "markdown":
                cell["source"] = marked("".join(cell["source"]), stars).splitlines(keepends=True)
        head["source"] = renewed("".join(head["source"]), notebook).splitlines(keepends=True)
        if json.dumps(notebook) != before:
            path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            print(f"renewed {path.name}")
    if not arguments:
        sessions = ROOT / "book" / "course_sessions.md"
        plans = sessions.read_text(encoding="utf-8")
        minutes = course_pages.reading_minutes(ROOT / "notebooks")
        sessions.write_text(course_pages.plans(plans, minutes), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
