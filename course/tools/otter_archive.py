"""The archive with which otter-grader 7 grades, on Gradescope or with `otter run -a ARCHIVE NOTEBOOK`.

It has the layout of `otter generate`, and is written here so that building the course needs no otter-grader.
"""

import json

from exercises import Exercise

VERSION = "7.0.0"
_HEAD = """\
from otter.test_files import test_case

OK_FORMAT = False
name = {name!r}
points = None
"""
_CASE = """

@test_case(points={points!r}, hidden={hidden}, name={title!r})
def {function}(env):
    exec({source!r}, dict(env))
"""
_RUN = """\
#!/bin/bash
source /autograder/otter-env/bin/activate
python /autograder/source/run_otter.py
"""
_OTTER = """\
from otter.run.run_autograder import main

if __name__ == "__main__":
    main("/autograder")
"""
_SETUP = """\
#!/usr/bin/env bash
set -e
apt-get update
apt-get install -y git python3 python3-venv
git clone --depth=1 --branch={branch} {url} /autograder/book
# The book needs Python 3.11, which an image of Gradescope need not have: uv fetches one.
python3 -m venv /autograder/uv
/autograder/uv/bin/pip install uv
/autograder/uv/bin/uv venv --python ">=3.11" /autograder/otter-env
/autograder/uv/bin/uv pip install --python /autograder/otter-env/bin/python \
    "otter-grader[grading]=={version}" ipykernel /autograder/book
/autograder/otter-env/bin/python -m ipykernel install --sys-prefix
"""


def test_file(exercise: Exercise) -> str:
    """Its checks as otter's test cases: half of the points for the public ones, half for the hidden ones."""
    text = _HEAD.format(name=exercise.question)
    for kind in ("public", "hidden"):
        checks = exercise.code[kind]
        for i, source in enumerate(checks, 1):
            text += _CASE.format(
                points=exercise.points / 2 / len(checks),
                hidden=kind == "hidden",
                title=f"{exercise.number} {kind} {i}",
                function=f"{kind}_{i}",
                source=source,
            )
    return text


def files(chosen: list[Exercise], url: str, branch: str) -> dict[str, str]:
    """The files of the archive for these exercises, by their names in it."""
    settings = {"show_stdout": False, "show_hidden": False, "pdf": False}
    return {
        "run_autograder": _RUN,
        "run_otter.py": _OTTER,
        "setup.sh": _SETUP.format(version=VERSION, branch=branch, url=url),
        "otter_config.json": json.dumps(settings) + "\n",
        **{f"tests/{exercise.question}.py": test_file(exercise) for exercise in chosen},
    }
