"""The archives for otter-grader: in the layout of Gradescope, and graded there as here.

`make test-everywhere` builds the image of Gradescope in a folder: it runs the archive's setup.sh, which needs
the network, and grades submissions with the otter-grader that this installs. The short form has a stand-in
for the one function of otter-grader that the files of tests import.
"""

import json
import os
import shutil
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "course" / "tools"))

import build  # noqa: E402
import checks  # noqa: E402
import exercises  # noqa: E402
import otter_archive  # noqa: E402

pytestmark = [pytest.mark.book, pytest.mark.slow("runs answers and checks as otter-grader does")]

SOURCES = exercises.read()
CHOSEN = [SOURCES["2.9"], SOURCES["5.4"], SOURCES["13.5"]]
POINTS = sum(exercise.points for exercise in CHOSEN)
FILES = otter_archive.files(CHOSEN, "https://example.org/book", "main")


def test_the_archive_has_the_layout_that_gradescope_unpacks():
    own = {f"tests/{exercise.question}.py" for exercise in CHOSEN}
    assert set(FILES) == {"run_autograder", "run_otter.py", "setup.sh", "otter_config.json"} | own
    for name in ("run_autograder", "setup.sh"):
        assert FILES[name].startswith("#!")
        assert subprocess.run(["bash", "-n"], input=FILES[name], text=True, check=False).returncode == 0
    settings = json.loads(FILES["otter_config.json"])
    assert settings == {"show_stdout": False, "show_hidden": False, "pdf": False}


@pytest.fixture
def cases(monkeypatch):
    """What the files of tests declare: each case with its points, by a stand-in for otter's test_case."""
    declared = []

    def test_case(*, points, hidden, name):
        def keep(function):
            declared.append((points, hidden, name, function))
            return function

        return keep

    stand_in = types.ModuleType("otter.test_files")
    stand_in.test_case = test_case
    monkeypatch.setitem(sys.modules, "otter", types.ModuleType("otter"))
    monkeypatch.setitem(sys.modules, "otter.test_files", stand_in)
    return declared


@pytest.mark.parametrize(("variant", "share"), [("solution", 1), ("wrong", 0.5), ("stub", 0)])
@pytest.mark.parametrize("exercise", CHOSEN, ids=lambda exercise: exercise.name)
def test_a_file_of_tests_gives_the_points(cases, exercise, variant, share):
    exec(compile(FILES[f"tests/{exercise.question}.py"], exercise.question, "exec"), {})
    assert sum(points for points, *_ in cases) == exercise.points
    assert {(name.split()[1], hidden) for _, hidden, name, _ in cases} == {
        ("public", False),
        ("hidden", True),
    }
    environment: dict = {}
    exec("\n".join([checks.IMPORTS, exercise.cell("setup"), exercise.cell(variant)]), environment)
    earned = 0.0
    for points, _, _, function in cases:
        try:
            function(environment)
            earned += points
        except Exception:
            continue
    assert earned == share * exercise.points


# ---- in a folder that is laid out like Gradescope's


def submission(variant: str) -> nbformat.NotebookNode:
    """The student's notebook with these answers in it, `stub` being as it was given out."""
    made = build.notebook("A", CHOSEN, path="", where=build.stamp.address(), solved=False)
    for cell in made.cells:
        if cell.cell_type == "code" and "exercise" in cell.metadata:
            cell.source = SOURCES[cell.metadata["exercise"]].cell(variant)
    return made


@pytest.fixture(scope="module")
def autograder(tmp_path_factory):
    """The folder /autograder, elsewhere: the archive unpacked, and its setup.sh run."""
    folder = tmp_path_factory.mktemp("gradescope")
    root, tools = folder / "autograder", folder / "bin"
    tools.mkdir()
    packed = folder / "archive.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(name, text.replace("/autograder", str(root)))
    shutil.unpack_archive(packed, root / "source")
    # Packages of the system are there already, and the book is this one.
    parts = " ".join(str(ROOT / name) for name in ("pyproject.toml", "README.md", "LICENSE", "ntk_helpers"))
    for name, script in (
        ("apt-get", "exit 0"),
        ("git", f'for target; do :; done\nmkdir -p "$target"\ncp -r {parts} "$target"'),
    ):
        (tools / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (tools / name).chmod(0o755)
    plain = {key: os.environ[key] for key in os.environ if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    plain |= {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)}
    subprocess.run(["bash", root / "source" / "setup.sh"], env=plain, check=True, timeout=1200)
    shutil.copy(root / "source" / "run_autograder", root)
    (root / "run_autograder").chmod(0o755)
    return root, plain


@pytest.mark.everywhere
@pytest.mark.slow("installs otter-grader as Gradescope would")
@pytest.mark.parametrize(("variant", "share"), [("solution", 1), ("wrong", 0.5), ("stub", 0)])
def test_gradescope_reads_the_points_and_students_see_no_hidden_check(autograder, variant, share):
    root, environment = autograder
    for name in ("submission", "results"):
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir()
    nbformat.write(submission(variant), root / "submission" / "student.ipynb")
    subprocess.run([root / "run_autograder"], env=environment, cwd=root, check=True, timeout=900)
    results = json.loads((root / "results" / "results.json").read_text(encoding="utf-8"))

    graded = [test for test in results["tests"] if "score" in test]
    assert {test["name"] for test in graded} == {exercise.question for exercise in CHOSEN}
    assert sum(test["max_score"] for test in graded) == POINTS
    assert sum(test["score"] for test in graded) == share * POINTS
    assert {test["visibility"] for test in graded} == {"hidden"}
    (shown,) = [test for test in results["tests"] if test["visibility"] == "visible"]
    assert shown["status"] == ("failed" if variant == "stub" else "passed")
    lines = [line for e in CHOSEN for check in e.code["hidden"] for line in check.split("\n")]
    assert not [line for line in lines if len(line) > 30 and line in shown["output"]]
