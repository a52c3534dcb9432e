"""The course: the sources of its exercises, and what is generated from them."""

import ast
import base64
import hashlib
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "course" / "tools"))

import build  # noqa: E402
import checks  # noqa: E402
import course_pages  # noqa: E402
import exercises  # noqa: E402
import grade  # noqa: E402
import quizzes  # noqa: E402
import slides  # noqa: E402

pytestmark = [pytest.mark.book, pytest.mark.slow("builds the course's notebooks")]

SOURCES = exercises.read()
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
CHAPTERS = [path for path in NOTEBOOKS if path.name[2] == "_"]  # without second parts

SAMPLE = """\
# ---
# number: "2.1"
# title: Two layers
# level: 1
# minutes: 5
# section: "2.4"
# objective: Add
# points: 2
# ---

# %% prompt [markdown]
# Add $a$ and $b$.
#
# Then stop.

# %% solution [markdown]
# The sum.

# %% rubric [markdown]
# * 2 points: the sum.
"""
CODE = """
# %% stub
def add(a, b):
    return ...

# %% solution
def add(a, b):
    return a + b

# %% public
assert add(0, 2) == 2

# %% hidden
assert add(1, 2) == 3

# %% wrong
def add(a, b):
    return b
"""


def chapter_text(path):
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_chapters_show_the_exercises_of_the_sources(path):
    text = chapter_text(path)
    assert exercises.filled(text, SOURCES) == text
    both = "\n".join(chapter_text(part) for part in NOTEBOOKS if part.name[:2] == path.name[:2])
    assert exercises.missing(both, int(path.name[:2]), SOURCES) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_chapters_state_the_minutes_of_their_exercises(path):
    head = nbformat.read(path, as_version=4).cells[0].source
    minutes = sum(SOURCES[number].minutes for number, file in build.homes().items() if file == path.name)
    assert f" minutes to read, {minutes} for the exercises." in head, "run book/tools/chapter_map.py"


def test_box_of_an_exercise_in_words_has_its_solution():
    sample = exercises.parse(SAMPLE, "02_sample")
    assert exercises.box(sample) == (
        '<a id="ex-2-1"></a>\n> **Exercise 2.1 (Two layers).** Add $a$ and $b$.\n>\n> Then stop.\n>\n'
        "> *Level 1, 5 minutes.*\n\n"
        "<details><summary>Solution to Exercise 2.1</summary>\n\nThe sum.\n\n</details>"
    )


def test_box_of_an_exercise_with_code_keeps_its_solution_secret():
    shown = exercises.box(exercises.parse(SAMPLE + CODE, "02_sample"))
    assert "> def add(a, b):\n>     return ...\n" in shown
    assert "The sum" not in shown
    assert "a + b" not in shown


def test_filling_renews_box_and_fold_and_does_so_once():
    sources = {"2.1": exercises.parse(SAMPLE, "02_sample")}
    filled = exercises.filled('Words.\n\n<a id="ex-2-1"></a>\n\nMore.', sources)
    assert filled == f"Words.\n\n{exercises.box(sources['2.1'])}\n\nMore."
    assert exercises.filled(filled, sources) == filled
    assert exercises.filled(filled.replace("The sum", "No"), sources) == filled
    assert exercises.filled(filled.replace("Add", "Subtract"), sources) == filled


def test_filling_names_a_box_without_a_source():
    with pytest.raises(ValueError, match=r"Exercise 2\.1 has no source"):
        exercises.filled('<a id="ex-2-1"></a>', {})


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("# level: 1", "# level: 7", "level is 7"),
        ("# minutes: 5\n", "", "exactly the fields"),
        ('"2.1"', "2.1", "in quotes"),
        ("# %% rubric", "# %% grade", "is none of"),
        ("# %% hidden\n", "# %% public\n", "hidden"),
        ("# ---\n", "", "begins with a header"),
    ],
)
def test_bad_sources_are_named(before, after, message):
    with pytest.raises(ValueError, match=message):
        exercises.parse((SAMPLE + CODE).replace(before, after), "02_sample")


def test_reading_finds_doubles_gaps_and_misnamed_files(tmp_path):
    def write(name, number):
        (tmp_path / name).write_text(SAMPLE.replace("2.1", number))

    write("02_a.py", "2.2")
    with pytest.raises(ValueError, match=r"2\.1 is missing"):
        exercises.read(tmp_path)
    write("02_b.py", "2.2")
    with pytest.raises(ValueError, match="same number"):
        exercises.read(tmp_path)
    write("02_b.py", "2.1")
    assert list(exercises.read(tmp_path)) == ["2.1", "2.2"]
    (tmp_path / "02_a.py").rename(tmp_path / "03_a.py")
    with pytest.raises(ValueError, match="begin its name"):
        exercises.read(tmp_path)


# ---- exercises with code

CODED = [exercise for exercise in SOURCES.values() if exercise.has_code]
# One in eight each time, all in make test-everywhere.
SAMPLED = [
    pytest.param(exercise, id=exercise.name, marks=() if i % 8 == 0 else pytest.mark.everywhere)
    for i, exercise in enumerate(CODED)
]


@pytest.mark.parametrize("exercise", SAMPLED)
def test_solution_passes_stub_fails_and_wrong_answer_is_found_out(exercise):
    solution, stub, wrong = (
        checks.failures(exercise, exercise.cell(v)) for v in ("solution", "stub", "wrong")
    )
    assert solution == {"public": [], "hidden": []}
    assert len(stub["public"]) >= 1
    assert wrong["public"] == []
    assert len(wrong["hidden"]) >= 1


def test_every_chapter_has_four_exercises_two_of_them_with_code():
    for path in CHAPTERS:
        own = [exercise for exercise in SOURCES.values() if exercise.chapter == int(path.name[:2])]
        assert len(own) >= 4, path.name
        assert sum(exercise.has_code for exercise in own) >= 2, path.name


def test_exercises_name_sections_that_exist():
    headings = "\n".join(chapter_text(path) for path in NOTEBOOKS)
    sections = set(re.findall(r"(?m)^## (\d+\.\d+) ", headings))
    assert {exercise.section for exercise in SOURCES.values()} <= sections


def test_names_of_answers_are_unique_and_their_lines_do_not_scroll():
    names = [name for exercise in CODED for name in grade.names_of(exercise)]
    assert len(names) == len(set(names))
    cells = [cell for exercise in CODED for cells in exercise.code.values() for cell in cells]
    assert max(len(line) for cell in cells for line in cell.split("\n")) <= 88


def test_public_checks_say_what_they_look_at():
    for exercise in CODED:
        nodes = [node for check in exercise.code["public"] for node in ast.walk(ast.parse(check))]
        assert all(node.msg for node in nodes if isinstance(node, ast.Assert)), exercise.number


@pytest.mark.everywhere
def test_the_grader_agrees_on_every_exercise(tmp_path):
    isolation = grade.namespaces()
    for variant, share in (("solution", 1.0), ("wrong", 0.5), ("stub", 0.0)):
        cells = [nbformat.v4.new_code_cell(checks.IMPORTS)]
        for exercise in CODED:
            cells += [nbformat.v4.new_code_cell(exercise.cell(kind)) for kind in ("setup", variant)]
        path = tmp_path / f"{variant}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        result = grade.graded(path, CODED, seconds=60, megabytes=4000, isolation=isolation)
        for exercise in CODED:
            earned = result.points[exercise.number] / exercise.points
            assert earned == share or (variant == "wrong" and 0.5 <= earned < 1), exercise.number


def test_the_check_of_checks_tells_answers_apart():
    sample = exercises.parse(SAMPLE + CODE, "02_sample")
    assert checks.failures(sample, sample.cell("solution")) == {"public": [], "hidden": []}
    assert checks.failures(sample, sample.cell("stub"))["public"] == ["AssertionError: "]
    assert checks.failures(sample, sample.cell("wrong")) == {"public": [], "hidden": ["AssertionError: "]}


# ---- what is generated


def test_no_two_tools_share_a_name():
    folders = ("book/ext", "book/tools", "course/tools", "tests/environments")
    names = [path.stem for folder in folders for path in (ROOT / folder).glob("*.py")]
    assert len(names) == len(set(names))


def test_kept_files_are_in_step():
    for path, text in build.kept().items():
        assert path.read_text(encoding="utf-8") == text, path.name


def test_student_notebooks_hold_no_solution_and_no_hidden_check():
    for exercise in CODED:
        for path in (ROOT / "course" / "student").glob(f"{exercise.name[:2]}_*.ipynb"):
            cells = nbformat.read(path, as_version=4).cells
            text = "\n\n".join(cell.source for cell in cells)
            assert exercise.cell("stub") in text
            for secret in (exercise.cell("solution"), exercise.cell("wrong"), *exercise.code["hidden"]):
                assert secret not in text


def test_build_writes_every_part(tmp_path):
    build.build(tmp_path / "course")
    student, instructor = tmp_path / "course" / "student", tmp_path / "course" / "instructor"
    for path in CHAPTERS:
        assert (student / path.name).exists()
        assert (student / f"{path.stem}.html").exists()
        assert (instructor / f"{path.stem}_solutions.ipynb").exists()
    secrets = [check for exercise in CODED for check in exercise.code["hidden"]]
    published = "".join(path.read_text(encoding="utf-8") for path in student.glob("*.*"))
    assert not [secret for secret in secrets if secret in published]
    with zipfile.ZipFile(instructor / "otter" / "02_tangent_kernel.zip") as archive:
        assert {"run_autograder", "run_otter.py", "setup.sh", "tests/q2_9.py"} <= set(archive.namelist())
        compile(archive.read("tests/q2_9.py"), "q2_9", "exec")
    assert len(json.loads((instructor / "bank.json").read_text())) == len(SOURCES)


# ---- quizzes, assignments, projects


def test_each_chapter_has_five_questions():
    given = quizzes.read()
    assert [quiz["chapter"] for quiz in given] == [int(path.name[:2]) for path in CHAPTERS]
    assert {len(quiz["questions"]) for quiz in given} == {5}


def test_the_page_that_marks_needs_no_network_and_holds_all_questions():
    given = quizzes.read()
    page = quizzes.marking_page(given, build.titles(), build.MATHJAX)
    assert not re.search(r'(?:src|href)="https?:|fetch\(', page)
    assets = ROOT / "book" / "assets"
    assert all((assets / name).is_file() for name in re.findall(r'(?:src|href)="([^"]+)"', page))
    data = json.loads(re.search(r"(?m)^const QUIZZES = (.*);$", page)[1])
    assert data == {str(quiz["chapter"]): quizzes.for_jupyterquiz(quiz) for quiz in given}
    for quiz in given:
        assert f'id="quiz-{quiz["chapter"]}"' in page


def test_the_notebook_of_quizzes_holds_its_questions():
    given = quizzes.read()
    made = nbformat.reads(quizzes.notebook(given, build.titles(), "badge", "url"), as_version=4)
    calls = [cell.source for cell in made.cells if cell.source.startswith('quiz("')]
    held = [json.loads(base64.b64decode(call[6:-2])) for call in calls]
    assert held == [quizzes.for_jupyterquiz(quiz) for quiz in given]


def test_text_of_questions_is_marked_up_for_jupyterquiz():
    assert quizzes.marked_up("`W_std` is $a<b$") == "<code>W_std</code> is $a&lt;b$"


def test_scripts_of_jupyterquiz_are_the_published_ones():
    folder = ROOT / "book" / "assets" / "jupyterquiz"
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in folder.iterdir()}
    assert found == {
        "LICENSE": "21689ffbf078d6a9",
        "helpers.js": "8197bdff60dae225",
        "multiple_choice.js": "14bf56284a96e6d1",
        "styles.css": "160862b995830d89",
    }


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [("right: true", "right: false", "exactly one"), ("because: B", "because: ''", "explanation")],
)
def test_bad_questions_are_named(tmp_path, before, after, message):
    question = "{question: Q, answers: [{answer: A, right: true, because: B}]}"
    text = f"- chapter: 3\n  questions:\n    - {question}\n"
    path = tmp_path / "quizzes.yml"
    path.write_text(text)
    assert quizzes.for_jupyterquiz(quizzes.read(path)[0])[0]["answers"][0]["correct"] is True
    path.write_text(text.replace(before, after))
    with pytest.raises(ValueError, match=message):
        quizzes.read(path)


def test_assignments_name_exercises_with_code_and_in_words():
    for each in build.assignments():
        kinds = {SOURCES[number].has_code for number in each["exercises"]}
        assert kinds == {True, False}
        assert sum(line["points"] for line in each["rubric"]) == 6


def test_plans_name_sections_and_exercises_that_exist():
    text = (ROOT / "book" / "course_sessions.md").read_text(encoding="utf-8")
    plans = [line.split("|") for line in text.splitlines() if re.match(r"\| \d+ \|.*\(\d+\)", line)]
    assert len(plans) == 8 + 6 + 12
    headings = "\n".join(chapter_text(path) for path in NOTEBOOKS)
    for _, _, sections, listed, *_ in plans:
        assert set(re.findall(r"\d+\.\d+", listed)) <= set(SOURCES)
        for section in re.findall(r"\d+\.\d+", sections):
            assert re.search(rf"(?m)^## {re.escape(section)} ", headings), section


def test_plans_state_the_minutes_of_the_maps():
    text = (ROOT / "book" / "course_sessions.md").read_text(encoding="utf-8")
    minutes = course_pages.reading_minutes(ROOT / "notebooks")
    assert course_pages.plans(text, minutes) == text, "run book/tools/chapter_map.py"


def test_minutes_of_a_plan_are_those_of_its_sections():
    minutes = {"2.1": 5, "2.2": 7, "2.10": 40, "3.1": 2, "20.1": 90}
    plan = "primer (20); forward, 2.1 to 2.2, 3.1 (0) | 2.1, 2.9 | chapter 2 (1); 2.10 (3)"
    renewed = "primer (20); forward, 2.1 to 2.2, 3.1 (14) | 2.1, 2.9 | chapter 2 (52); 2.10 (40)"
    assert course_pages.plans(plan, minutes) == renewed


PROJECTS = re.findall(
    r"```python\n(.*?)```", (ROOT / "book" / "course_projects.md").read_text(encoding="utf-8"), re.DOTALL
)


def test_there_are_ten_projects():
    assert len(PROJECTS) == 10


@pytest.mark.everywhere
@pytest.mark.parametrize("step", PROJECTS, ids=range(1, len(PROJECTS) + 1))
def test_the_first_step_of_each_project_works(step, monkeypatch):
    runs(step, monkeypatch)


@pytest.mark.everywhere
@pytest.mark.parametrize("each", build.assignments(), ids=lambda each: each["title"])
def test_the_start_of_each_report_works(each, monkeypatch):
    runs(each["start"], monkeypatch)


def runs(step, monkeypatch):
    monkeypatch.chdir(ROOT)
    run = subprocess.run([sys.executable, "-c", step], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout


# ---- slides


def test_slides_show_boxes_pictures_and_notes():
    given = slides.decks()
    assert len(given) == 8
    for title, deck in given:
        shown = slides.page(title, deck, printed=False)
        assert shown.count("<section>") == len(deck) >= 8
        assert shown.count('class="notes"') >= 5
        assert "reveal.js" in shown
        assert "reveal.js" not in slides.page(title, deck, printed=True)
        assert not re.search(r'(?:src|href)="https?:', shown)
    assert "Two Gram matrices a layer" in "".join(given[1][1])
    assert "data:image/png;base64" in "".join(given[1][1])


def test_slides_name_an_anchor_that_is_gone():
    with pytest.raises(ValueError, match="has no anchor thm-2-99"):
        slides.Chapter(ROOT / "notebooks" / "02_tangent_kernel.ipynb").item("thm-2-99")
