"""The sources of the exercises, course/exercises/NN_name.py, and the boxes that chapters show of them.

One file an exercise, in the percent format of jupytext:

    # ---
    # number: "2.9"            chapter, and place in it
    # title: Two layers
    # level: 2                 1 warm-up, 2 standard, 3 hard, 4 research
    # minutes: 20
    # section: "2.4"           what to have read
    # objective: ...           what one can do afterwards
    # points: 4
    # ---

    # %% prompt [markdown]
    # %% solution [markdown]   in words; of an exercise in words the whole of it
    # %% rubric [markdown]     what the points are given for

and of an exercise with code besides

    # %% setup                 optional: what stands before the answer
    # %% stub                  what a student starts from
    # %% solution
    # %% public                a check that the student sees; there may be more than one
    # %% hidden                a check for the grader alone; there may be more than one
    # %% wrong                 a plausible answer that passes the public checks and not the hidden ones

Everything else is generated from these files. `filled` writes the boxes into the chapters; stamp.py calls
it. The solution of an exercise in words is folded below its box. That of an exercise with code is not
in the chapter: it is graded.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import yaml

SOURCES = Path(__file__).resolve().parents[1] / "exercises"
LEVELS = {1: "warm-up", 2: "standard", 3: "hard", 4: "research"}

_CELL = re.compile(r"(?m)^# %% (?P<name>[a-z]+)(?P<kind> \[markdown\])?\n")
_HEADER = re.compile(r"\A# ---\n(?P<yaml>(?:#.*\n)+?)# ---\n")
_FIELDS = {"number", "title", "level", "minutes", "section", "objective", "points"}
_MARKDOWN = {"prompt", "solution", "rubric"}
_CODE = {"setup", "stub", "solution", "public", "hidden", "wrong"}
_BOX = re.compile(r'(?m)^<a id="ex-(?P<anchor>\d+-\d+)"></a>(?:\n>.*)*')
_FOLD = re.compile(
    r"\n+<details><summary>Solution to Exercise (?P<number>\d+\.\d+)</summary>\n.*?\n</details>", re.DOTALL
)


@dataclass(frozen=True)
class Exercise:
    """One exercise; `texts` and `code` hold its cells by name."""

    name: str  # the file's, without .py
    number: str
    title: str
    level: int
    minutes: int
    section: str
    objective: str
    points: int
    texts: dict[str, str]
    code: dict[str, list[str]]

    @property
    def chapter(self) -> int:
        return int(self.number.split(".")[0])

    @property
    def key(self) -> tuple[int, int]:
        chapter, place = self.number.split(".")
        return int(chapter), int(place)

    @property
    def has_code(self) -> bool:
        return "stub" in self.code

    @property
    def question(self) -> str:
        """Its name for a grading program."""
        return "q" + self.number.replace(".", "_")

    @property
    def label(self) -> str:
        return f"Level {self.level}, {self.minutes} minutes"

    def cell(self, name: str) -> str:
        return self.code[name][0] if name in self.code else ""


def parse(text: str, name: str) -> Exercise:
    """The exercise that the text of a file holds; raises ValueError naming the file and what is missing."""
    header = _HEADER.match(text)
    if not header:
        raise ValueError(f"{name}: a file of exercises begins with a header between two lines '# ---'")
    fields = yaml.safe_load(re.sub(r"(?m)^# ?", "", header["yaml"]))
    if set(fields) != _FIELDS:
        raise ValueError(f"{name}: the header must have exactly the fields {sorted(_FIELDS)}")
    if not re.fullmatch(r"\d+\.\d+", str(fields["number"])) or not isinstance(fields["number"], str):
        raise ValueError(f'{name}: number is {fields["number"]!r}; write it in quotes, as "2.9"')
    if fields["level"] not in LEVELS:
        raise ValueError(f"{name}: level is {fields['level']!r}; it must be one of {list(LEVELS)}")
    texts: dict[str, str] = {}
    code: dict[str, list[str]] = {}
    starts = [*_CELL.finditer(text), None]
    for start, following in pairwise(starts):
        body = text[start.end() : following.start() if following else len(text)].strip("\n")
        known = _MARKDOWN if start["kind"] else _CODE
        if start["name"] not in known:
            raise ValueError(f"{name}: the cell {start['name']!r} is none of {sorted(known)}")
        if start["kind"]:
            texts[start["name"]] = re.sub(r"(?m)^# ?", "", body)
        else:
            code.setdefault(start["name"], []).append(body)
    needed = {"prompt", "solution", "rubric"} - set(texts)
    if code:
        needed |= _CODE - {"setup"} - set(code)
    if needed:
        raise ValueError(f"{name}: the cells {sorted(needed)} are missing")
    return Exercise(name=name, texts=texts, code=code, **fields)


def read(folder: Path = SOURCES) -> dict[str, Exercise]:
    """All exercises by number, in order; raises ValueError where two have one number or one is missing."""
    found = [parse(path.read_text(encoding="utf-8"), path.stem) for path in sorted(folder.glob("*.py"))]
    exercises = {exercise.number: exercise for exercise in sorted(found, key=lambda e: e.key)}
    if len(exercises) < len(found):
        raise ValueError(f"two exercises in {folder} have the same number")
    for exercise in exercises.values():
        chapter, place = exercise.key
        if exercise.name[:3] != f"{chapter:02}_":
            raise ValueError(
                f"{exercise.name} holds Exercise {exercise.number}: begin its name with its chapter"
            )
        if place > 1 and f"{chapter}.{place - 1}" not in exercises:
            raise ValueError(f"Exercise {chapter}.{place - 1} is missing before {exercise.number}")
    return exercises


def box(exercise: Exercise) -> str:
    """The box of the exercise in its chapter, with the solution folded below it where that is no secret."""
    lines = f"**Exercise {exercise.number} ({exercise.title}).** {exercise.texts['prompt']}".split("\n")
    label = f"*{exercise.label}.*"
    if exercise.has_code:
        lines += ["", "```python", *exercise.cell("stub").split("\n"), "```"]
        label = f"*{exercise.label}, with checks: see [the course](../book/course.md).*"
    quoted = "\n".join(f"> {line}".rstrip() for line in [*lines, "", label])
    anchored = f'<a id="ex-{exercise.number.replace(".", "-")}"></a>\n{quoted}'
    return anchored if exercise.has_code else f"{anchored}\n\n{fold(exercise)}"


def fold(exercise: Exercise) -> str:
    summary = f"<details><summary>Solution to Exercise {exercise.number}</summary>"
    return f"{summary}\n\n{exercise.texts['solution']}\n\n</details>"


def filled(markdown: str, exercises: Mapping[str, Exercise]) -> str:
    """The cell with the boxes and folds of `exercises`; ValueError names a box that has no source."""

    def renewed(match: re.Match) -> str:
        number = match["anchor"].replace("-", ".")
        if number not in exercises:
            raise ValueError(f"Exercise {number} has no source in course/exercises")
        return box(exercises[number])

    def without_old_fold(match: re.Match) -> str:
        if match["number"] not in exercises:
            raise ValueError(f"the solution to Exercise {match['number']} has no source in course/exercises")
        return ""

    return _BOX.sub(renewed, _FOLD.sub(without_old_fold, markdown))


def missing(markdown: str, chapter: int, exercises: Mapping[str, Exercise]) -> list[str]:
    """The numbers of the chapter's exercises that have no box in its text."""
    shown = {anchor.replace("-", ".") for anchor in _BOX.findall(markdown)}
    return [number for number, e in exercises.items() if e.chapter == chapter and number not in shown]
