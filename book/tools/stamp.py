"""Write what stands in one place where it is used: the address, the papers' statements, exercises.

    python book/tools/stamp.py              stamp notebooks/*.ipynb and CITATION.cff
    python book/tools/stamp.py --check      change nothing; fail if one of them is out of step

A notebook carries the address (from _config.yml) in its Colab badge and its set-up cell, and statements (from
book/claims.yml) in its claim boxes, see claim_boxes.py, and exercises (from course/exercises), see
course/tools/exercises.py. CITATION.cff carries the address.

The badge is a line of the first cell: put `[badge]` there. The second cell is the set-up cell: put `# set-up`
there. Both are recognised and renewed afterwards, so that stamping twice changes nothing.

The set-up cell does nothing anywhere but on Colab. There it clones the repository and leaves the rest to
colab.py beside this file, to which it names the modules that the notebook imports and Colab lacks. The book
folds the cell away.
"""

import copy
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import nbformat
import yaml
from claim_boxes import Claim, filled, read_claims
from colab import EXTRA_PACKAGES

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "course" / "tools"))

import exercises  # noqa: E402  (the sources of the exercises, with the course)

BADGE_START = "[![Open in Colab]("
SET_UP_START = 'if "google.colab" in __import__("sys").modules and (ipy := get_ipython()):  # only there'


class Address(NamedTuple):
    url: str  # of the repository, as git clones it
    branch: str


def address(config: Path = ROOT / "_config.yml") -> Address:
    """Read the repository's address from the book's configuration."""
    repository = yaml.safe_load(config.read_text(encoding="utf-8"))["repository"]
    return Address(repository["url"], repository["branch"])


def badge(where: Address, name: str) -> str:
    """The Markdown line that opens the notebook called `name` on Colab."""
    github = where.url.removeprefix("https://github.com/")
    link = f"https://colab.research.google.com/github/{github}/blob/{where.branch}/notebooks/{name}"
    return f"{BADGE_START}https://colab.research.google.com/assets/colab-badge.svg)]({link})"


def extra_modules(notebook: nbformat.NotebookNode) -> list[str]:
    """The modules that a notebook imports and that Colab lacks."""
    lines = [line for cell in notebook.cells if cell.cell_type == "code" for line in cell.source.split("\n")]
    return [module for module in EXTRA_PACKAGES if f"import {module}" in lines]


def set_up(where: Address, modules: Sequence[str] = ()) -> str:
    """The source of the set-up cell, three lines; Colab installs what importing `modules` needs."""
    folder = where.url.rstrip("/").removesuffix(".git").rsplit("/", 1)[-1]
    clone = f"git clone -q --depth=1 -b {where.branch} {where.url}"
    script = " ".join([f"~/{folder}/book/tools/colab.py", *modules])
    return f"""\
{SET_UP_START}
    ipy.system("cd; test -d {folder} || {clone}")  # fmt: skip
    ipy.run_line_magic("run", "{script}")"""


def stamped(notebook: nbformat.NotebookNode, where: Address, name: str) -> nbformat.NotebookNode:
    """A copy of the notebook with badge and set-up cell; raises ValueError where it has no place for one."""
    result = copy.deepcopy(notebook)
    if len(result.cells) < 2:
        raise ValueError(f"{name} must begin with a heading cell and a set-up cell")
    heading, code = result.cells[:2]
    lines = heading.source.split("\n")
    places = [i for i, line in enumerate(lines) if line == "[badge]" or line.startswith(BADGE_START)]
    if heading.cell_type != "markdown" or len(places) != 1:
        raise ValueError(f"the first cell of {name} must be Markdown with one line [badge]")
    if code.cell_type != "code" or code.source.split("\n")[0] not in ("# set-up", SET_UP_START):
        raise ValueError(f"the second cell of {name} must be code, '# set-up' and no more")
    lines[places[0]] = badge(where, name)
    heading.source = "\n".join(lines)
    code.source = set_up(where, extra_modules(result))
    code.metadata.tags = ["hide-cell"]
    return result


def cited(citation: str, where: Address) -> str:
    """The citation file's text with the address in it."""
    return re.sub(r"(?m)^repository-code: .*$", lambda _: f'repository-code: "{where.url}"', citation)


def with_claims(notebook: nbformat.NotebookNode, claims: Mapping[str, Claim]) -> nbformat.NotebookNode:
    """A copy of the notebook whose claim boxes hold the statements of `claims`."""
    result = copy.deepcopy(notebook)
    for cell in result.cells:
        if cell.cell_type == "markdown":
            cell.source = filled(cell.source, claims)
    return result


def with_exercises(
    notebook: nbformat.NotebookNode, name: str, sources: Mapping[str, exercises.Exercise]
) -> nbformat.NotebookNode:
    """A copy of the notebook with the boxes of `sources`; ValueError where it lacks one of its chapter.

    The other part of a chapter in two parts, NN_slug.ipynb and NNb_slug.ipynb, may have it instead.
    """
    result = copy.deepcopy(notebook)
    prose = [cell for cell in result.cells if cell.cell_type == "markdown"]
    for cell in prose:
        cell.source = exercises.filled(cell.source, sources)
    chapter = name[:2]
    if chapter.isdigit():
        text = "\n".join(cell.source for cell in prose) + other_part(name)
        for number in exercises.missing(text, int(chapter), sources):
            anchor = f'<a id="ex-{number.replace(".", "-")}"></a>'
            raise ValueError(f"Exercise {number} has no box: put the line {anchor} in its place")
    return result


def other_part(name: str) -> str:
    """The Markdown of the other notebook of a chapter in two parts, or nothing."""
    others = [path for path in (ROOT / "notebooks").glob(f"{name[:2]}*.ipynb") if path.name != name]
    cells = [cell for path in others for cell in nbformat.read(path, as_version=4).cells]
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def restamped(
    path: Path, where: Address, claims: Mapping[str, Claim], sources: Mapping[str, exercises.Exercise]
) -> str | None:
    """The text that the file should have, or None where it has it; raises ValueError naming the file."""
    if path.suffix == ".ipynb":
        notebook = nbformat.read(path, as_version=4)
        after = stamped(notebook, where, path.name)
        try:
            after = with_exercises(with_claims(after, claims), path.name, sources)
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error
        return None if after == notebook else nbformat.writes(after) + "\n"
    text = path.read_text(encoding="utf-8")
    after = cited(text, where)
    return None if after == text else after


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    where = address()
    claims = read_claims(ROOT / "book" / "claims.yml")
    sources = exercises.read()
    changed = 0
    for path in [ROOT / "CITATION.cff", *sorted((ROOT / "notebooks").glob("*.ipynb"))]:
        text = restamped(path, where, claims, sources)
        if text is None:
            continue
        changed += 1
        if arguments:
            print(
                f"{path.name} is out of step with _config.yml, book/claims.yml or course/exercises: "
                f"run python book/tools/stamp.py"
            )
        else:
            path.write_text(text, encoding="utf-8")
            print(f"stamped {path.name}")
    changed += stamp_course(check=bool(arguments))
    return 1 if arguments and changed else 0


def stamp_course(*, check: bool) -> int:
    """Write the generated files of the course, or say which are out of step; how many were."""
    import build  # it imports this module

    stale = {
        path: text
        for path, text in build.kept().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }
    for path, text in stale.items():
        if check:
            print(f"{path.name} is out of step with the chapters or course: run python book/tools/stamp.py")
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"stamped {path.name}")
    return len(stale)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
