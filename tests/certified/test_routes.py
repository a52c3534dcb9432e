"""Ten results by two routes: both numbers are computed again, and the page says them."""

import sys
from pathlib import Path

import jax
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import routes

pytestmark = [pytest.mark.book, pytest.mark.slow("computes ten results of the book by two routes")]


@pytest.fixture(scope="module", autouse=True)
def double_precision():
    """As in the notebooks."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.fixture(scope="module")
def table(double_precision):
    return routes.routes()


def test_there_are_ten(table):
    assert len({row.result for row in table}) == 10


def test_both_routes_lead_to_the_same(table):
    assert [row for row in table if not routes.agree(row)] == []


def test_samples_are_large_enough_to_tell_two_per_cent(table):
    assert all(row.error is None or row.error < 0.01 * abs(row.value) for row in table)


def test_the_page_says_these_numbers(table):
    assert routes.page(table) == routes.certified.PAGE.read_text(encoding="utf-8"), (
        "run python tests/certified/routes.py"
    )


@pytest.mark.parametrize(
    ("other", "error", "expected"),
    [(0.37500003, None, True), (0.375001, None, False), (0.38, 0.002, True), (0.3833, 0.002, False)],
)
def test_a_difference_is_seen(other, error, expected):
    row = routes.Route("a result", "one way", 3 / 8, 6, "another", other, 6, error)
    assert routes.agree(row) == expected
