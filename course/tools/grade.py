"""Grade a folder of submissions.

    python course/tools/grade.py FOLDER [--assignment 1] [--output FOLDER/graded] [--seconds 20]

Each notebook of the folder is a submission, named after its student. The grades go to grades.csv, and each
student gets a report. Points: half for the public checks of an exercise, if all pass, and half for the hidden
ones, in proportion. Exercises in words are listed, for the grader to fill in.

A submission runs in a process of its own, on a copy in a scratch folder, with limits of time and memory,
without network, home or the right to start a process or to touch a file elsewhere (worker.py). On Linux it
runs in namespaces of its own besides, the disk read-only and this course's folder empty. The checks
run here, outside, and see only numbers, text and arrays. A report repeats no output of a submission and no
hidden check.
"""

import argparse
import contextlib
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

import checks
import exercises
import worker
import yaml

COURSE = Path(__file__).resolve().parents[1]
ROOT = COURSE.parent
# A submission may take so many seconds, and so many times the limit of a cell, in all.
PATIENCE = (60, 6)
# In namespaces of its own: the disk read-only but for the scratch folder, the course's folder empty.
_ENTER = """\
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
awk '{print $5}' /proc/self/mountinfo | while read -r place; do
    case "$place" in "$1") ;; *) mount -o remount,bind,ro "$place" 2>/dev/null || true ;; esac
done
for hidden in "$2" "$3"; do [ -d "$hidden" ] && mount -t tmpfs -o size=4k,ro none "$hidden"; done
cd "$1"; shift 3
exec "$@"
"""


class Refused(Exception):
    """What the submission's process answers instead of a value."""


def namespaces() -> list[str]:
    """The command that starts another in namespaces of its own, or nothing where the system has none."""
    if not shutil.which("unshare"):
        return []
    enter = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child"]
    with tempfile.TemporaryDirectory() as scratch:
        probe = subprocess.run(
            [*enter, "sh", "-c", _ENTER, "sh", scratch, "", "", "true"], capture_output=True, check=False
        )
    return enter if probe.returncode == 0 else []


class Submission:
    """The process that runs one submission, as a context: it ends with it, and so does its scratch folder."""

    def __init__(self, path: Path, *, seconds: float, megabytes: int, isolation: list[str]):
        self.scratch = tempfile.TemporaryDirectory(prefix="submission-", ignore_cleanup_errors=True)
        folder = Path(self.scratch.name).resolve()
        shutil.copyfile(path, folder / "submission.ipynb")
        shutil.copyfile(COURSE / "tools" / "worker.py", folder / "worker.py")
        command = [sys.executable, "worker.py", "submission.ipynb", str(seconds), str(megabytes)]
        if isolation:
            hidden = [str(COURSE), str(ROOT / "_build")]
            command = [*isolation, "sh", "-c", _ENTER, "sh", str(folder), *hidden, *command]
        kept = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(folder), "TMPDIR": str(folder)}
        plain = {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=kept | plain | {"OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.patience = PATIENCE[0] + PATIENCE[1] * seconds
        self.late = False
        self.timer = threading.Timer(self.patience, self.stop)

    def __enter__(self):
        self.timer.start()
        return self

    def __exit__(self, *_):
        self.timer.cancel()
        self.timer.join()  # from here on nobody else kills or waits
        self.kill()
        self.process.wait()
        with contextlib.suppress(OSError):  # a request that a process which has ended did not read
            self.process.stdin.close()
        self.process.stdout.close()
        self.scratch.cleanup()

    def stop(self) -> None:
        self.late = True
        self.kill()

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)

    def gone(self) -> Refused:
        late = f"was stopped after {self.patience:g} seconds in all"
        return Refused(f"the submission {late if self.late else 'has ended'}")

    def answer(self) -> dict:
        """The next line of the process; Refused where it is gone or talks nonsense."""
        line = self.process.stdout.readline(worker.LONGEST_LINE)
        if not line:
            raise self.gone()
        try:
            reply = json.loads(line)
        except ValueError:
            raise Refused("the submission answers out of turn") from None
        if not isinstance(reply, dict):
            raise Refused("the submission answers out of turn")
        return reply

    def ask(self, name: str):
        return self._value({"name": name})

    def call(self, name: str, *arguments, **named):
        return self._value({"name": name, "arguments": [arguments, named]})

    def _value(self, request: dict):
        try:
            self.process.stdin.write(json.dumps(worker.encoded(request)) + "\n")
            self.process.stdin.flush()
        except OSError:
            raise self.gone() from None
        reply = self.answer()
        if "value" not in reply:
            raise Refused(str(reply.get("error", "no answer"))[:200])
        try:
            return worker.decoded(reply["value"])
        except Exception:
            raise Refused("the answer cannot be read") from None


@dataclass
class Grade:
    """What one submission earned: points by exercise, and the lines of its report."""

    points: dict[str, float] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    note: str = ""


def names_of(exercise: exercises.Exercise) -> list[str]:
    """The names that the stub defines at its top level."""
    namespace: dict = {}
    exec(compile(checks.IMPORTS, "imports", "exec"), namespace)
    exec(compile(exercise.cell("setup"), "setup", "exec"), namespace)
    before = set(namespace)
    exec(compile(exercise.cell("stub"), "stub", "exec"), namespace)
    return [name for name in namespace if name not in before]


def checked(exercise: exercises.Exercise, submission: Submission, functions: list) -> tuple[float, list[str]]:
    """The points for one exercise, and the lines of the report."""
    namespace: dict = {}
    exec(compile(checks.IMPORTS, "imports", "exec"), namespace)
    exec(compile(exercise.cell("setup"), "setup", "exec"), namespace)
    for name in names_of(exercise):
        if name in functions:
            namespace[name] = lambda *arguments, _name=name, **named: submission.call(
                _name, *arguments, **named
            )
        else:
            try:
                namespace[name] = submission.ask(name)
            except Refused as refusal:
                namespace[name] = None
                if "KeyError" not in str(refusal):
                    return 0.0, [f"{name} cannot be read: {refusal}"]
    said = {
        kind: [checks.failure(c, namespace) for c in exercise.code[kind]] for kind in ("public", "hidden")
    }
    lines = [
        f"public check {i}: {'failed: ' + text if text else 'passed'}"
        for i, text in enumerate(said["public"], 1)
    ]
    passed = sum(not text for text in said["hidden"])
    lines.append(f"hidden checks: {passed} of {len(said['hidden'])} passed")
    if any(said["public"]):
        return 0.0, lines
    return exercise.points * (0.5 + 0.5 * passed / len(said["hidden"])), lines


def graded(
    path: Path, wanted: list[exercises.Exercise], *, seconds: float, megabytes: int, isolation: list[str]
) -> Grade:
    """The grade of the submission at `path` for the exercises `wanted`."""
    grade = Grade(points={exercise.number: 0.0 for exercise in wanted if exercise.has_code})
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        empty = not worker.answers(notebook)
    except (ValueError, AttributeError, UnicodeDecodeError):
        grade.note = "the file is not a notebook"
        return grade
    if empty:
        grade.note = "the notebook has no code"
        return grade
    with Submission(path, seconds=seconds, megabytes=megabytes, isolation=isolation) as submission:
        try:
            ran = submission.answer()
            functions, errors = ran.get("functions"), ran.get("errors")
            if not isinstance(functions, list) or not isinstance(errors, list):
                raise Refused("the submission answers out of turn")
        except Refused as refusal:
            grade.note = str(refusal)
            return grade
        grade.lines += [f"A cell ended with {str(error)[:200]}" for error in errors[:20]]
        for exercise in wanted:
            grade.lines += ["", f"## Exercise {exercise.number} ({exercise.title})", ""]
            if not exercise.has_code:
                grade.lines.append(f"in words, graded by hand: {exercise.points} points")
                continue
            points, lines = checked(exercise, submission, functions)
            grade.points[exercise.number] = points
            grade.lines += [f"* {line}" for line in lines]
            grade.lines += ["", f"{points:g} of {exercise.points} points"]
    return grade


def wanted_exercises(folder: Path, assignment: str | None) -> list[exercises.Exercise]:
    """The exercises of the assignment, or all that the notebooks of the folder say they hold."""
    sources = exercises.read()
    if assignment:
        known = yaml.safe_load((COURSE / "assignments.yml").read_text(encoding="utf-8"))
        by_id = {str(each["id"]): each["exercises"] for each in known}
        if assignment not in by_id:
            raise ValueError(f"assignment is {assignment!r}; it must be one of {sorted(by_id)}")
        return [sources[number] for number in by_id[assignment]]
    numbers: set[str] = set()
    for path in folder.glob("*.ipynb"):
        try:
            numbers.update(json.loads(path.read_text(encoding="utf-8"))["metadata"]["course"]["exercises"])
        except (ValueError, KeyError, TypeError):
            continue
    if not numbers & set(sources):
        raise ValueError(f"no notebook in {folder} names its exercises: say --assignment 1")
    return [exercise for number, exercise in sources.items() if number in numbers]


def grade_folder(
    folder: Path, output: Path, wanted: list[exercises.Exercise], *, seconds: float, megabytes: int
) -> list[dict]:
    """Grade all notebooks of `folder`; write grades.csv and the reports, and return the rows."""
    isolation = namespaces()
    coded = [exercise for exercise in wanted if exercise.has_code]
    by_hand = [exercise for exercise in wanted if not exercise.has_code]
    (output / "reports").mkdir(parents=True, exist_ok=True)
    rows = []
    for path in sorted(folder.glob("*.ipynb")):
        grade = graded(path, wanted, seconds=seconds, megabytes=megabytes, isolation=isolation)
        row: dict = {"submission": path.stem}
        row |= {exercise.number: f"{grade.points[exercise.number]:g}" for exercise in coded}
        row |= {f"{exercise.number} (by hand, {exercise.points})": "" for exercise in by_hand}
        row["points"] = f"{sum(grade.points.values()):g}"
        row["possible"] = sum(exercise.points for exercise in coded)
        row["note"] = grade.note
        rows.append(row)
        report = [f"# {path.stem}", "", *([grade.note, ""] if grade.note else []), *grade.lines]
        report += ["", f"Together {row['points']} of {row['possible']} points."]
        (output / "reports" / f"{path.stem}.md").write_text("\n".join(report) + "\n", encoding="utf-8")
        print(f"{path.stem}: {row['points']} of {row['possible']}{', ' + grade.note if grade.note else ''}")
    if rows:
        with (output / "grades.csv").open("w", newline="", encoding="utf-8") as stream:
            table = csv.DictWriter(stream, rows[0])
            table.writeheader()
            table.writerows(rows)
    where = (
        "in namespaces of its own"
        if isolation
        else "under an audit hook alone: use a container for strangers"
    )
    print(f"{len(rows)} submissions, each run {where}; see {output}/grades.csv")
    return rows


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Grade a folder of submissions.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--assignment")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--seconds", type=float, default=20, help="for each cell and each call (default 20)")
    parser.add_argument("--megabytes", type=int, default=4000, help="of memory (default 4000)")
    options = parser.parse_args(arguments)
    if not any(options.folder.glob("*.ipynb")):
        parser.error(f"folder is {options.folder}; it holds no notebook")
    output = options.output or options.folder / "graded"
    wanted = wanted_exercises(options.folder, options.assignment)
    grade_folder(options.folder, output, wanted, seconds=options.seconds, megabytes=options.megabytes)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
