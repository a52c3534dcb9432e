"""Pages of the book about the course, from what chapters, exercises and assignments declare."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import nbformat
from exercises import LEVELS, Exercise

Files = Mapping[int, tuple[str, str]]  # of each chapter: file name and heading


def opening(path: Path) -> str:
    return nbformat.read(path, as_version=4).cells[0].source


def parts(name: str, folder: Path) -> list[str]:
    """The file names of a chapter's parts: `name` is the first."""
    return [name, *sorted(path.name for path in folder.glob(f"{name[:2]}b_*.ipynb"))]


def paragraph(text: str, name: str) -> str:
    """What follows **name** up to the next bold word at the start of a line."""
    found = re.search(rf"(?ms)^\*\*{name}[.:]?\*\*(.*?)(?=^\*\*|\Z)", text)
    return found[1].strip() if found else ""


def needs(files: Files, folder: Path) -> dict[int, list[int]]:
    """The earlier chapters that each chapter asks one to know first."""
    found = {}
    for chapter, (name, _) in files.items():
        linked = re.findall(r"\((\d\d)_\w+\.ipynb", paragraph(opening(folder / name), "Know first"))
        found[chapter] = sorted({int(number) for number in linked if int(number) < chapter})
    return found


def reading_minutes(folder: Path) -> dict[str, int]:
    """The minutes to read each section, by its number, as the maps of the chapters have them."""
    found = {}
    for path in sorted(folder.glob("[0-9][0-9]*_*.ipynb")):
        line = re.search(r"(?m)^\*\*Map\*\*.*$", opening(path))
        for entry in line[0].split(" · ") if line else []:
            number, minutes = re.search(r"(\d+\.\d+)\D.*\((\d+)\)", entry).groups()
            found[number] = int(minutes)
    return found


def plans(text: str, minutes: Mapping[str, int]) -> str:
    """The page of the plans, with the minutes behind each list of sections or chapter renewed."""

    def total(match: re.Match) -> str:
        numbers = [match["chapter"] + "."] if match["chapter"] else []
        for first, last in re.findall(r"(\d+\.\d+)(?: to (\d+\.\d+))?", match["sections"] or ""):
            chapter, begin = first.split(".")
            end = int((last or first).split(".")[1])
            numbers += [f"{chapter}.{i}" for i in range(int(begin), end + 1)]
        whole = match["chapter"] is not None
        counted = sum(
            n for at, n in minutes.items() if (at.startswith(tuple(numbers)) if whole else at in numbers)
        )
        return f"{match['sections'] or 'chapter ' + match['chapter']} ({counted})"

    number = r"\d+\.\d+(?: to \d+\.\d+)?"
    return re.sub(rf"(?:chapter (?P<chapter>\d+)|(?P<sections>{number}(?:, {number})*)) \(\d+\)", total, text)


def graph(needed: Mapping[int, list[int]]) -> str:
    """The dependency graph as a picture: a chapter stands right of all that it needs."""
    column: dict[int, int] = {}
    for chapter in sorted(needed):
        column[chapter] = 1 + max((column[other] for other in needed[chapter]), default=-1)
    rows: dict[int, int] = {}
    place = {}
    for chapter in sorted(needed):
        row = rows.get(column[chapter], 0)
        rows[column[chapter]] = row + 1
        place[chapter] = (50 + 150 * column[chapter], 35 + 46 * row)
    width, height = 100 + 150 * max(column.values()), 35 + 46 * max(rows.values())
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        'font-family="sans-serif" font-size="16">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for chapter, others in needed.items():
        x2, y2 = place[chapter]
        for other in others:
            x1, y1 = place[other]
            lines.append(
                f'<path d="M{x1 + 18} {y1}C{x1 + 80} {y1} {x2 - 80} {y2} {x2 - 18} {y2}" '
                'fill="none" stroke="#888888"/>'
            )
    for chapter, (x, y) in place.items():
        lines.append(f'<circle cx="{x}" cy="{y}" r="17" fill="#dce9f5" stroke="#33526e"/>')
        lines.append(f'<text x="{x}" y="{y + 6}" text-anchor="middle" fill="#1b2a38">{chapter}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def table(chosen: Iterable[Exercise]) -> str:
    """The list of exercises in Markdown."""
    rows = ["| exercise | level | minutes | section | points | objective |", "|---|---|---|---|---|---|"]
    for exercise in chosen:
        kind = ", code" if exercise.has_code else ""
        level = f"{exercise.level} {LEVELS[exercise.level]}{kind}"
        rows.append(
            f"| {exercise.number} {exercise.title.replace('|', '/')} | {level} | {exercise.minutes} | "
            f"{exercise.section} | {exercise.points} | {exercise.objective} |"
        )
    return "\n".join(rows)


def joined(numbers: list[int]) -> str:
    return ", ".join(str(number) for number in numbers) if numbers else "none"


def chapters(sources: Mapping[str, Exercise], files: Files, folder: Path) -> str:
    """The page with objectives, needs and exercises of each chapter."""
    needed = needs(files, folder)
    total = len(sources)
    coded = sum(exercise.has_code for exercise in sources.values())
    lines = [
        "# Objectives and exercises",
        "What each chapter asks one to know, what one can do after it, and its exercises. A chapter stands "
        "right of those that it needs.",
        "![The chapters as a graph; the sections below name what each one needs](course_graph.svg)",
        f"There are {total} exercises, {coded} of them with code and checks.",
    ]
    for chapter, (name, heading) in files.items():
        both = parts(name, folder)
        own = [exercise for exercise in sources.values() if exercise.chapter == chapter]
        aims = "\n".join(paragraph(opening(folder / part), "You will be able to") for part in both)
        aims = re.sub(r"\]\((?:#|\.\./|\d\db?_)[^)]*\)", "]", aims)
        aims = re.sub(r"\[([^\]]*)\]", r"\1", aims)
        lines.append(f"## {heading}")
        second = "".join(f" and [its second part](../notebooks/{part})" for part in both[1:])
        where = f"[The chapter](../notebooks/{name}){second}"
        lines.append(f"{where}. Needs the chapters: {joined(needed[chapter])}.")
        if aims:
            lines.append(f"After it you will be able to\n\n{aims}")
        lines.append(table(own))
    return "\n\n".join(lines) + "\n"


def report(each: dict) -> str:
    """What the report of an assignment is, with code to start it from."""
    start = f"```python\n{each['start']}```"
    words = "in a file of its own, since the grader runs the notebook of the exercises with a limit of time"
    return f"Report ({each['minutes']} minutes), one page, {words}. To start it from:\n\n{start}"


def assignments(given: list[dict], sources: Mapping[str, Exercise]) -> str:
    """The page of the assignments, with their rubrics."""
    parts = [
        "# Assignments",
        "Four, for the plan of eight sessions, one a week. The exercises with code are graded by their "
        "checks, those in words and the report by the rubrics.",
    ]
    for each in given:
        chosen = [sources[number] for number in each["exercises"]]
        points = sum(exercise.points for exercise in chosen) + sum(line["points"] for line in each["rubric"])
        minutes = sum(exercise.minutes for exercise in chosen) + each["minutes"]
        parts.append(f"## Assignment {each['id']}: {each['title']}")
        parts.append(f"Due in session {each['session']}; {minutes} minutes; {points} points.")
        parts.append(each["question"])
        parts.append(table(chosen))
        rubric = [f"* {line['points']} points: {line['for']}" for line in each["rubric"]]
        parts.append(report(each) + "\n\n" + "\n".join(rubric))
    return "\n\n".join(parts) + "\n"
