"""Badge and set-up cell, and the notebooks as Colab runs them: its versions, no checkout, an empty home."""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book" / "tools"))
import colab  # noqa: E402
import stamp  # noqa: E402

NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
COLAB = ROOT / ".venv-colab" / "bin" / "python"
ENVIRONMENT = ROOT / "tests" / "environments" / "colab.txt"
WHERE = stamp.Address("https://github.com/someone/some-book", "trunk")

pytestmark = [pytest.mark.book, pytest.mark.slow("runs a chapter on Colab's versions")]


# The stamp


def notebook(
    heading: str = "# 1 · Title\n\n[badge]\n\nText.", code: str = "# set-up"
) -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_markdown_cell(heading), nbformat.v4.new_code_cell(code)]
    return nbformat.v4.new_notebook(cells=[*cells, nbformat.v4.new_code_cell("x = 1")])


def files_of_the_project() -> list[str]:
    listed = ["git", "ls-files", "-co", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in names if (ROOT / name).is_file()]


def test_everything_stamped_is_in_step_with_the_address():
    check = [sys.executable, ROOT / "book" / "tools" / "stamp.py", "--check"]
    run = subprocess.run(check, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_address_stands_nowhere_else():
    url = stamp.address().url.encode()
    holders = {name for name in files_of_the_project() if url in (ROOT / name).read_bytes()}
    student = {path.relative_to(ROOT).as_posix() for path in (ROOT / "course" / "student").glob("*.ipynb")}
    assert holders == {"_config.yml", "CITATION.cff", *student, *(f"notebooks/{name}" for name in NOTEBOOKS)}


def test_the_citation_takes_the_address():
    assert stamp.cited("title: x\nrepository-code: old\nurl: y\n", WHERE) == (
        'title: x\nrepository-code: "https://github.com/someone/some-book"\nurl: y\n'
    )


def test_badge_and_set_up_name_repository_branch_and_notebook():
    done = stamp.stamped(notebook(), WHERE, "01_title.ipynb")
    assert (
        "https://colab.research.google.com/github/someone/some-book/blob/trunk/notebooks/01_title.ipynb"
        in done.cells[0].source
    )
    assert done.cells[0].source.startswith("# 1 · Title\n\n[![Open in Colab](")
    assert done.cells[0].source.endswith(")\n\nText.")
    assert "git clone -q --depth=1 -b trunk https://github.com/someone/some-book" in done.cells[1].source
    assert "~/some-book/book/tools/colab.py" in done.cells[1].source
    assert done.cells[1].source.count("\n") < 3
    assert [cell.source for cell in done.cells[2:]] == ["x = 1"]


def test_stamping_again_changes_nothing_and_a_new_address_is_taken_over():
    done = stamp.stamped(notebook(), WHERE, "01_title.ipynb")
    assert stamp.stamped(done, WHERE, "01_title.ipynb") == done
    moved = stamp.stamped(done, stamp.Address("https://github.com/other/book", "main"), "01_title.ipynb")
    assert "someone" not in nbformat.writes(moved)
    assert "https://github.com/other/book" in moved.cells[1].source


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            notebook(heading="# 1 · Title"),
            r"first cell of 01_title\.ipynb must be Markdown with one line \[badge\]",
        ),
        (notebook(heading="[badge]\n[badge]"), r"one line \[badge\]"),
        (notebook(code="import jax"), r"second cell of 01_title\.ipynb must be code, '# set-up'"),
        (nbformat.v4.new_notebook(), r"01_title\.ipynb must begin with a heading cell and a set-up cell"),
    ],
)
def test_a_notebook_without_a_place_for_them_is_named(bad, message):
    with pytest.raises(ValueError, match=message):
        stamp.stamped(bad, WHERE, "01_title.ipynb")


def test_a_notebook_that_imports_diffrax_installs_it(monkeypatch):
    assert "diffrax" not in stamp.stamped(notebook(), WHERE, "01_title.ipynb").cells[1].source
    with_it = notebook()
    with_it.cells[2].source = "import diffrax\nimport jax"
    assert "colab.py diffrax" in stamp.stamped(with_it, WHERE, "01_title.ipynb").cells[1].source
    pinned = {line.split("==")[0]: line for line in ENVIRONMENT.read_text().splitlines() if "==" in line}
    for package in colab.EXTRA_PACKAGES["diffrax"]:
        assert pinned[package.split("==")[0]].startswith(package)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(os, "chdir", lambda _: None)
    commands = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: commands.append(command))
    colab.main(["diffrax"])
    assert commands[0][5:] == ["--no-deps", *colab.PACKAGES, *colab.EXTRA_PACKAGES["diffrax"]]


def test_the_set_up_cell_does_nothing_elsewhere(monkeypatch):
    """Without google.colab it asks for no IPython either: outside of one the name does not exist."""
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    before = os.getcwd(), list(sys.path)
    names = {}
    exec(stamp.set_up(WHERE, ["diffrax"]), names)
    assert (os.getcwd(), list(sys.path)) == before
    assert not names.keys() - {"__builtins__"}


# Colab, simulated


def pack_wheel(name: str, folder: Path) -> None:
    """Pack an installed package as a wheel, so that the set-up cell has an index without a network."""
    package = importlib.metadata.distribution(name)
    tags = [line.split()[1] for line in package.read_text("WHEEL").splitlines() if line.startswith("Tag:")]
    stem = f"{name.replace('-', '_')}-{package.version}"
    with zipfile.ZipFile(folder / f"{stem}-{tags[-1]}.whl", "w") as wheel:
        for file in package.files:
            # What pip wrote when it installed the package is not the package's.
            if file.suffix != ".pyc" and file.name not in ("INSTALLER", "REQUESTED", "direct_url.json"):
                wheel.write(file.locate(), str(file))


def repository(folder: Path) -> None:
    """A bare clone of the working tree, with the clone's own address stamped into its notebooks."""
    source, clone = folder / "source", folder / "ntk-book.git"
    for name in files_of_the_project():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    config = source / "_config.yml"
    where = stamp.address(config)
    config.write_text(config.read_text(encoding="utf-8").replace(where.url, clone.as_uri()), encoding="utf-8")
    subprocess.run([sys.executable, source / "book" / "tools" / "stamp.py"], check=True, capture_output=True)
    git = ["git", "-C", source, "-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run([*git, "init", "-q", "-b", where.branch], check=True)
    subprocess.run([*git, "add", "--all", "--force"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "The working tree"], check=True)
    subprocess.run(["git", "clone", "-q", "--bare", source, clone], check=True)


class Machine:
    """Colab: its packages under a layer that pip may write to, google.colab, an empty home, no checkout."""

    def __init__(self, folder: Path):
        layer, stub, wheels = folder / "layer", folder / "stub", folder / "wheels"
        subprocess.run([COLAB, "-m", "venv", "--without-pip", layer], check=True)
        self.python = layer / "bin" / "python"
        (below,) = (COLAB.parents[1] / "lib").glob("python*/site-packages")
        (above,) = (layer / "lib").glob("python*/site-packages")
        (above / "colab.pth").write_text(f"{below}\n")
        (stub / "google" / "colab").mkdir(parents=True)
        (stub / "google" / "colab" / "__init__.py").touch()
        (stub / "google" / "colab" / "output.py").touch()  # jax imports it on Colab
        # Colab's kernel has imported it before the first cell runs.
        (stub / "sitecustomize.py").write_text("import google.colab\n")
        wheels.mkdir()
        for name in ("neural-tangents", "frozendict"):
            pack_wheel(name, wheels)
        repository(folder)
        self.home, self.content = folder / "home", folder / "content"
        self.home.mkdir()
        self.content.mkdir()
        self.notebooks = folder / "source" / "notebooks"
        kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
        caches = {name: value for name, value in os.environ.items() if name.startswith("JAX_")}
        self.environment = {
            **kept,
            **caches,
            "HOME": str(self.home),
            "PATH": f"{layer / 'bin'}:{os.defpath}:{os.environ['PATH']}",
            "PYTHONPATH": str(stub),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(wheels),
            "PIP_ROOT_USER_ACTION": "ignore",
        }

    def execute(self, notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
        """Run a notebook from a fresh kernel in the folder where Colab starts; fails if a cell fails."""
        path = self.content / "notebook.ipynb"
        nbformat.write(notebook, path)
        run = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read("notebook.ipynb", as_version=4)
NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
nbformat.write(notebook, "notebook.ipynb")
"""
        done = subprocess.run(
            [self.python, "-c", run],
            cwd=self.content,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-6000:]
        return nbformat.read(path, as_version=4)

    def packages(self) -> dict[str, str]:
        listed = subprocess.run(
            [self.python, "-m", "pip", "--disable-pip-version-check", "list", "--format=json"],
            env=self.environment,
            capture_output=True,
            check=True,
        )
        return {row["name"]: row["version"] for row in json.loads(listed.stdout)}


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    if not COLAB.exists():
        pytest.skip("no environment .venv-colab: make .venv-colab/.installed")
    return Machine(tmp_path_factory.mktemp("colab"))


@pytest.mark.everywhere
def test_the_set_up_cell_brings_the_package_and_moves_nothing(machine):
    before = machine.packages()
    probe = """
import json, os
import ntk_helpers, jax, numpy
from ntk_helpers.peers import neural_tangents
nt = neural_tangents()
json.dumps([ntk_helpers.__file__, os.getcwd(), jax.__version__, numpy.__version__, nt.__version__])
"""
    set_up = nbformat.read(machine.notebooks / NOTEBOOKS[0], as_version=4).cells[1]
    assert stamp.SET_UP_START in set_up.source
    checkout = machine.home / "ntk-book"
    expected = [
        str(checkout / "ntk_helpers" / "__init__.py"),
        str(checkout / "notebooks"),
        before["jax"],
        before["numpy"],
        "0.6.5",
    ]
    # Twice: a second notebook, or a kernel started again, finds what the first one brought.
    for _ in range(2):
        done = machine.execute(nbformat.v4.new_notebook(cells=[set_up, nbformat.v4.new_code_cell(probe)]))
        assert done.cells[0].outputs == []
        (result,) = done.cells[1].outputs
        assert json.loads(eval(result.data["text/plain"])) == expected
        after = machine.packages()
        assert after.keys() - before.keys() == {"neural-tangents", "frozendict"}
        assert {name: after[name] for name in before} == before


@pytest.mark.everywhere
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_notebook_runs_on_colab(machine, name):
    done = machine.execute(nbformat.read(machine.notebooks / name, as_version=4))
    outputs = [output for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]
    assert outputs
    assert not [output.text for output in outputs if output.get("name") == "stderr"]
