"""Build the course: everything that is made from course/exercises, the assignments and the quizzes.

    python course/tools/build.py

    course/student/NN_chapter.ipynb         the exercises of a chapter, kept in the repository for Colab
    course/student/quizzes.ipynb            the quizzes by jupyterquiz; book/assets/quizzes.html has no kernel
    book/course_*.md, course_graph.svg      pages of the course: chapters, assignments, quizzes
    _build/course/student/                  the same, the assignments, and problem sheets
    _build/course/instructor/               solutions, question bank, archives for otter-grader: not published
    _build/course/quizzes/                  the quizzes for jupyterquiz

The first two rows are kept in the repository; `make stamp` renews them, and says if they are out of step
(`kept` below). Slides are built by slides.py.
"""

import html
import json
import re
import shutil
import sys
import zipfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import checks
import course_pages
import exercises
import nbformat
import otter_archive
import quizzes
import yaml
from exercises import Exercise

COURSE = Path(__file__).resolve().parents[1]
ROOT = COURSE.parent
sys.path.insert(0, str(ROOT / "book" / "tools"))

import stamp  # noqa: E402

OUTPUT = ROOT / "_build" / "course"
STUDENT = COURSE / "student"
# As in _config.yml: formulas drawn by MathJax, from the files beside the sheets.
MATHJAX = json.dumps(
    {
        "loader": {"load": ["core", "input/tex", "output/svg"]},
        "output": {
            "font": "mathjax-tex",
            "fontPath": "[mathjax]/%%FONT%%-font",
            "displayOverflow": "linebreak",
        },
    }
)
HOW_TO = """\
Each exercise has a cell for your answer and a cell that checks it. Replace the dots, run both. An error \
that names an `ellipsis` says that dots are left. The checks look at special cases: an answer that passes \
them may still be wrong, so test it on cases of your own. Hand in this notebook: *File*, *Download*, \
*.ipynb*."""


def titles() -> dict[int, tuple[str, str]]:
    """File name and heading of each chapter; of a chapter in two parts those of the first."""
    found = {}
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        heading = nbformat.read(path, as_version=4).cells[0].source.split("\n")[0]
        found[int(path.name[:2])] = (path.name, heading.removeprefix("# "))
    return found


@cache
def homes() -> dict[str, str]:
    """The file in which each exercise stands, by its number."""
    found = {}
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]*_*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        found |= {n.replace("-", "."): path.name for n in re.findall(r'<a id="ex-(\d+-\d+)"></a>', text)}
    return found


def linked(markdown: str, chapter_file: str, where: stamp.Address) -> str:
    """The text with its links into the book made addresses, so that they work anywhere."""
    base = f"{where.url}/blob/{where.branch}"
    markdown = re.sub(r"\]\(#", f"]({base}/notebooks/{chapter_file}#", markdown)
    markdown = re.sub(r"\]\(\.\./", f"]({base}/", markdown)
    return re.sub(r"\]\((\d\db?_\w+\.ipynb)", rf"]({base}/notebooks/\1", markdown)


# ---- notebooks


def notebook(
    title: str,
    chosen: list[Exercise],
    *,
    path: str,
    where: stamp.Address,
    solved: bool,
) -> nbformat.NotebookNode:
    """The notebook of the exercises: stubs and public checks, or with solutions, all checks and rubrics."""
    badge = stamp.badge(where, "").replace("/notebooks/)", f"/{path})")
    code, prose, home = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell, homes()
    cells = [
        prose(
            f"# {title}\n\n{badge}\n\n{'Solutions, for the instructor.' if solved else HOW_TO}", id="title"
        ),
        code(stamp.set_up(where), id="set-up", metadata={"tags": ["hide-cell"]}),
        code(checks.IMPORTS, id="imports"),
    ]
    for exercise in chosen:
        key = exercise.number.replace(".", "-")
        heading = f"## Exercise {exercise.number} ({exercise.title})"
        prompt = linked(exercise.texts["prompt"], home[exercise.number], where)
        label = f"*{exercise.label}, {exercise.points} points; section {exercise.section}*"
        cells.append(prose(f"{heading}\n\n{label}\n\n{prompt}", id=f"prompt-{key}"))
        if exercise.cell("setup"):
            cells.append(code(exercise.cell("setup"), id=f"given-{key}"))
        mark = {"exercise": exercise.number}
        if solved:
            words = linked(exercise.texts["solution"], home[exercise.number], where)
            cells.append(prose(f"**Solution.** {words}", id=f"words-{key}"))
            if exercise.has_code:
                cells.append(code(exercise.cell("solution"), id=f"answer-{key}", metadata=mark))
                every = [*exercise.code["public"], *exercise.code["hidden"]]
                cells.append(code(check_source(exercise, every, "all"), id=f"check-{key}"))
                wrong = f"**A plausible wrong answer**\n\n```python\n{exercise.cell('wrong')}\n```"
                cells.append(prose(wrong, id=f"wrong-{key}"))
            cells.append(prose(f"**Rubric**\n\n{exercise.texts['rubric']}", id=f"rubric-{key}"))
        elif exercise.has_code:
            cells.append(code(exercise.cell("stub"), id=f"answer-{key}", metadata=mark))
            source = check_source(exercise, exercise.code["public"], "public")
            cells.append(code(source, id=f"check-{key}"))
        else:
            cells.append(prose("*Your answer.*", id=f"answer-{key}", metadata=mark))
    result = nbformat.v4.new_notebook(cells=cells)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    result.metadata = {
        "course": {"exercises": [exercise.number for exercise in chosen]},
        "kernelspec": kernel,
        "language_info": {"name": "python"},
    }
    return nbformat.from_dict(result)


def check_source(exercise: Exercise, sources: Iterable[str], which: str) -> str:
    first = f"# Check of Exercise {exercise.number}: run this cell after your answer"
    last = f'print("Exercise {exercise.number}: the {which} checks pass")'
    return "\n\n".join([first, *sources, last])


def student_notebooks(
    sources: dict[str, Exercise], files: dict[int, tuple[str, str]], where: stamp.Address
) -> dict[str, str]:
    """The text of each file of course/student: the exercises with code of a chapter, then those in words."""
    texts = {}
    for chapter, (name, heading) in files.items():
        chosen = [exercise for exercise in sources.values() if exercise.chapter == chapter]
        chosen.sort(key=lambda exercise: not exercise.has_code)
        if chosen:
            path = f"course/student/{name}"
            made = notebook(f"Exercises of chapter {heading}", chosen, path=path, where=where, solved=False)
            texts[name] = nbformat.writes(made) + "\n"
    return texts


# ---- sheets and bank


def sheet(title: str, chosen: Iterable[Exercise]) -> str:
    """The problem sheet in Markdown."""
    parts = [f"# {title}"]
    for exercise in chosen:
        parts.append(f"## Exercise {exercise.number} ({exercise.title})")
        parts.append(f"*{exercise.label}, {exercise.points} points; section {exercise.section}*")
        parts.append(exercise.texts["prompt"])
        if exercise.has_code:
            parts.append(f"```python\n{exercise.cell('stub')}\n```")
    return "\n\n".join(parts) + "\n"


def page(markdown: str, title: str) -> str:
    """The sheet as one page of HTML that prints; mathematics by the book's own copy of MathJax."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    body = MarkdownIt("commonmark").use(dollarmath_plugin).render(markdown)
    body = re.sub(r'<(span|div) class="math inline">(.*?)</\1>', r"\\(\2\\)", body, flags=re.DOTALL)
    body = re.sub(r'<(span|div) class="math block">(.*?)</\1>', r"\\[\2\\]", body, flags=re.DOTALL)
    style = "body{max-width:46em;margin:2em auto;font:1rem/1.5 serif} pre{background:#f4f4f4;padding:.6em}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>\n'
        f"<style>{style}</style>\n<script>MathJax = {MATHJAX}</script>\n"
        f'<script defer src="mathjax/startup.js"></script>\n</head><body>\n{body}</body></html>\n'
    )


def bank(sources: dict[str, Exercise]) -> list[dict]:
    """All exercises as plain data, for import into another system."""
    plain = ("number", "title", "level", "minutes", "section", "objective", "points")
    return [
        {field: getattr(exercise, field) for field in plain}
        | {"texts": exercise.texts, "code": exercise.code}
        for exercise in sources.values()
    ]


# ---- everything


def assignments() -> list[dict]:
    path = COURSE / "assignments.yml"
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else []


def build(output: Path) -> None:
    sources, files, where = exercises.read(), titles(), stamp.address()
    if output.exists():
        shutil.rmtree(output)
    student, instructor = output / "student", output / "instructor"
    for folder in (student, instructor / "otter"):
        folder.mkdir(parents=True)
    shutil.copytree(ROOT / "book" / "assets" / "mathjax", student / "mathjax")

    def write(path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")

    for name, text in student_notebooks(sources, files, where).items():
        write(student / name, text)
    groups = {
        path[:-6]: (f"Chapter {heading}", [e for e in sources.values() if e.chapter == chapter])
        for chapter, (path, heading) in files.items()
    }
    finds: dict[str, str] = {}
    for each in assignments():
        finds[f"assignment_{each['id']}"] = f"\n\nWhat the report should find: {each['find']}"
        chosen = [sources[number] for number in each["exercises"]]
        title = f"Assignment {each['id']}: {each['title']}"
        groups[f"assignment_{each['id']}"] = (title, chosen)
        made = notebook(title, chosen, path="", where=where, solved=False)
        made.cells[0].source = f"# {title}\n\n{each['question']}\n\n{course_pages.report(each)}\n\n{HOW_TO}"
        write(student / f"assignment_{each['id']}.ipynb", nbformat.writes(made) + "\n")
    for name, (title, chosen) in groups.items():
        if not chosen:
            continue
        text = sheet(title, chosen)
        write(student / f"{name}.md", text)
        write(student / f"{name}.html", page(text, title))
        solved = notebook(f"{title}: solutions", chosen, path="", where=where, solved=True)
        solved.cells[0].source = f"# {title}: solutions\n\nFor the instructor." + finds.get(name, "")
        write(instructor / f"{name}_solutions.ipynb", nbformat.writes(solved) + "\n")
        coded = [exercise for exercise in chosen if exercise.has_code]
        if coded:
            with zipfile.ZipFile(instructor / "otter" / f"{name}.zip", "w") as archive:
                for inside, content in otter_archive.files(coded, where.url, where.branch).items():
                    archive.writestr(zipfile.ZipInfo(inside), content)
    write(instructor / "bank.json", json.dumps(bank(sources), indent=1, ensure_ascii=False) + "\n")
    write(instructor / "exercises.md", course_pages.table(sources.values()))
    quizzes.build(output / "quizzes")


def kept() -> dict[Path, str]:
    """The text of each generated file that the repository keeps."""
    sources, files, where = exercises.read(), titles(), stamp.address()
    book = ROOT / "book"
    notebooks, given = student_notebooks(sources, files, where), quizzes.read()
    badge = stamp.badge(where, "").replace("/notebooks/)", "/course/student/quizzes.ipynb)")
    notebooks["quizzes.ipynb"] = quizzes.notebook(given, files, badge, where.url)
    return {
        **{STUDENT / name: text for name, text in notebooks.items()},
        book / "course_chapters.md": course_pages.chapters(sources, files, ROOT / "notebooks"),
        book / "course_graph.svg": course_pages.graph(course_pages.needs(files, ROOT / "notebooks")),
        book / "course_assignments.md": course_pages.assignments(assignments(), sources),
        book / "course_quizzes.md": quizzes.page(given, files),
        book / "assets" / "quizzes.html": quizzes.marking_page(given, files, MATHJAX),
    }


if __name__ == "__main__":
    build(OUTPUT)
    print(f"built {OUTPUT}")
