"""The grader, with submissions that are right, wrong, half right, empty, and out to harm."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "course" / "tools"))

import exercises  # noqa: E402
import grade  # noqa: E402
import worker  # noqa: E402

pytestmark = [pytest.mark.book, pytest.mark.slow("grades notebooks in fresh kernels")]

SOURCES = exercises.read()
WANTED = [SOURCES["2.9"], SOURCES["5.4"]]
HIDDEN = [check for exercise in WANTED for check in exercise.code["hidden"]]
ISOLATION = grade.namespaces()

# Each cell tries one thing; the last one asks that the grader stays alive all the same.
MALICIOUS = """\
import os, shutil
shutil.rmtree({victim!r})
---
os.remove({victim!r} + "/kept.txt")
---
open({victim!r} + "/kept.txt", "w").write("gone")
---
print(open({source!r}).read())
---
raise RuntimeError(open({source!r}).read())
---
import subprocess
subprocess.run(["sh", "-c", "cat {source}; rm -rf {victim}"])
---
import ctypes
ctypes.CDLL(None).system(b"rm -rf {victim}")
---
import socket
socket.create_connection(("127.0.0.1", 80))
---
print(os.listdir(os.path.expanduser("~root")))
---
numbers = bytearray(1 << 34)
---
while True:
    pass
"""


def submission(path, *cells):
    made = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]
    notebook = {"cells": made, "metadata": {"course": {"exercises": ["2.9", "5.4"]}}}
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def answers(variant):
    return ["import numpy as np", *(exercise.cell(variant) for exercise in WANTED)]


def graded(path, *, isolation=ISOLATION, seconds=5):
    return grade.graded(path, WANTED, seconds=seconds, megabytes=3000, isolation=isolation)


@pytest.fixture(scope="module")
def class_of_students(tmp_path_factory):
    """A folder of submissions, graded: its path and the rows."""
    folder = tmp_path_factory.mktemp("submissions")
    victim = folder / "victim"
    victim.mkdir()
    (victim / "kept.txt").write_text("kept")
    submission(folder / "right.ipynb", *answers("solution"))
    submission(folder / "wrong.ipynb", *answers("wrong"))
    submission(folder / "half.ipynb", *answers("stub"), WANTED[0].cell("solution"), "x = 1 / 0")
    submission(folder / "stub.ipynb", *answers("stub"))
    submission(folder / "empty.ipynb")
    (folder / "broken.ipynb").write_text("not a notebook")
    source = ROOT / "course" / "exercises" / f"{WANTED[0].name}.py"
    attacks = MALICIOUS.format(victim=str(victim), source=str(source)).split("\n---\n")
    submission(folder / "exits.ipynb", *answers("solution"), "import sys\nsys.exit()")
    submission(folder / "malicious.ipynb", *answers("solution"), *attacks)
    rows = grade.grade_folder(folder, folder / "graded", WANTED, seconds=5, megabytes=3000)
    return folder, {row["submission"]: row for row in rows}


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("right", 8),
        ("wrong", 4),
        ("half", 4),
        ("stub", 0),
        ("empty", 0),
        ("broken", 0),
        ("exits", 8),
        ("malicious", 8),
    ],
)
def test_points(class_of_students, name, points):
    _, rows = class_of_students
    assert float(rows[name]["points"]) == points
    assert rows[name]["possible"] == 8


def test_table_has_one_row_a_student(class_of_students):
    folder, rows = class_of_students
    lines = (folder / "graded" / "grades.csv").read_text().splitlines()
    assert lines[0] == "submission,2.9,5.4,points,possible,note"
    assert len(lines) == 1 + len(rows) == 9


def test_a_report_tells_the_public_checks_and_counts_the_hidden_ones(class_of_students):
    folder, _ = class_of_students
    report = (folder / "graded" / "reports" / "wrong.md").read_text()
    assert "* public check 1: passed" in report
    assert "* hidden checks: 0 of 1 passed" in report
    assert "ZeroDivisionError" in (folder / "graded" / "reports" / "half.md").read_text()


def test_a_malicious_submission_harms_nothing(class_of_students):
    folder, _ = class_of_students
    assert (folder / "victim" / "kept.txt").read_text() == "kept"
    report = (folder / "graded" / "reports" / "malicious.md").read_text()
    assert "stopped after 5 seconds" in report
    assert "MemoryError" in report


def test_no_report_repeats_a_hidden_check(class_of_students):
    folder, _ = class_of_students
    text = "\n".join(path.read_text() for path in (folder / "graded" / "reports").glob("*.md"))
    lines = {line.strip() for check in HIDDEN for line in check.split("\n") if len(line.strip()) > 20}
    assert lines
    assert not [line for line in lines if line in text]


def test_the_audit_hook_alone_contains_python(tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "kept.txt").write_text("kept")
    source = ROOT / "course" / "exercises" / f"{WANTED[0].name}.py"
    attacks = MALICIOUS.format(victim=str(victim), source=str(source)).split("\n---\n")[:-2]
    grade_ = graded(submission(tmp_path / "malicious.ipynb", *attacks), isolation=[])
    assert (victim / "kept.txt").read_text() == "kept"
    assert sum("PermissionError" in line for line in grade_.lines) == len(attacks)
    assert "def erf_kernels" not in "\n".join(grade_.lines)


# The cell raises the alarm itself. That of the clock may strike where CPython 3.11 looks for no handler:
# at the jump of a loop that is the first line of a try.
CATCHES = """\
import signal
try:
    signal.raise_signal(signal.SIGALRM)
except BaseException:
    caught = True
while caught:
    pass
"""
LEAVES = "import os\nos._exit(0)"
LEAVES_LATER = """\
import os
def erf_kernels(*arguments):
    os._exit(0)
"""


@pytest.mark.parametrize(
    ("cell", "note"),
    [
        (CATCHES, "the submission was stopped after 8 seconds in all"),
        (LEAVES, "the submission has ended"),
        (LEAVES_LATER, ""),
    ],
    ids=["catches the alarm", "leaves", "leaves when called"],
)
@pytest.mark.parametrize("isolation", [ISOLATION, []], ids=["namespaces", "hook"])
def test_a_submission_that_never_answers_gets_nothing(tmp_path, cell, note, isolation, monkeypatch):
    monkeypatch.setattr(grade, "PATIENCE", (8, 0) if cell is CATCHES else (600, 0))
    path = submission(tmp_path / "s.ipynb", *answers("solution"), cell)
    result = graded(path, isolation=isolation, seconds=60)
    assert sum(result.points.values()) == 0
    assert result.note == note


@pytest.mark.parametrize(
    "value", [1, 2.5, "a", None, True, 1 + 2j, [1, (2, 3)], {"a": 1.0}], ids=lambda value: repr(value)[:12]
)
def test_values_survive_the_way(value):
    assert worker.decoded(json.loads(json.dumps(worker.encoded(value)))) == value


def test_arrays_survive_the_way_and_objects_do_not():
    import numpy as np

    array = np.arange(6.0).reshape(2, 3)
    back = worker.decoded(json.loads(json.dumps(worker.encoded(array))))
    assert back.dtype == array.dtype
    assert (back == array).all()
    with pytest.raises(TypeError, match="is not an answer"):
        worker.encoded(object())


def test_folders_without_submissions_or_exercises_are_named(tmp_path):
    with pytest.raises(SystemExit):
        grade.main([str(tmp_path)])
    (tmp_path / "a.ipynb").write_text("{}")
    with pytest.raises(ValueError, match="names its exercises"):
        grade.wanted_exercises(tmp_path, None)
