"""What a notebook reads besides its own code makes it run again."""

import sys
from pathlib import Path

import nbformat
import pytest
from built_book import ROOT

sys.path.insert(0, str(ROOT / "book" / "ext"))
import fresh_cache
from jupyter_cache import get_cache

pytestmark = pytest.mark.book


@pytest.fixture
def book(tmp_path):
    """A book of two executed notebooks, of which the first reads results."""
    for name in ("ntk_helpers/kernels/layer.py", "notebooks/results/slopes.cpu.json", "requirements.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    folder = tmp_path / "_build" / ".jupyter_cache"
    fresh_cache.forget(folder, tmp_path)
    for name, code in (("reader", 'open(f"results/slopes.{scale}.json")'), ("other", "1 + 1")):
        cell = nbformat.v4.new_code_cell(code, execution_count=1)
        path = tmp_path / f"{name}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
        get_cache(folder).cache_notebook_file(path, check_validity=False)
    return tmp_path


def kept(book: Path) -> set[str]:
    folder = book / "_build" / ".jupyter_cache"
    fresh_cache.forget(folder, book)
    return {Path(entry.uri).stem for entry in get_cache(folder).list_cache_records()}


def test_nothing_changed_keeps_all(book):
    assert kept(book) == {"reader", "other"}


def test_changed_results_take_out_the_notebook_that_names_them(book):
    (book / "notebooks/results/slopes.cpu.json").write_text("2")
    assert kept(book) == {"other"}


@pytest.mark.parametrize("name", ["ntk_helpers/kernels/layer.py", "requirements.txt"])
def test_a_changed_package_or_lock_takes_out_all(book, name):
    (book / name).write_text("2")
    assert kept(book) == set()


def test_new_results_that_nobody_names_take_out_all(book):
    (book / "notebooks/results/published").mkdir()
    (book / "notebooks/results/published/figure.json").write_text("2")
    assert kept(book) == set()


def test_the_book_uses_it():
    from built_book import configuration

    assert "fresh_cache" in configuration()["sphinx"]["local_extensions"]
