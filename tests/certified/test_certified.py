"""The decimals of the book lie in their balls, and so do the values of the package."""

import json
import sys
from pathlib import Path

import pytest
from flint import acb, arb

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "book" / "ext")]

import constants as certified  # noqa: E402
import ledger  # noqa: E402

from ntk_helpers import activations, mean_field  # noqa: E402

pytestmark = pytest.mark.book


@pytest.fixture(scope="module")
def constants():
    return certified.constants()


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """What a decimal may stand in: the corrected statement of a claim, the output of an assertion, a page."""
    book = ledger.load(ROOT / "book" / "claims.yml")
    found = {claim.id: claim.corrected or "" for claim in book.claims}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code" and (name := ledger.assertion_name("".join(cell["source"]))):
                found[name] = "".join("".join(output.get("text", "")) for output in cell["outputs"])
    return found | {"findings.md": (ROOT / "book" / "findings.md").read_text(encoding="utf-8")}


def test_balls_are_small(constants):
    for constant in constants:
        assert constant.ball.rad() < abs(constant.ball.mid()) * arb("1e-13"), constant


def test_the_decimals_of_the_book_are_their_balls_rounded(constants, texts):
    for constant in constants:
        for number, place in constant.decimals:
            assert certified.agrees(number, constant.ball), (constant, number)
            assert number in texts[place], f"{place} does not say {number} ({constant.symbol})"


def test_the_page_is_in_step():
    assert certified.page() == certified.PAGE.read_text(encoding="utf-8"), (
        "run python tests/certified/constants.py"
    )


def test_a_wrong_decimal_is_seen():
    ball = arb(3) / 8
    assert certified.agrees("0.375", ball)
    assert certified.agrees("0.38", ball)
    assert not certified.agrees("0.376", ball)
    assert not certified.agrees("0.3753", ball)
    assert not certified.agrees("0.429", ball)  # 3/7


def test_quadrature_encloses_what_is_known_in_closed_form():
    for q in (arb("0.3"), arb(2)):
        assert certified.mean(lambda x: acb(1), q).contains(1)
        assert certified.mean(lambda x: x * x, q).overlaps(q)
        by_hand = 1 / (1 + 2 * q).sqrt()
        assert certified.mean(lambda x: (-x * x).exp(), q).overlaps(by_hand)
        assert certified.mean(lambda x: x.erf() ** 2, q).overlaps(certified.erf_square(q))


def test_roots_are_enclosed_and_a_missing_one_is_said():
    assert certified.root(lambda x: x * x - 2, 1.4).contains(arb(2).sqrt())
    with pytest.raises(ValueError, match="no change of sign"):
        certified.root(lambda x: x * x + 1, 1.0)


def of_package():
    """Symbol in the table, row after the one that it stands in, and the package's value."""
    for name, near in (("elu", 1.107), ("tanh", 0.512), ("erf", 0.4658)):
        point, (sigma_w, q) = mean_field.edge_of_chaos(name, 0.2), certified.edge(name, "0.2", near)
        yield f"{name} sigma_w", sigma_w, point.sigma_w
        yield f"{name} q", q, point.q
    point, (sigma_w, q) = mean_field.edge_of_chaos("sigmoid", 0.0), certified.edge("sigmoid", "0", 45.62)
    yield "sigmoid sigma_w", sigma_w, point.sigma_w
    yield "sigmoid q", q, point.q
    for name, near in (("erf", 1.545), ("tanh", 1.464), ("softplus", 2.72), ("elu", 2.43)):
        q, chi = certified.fixed(name, "1", "1", near)
        value = mean_field.fixed_point(name, 1.0, 1.0)
        yield f"{name} q at (1, 1)", q, value
        yield f"{name} chi at (1, 1)", chi, mean_field.chi(name, 1.0, value)
    q, chi, star, slope = certified.chaotic_erf()
    point = mean_field.correlation_fixed_point("erf", 2.0, 0.5)
    yield "erf q at (0.5, 2)", q, mean_field.fixed_point("erf", 2.0, 0.5)
    yield "erf c* at (0.5, 2)", star, point.c
    yield "erf chi* at (0.5, 2)", slope, point.slope
    A, B, _ = certified.correlation_map("tanh", 0.512)
    sigma_w, q = mean_field.edge_of_chaos("tanh", 0.2)
    _, second, third = activations.get("tanh").correlation_derivatives(q, 3)
    yield "tanh A", A, 0.5 * sigma_w**2 / q * float(second)
    yield "tanh B", B, sigma_w**2 / q * float(third) / 6
    A, _, _ = certified.correlation_map("elu", 1.107)
    sigma_w, q = mean_field.edge_of_chaos("elu", 0.2)
    yield "ELU A", A, 0.5 * sigma_w**2 / q * float(activations.get("elu").correlation_derivatives(q, 2)[1])


def test_the_package_is_inside():
    for name, ball, value in of_package():
        assert abs(ball - arb(float(value))) < abs(ball) * arb("1e-9"), (name, ball, value)
