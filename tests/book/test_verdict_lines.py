"""Numbers in verdicts: an assertion's last line prints variables; boxes and corrections say what it has."""

import ast
import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "book" / "tools"), str(ROOT / "book" / "ext")]

import ledger  # noqa: E402
import quoted_numbers  # noqa: E402

pytestmark = [pytest.mark.book, pytest.mark.slow("reads the numbers of all notebooks")]

NUMBER = re.compile(r"(?<![\w.^-])(?:\d+\.\d+(?:e-?\d+)?|\d+e-?\d+)(?!\w)(?: ?%)?|\b\d+ ?%")

# Settings of an experiment, which earlier cells define: no results.
SETTINGS = {
    "O1-mean": "Sigma^1 = 2.25",
    "O4-depths": "q = 0.51",
    "O4-width": "q = 0.51",
    "S-Fig1-diagonal": "L/n = 0.1 to 0.3",
    "S-Fig1-pairs": "a deviation of 3 %",
    "S-Fig1-collapse": "L/n = 0.5, 0.1, 0.05",
    "S-EOC-none-softplus": "q = 1e4",
    "S-B-chaotic-sup": "c > 0.999",
    "S-only-EOC-chaotic": "erf (0.5, 2)",
    "S-corr-relu-logarithm": "1.6 10^6",
    "S-Prop3-relu-diagonal-exact": "L = 1.6 10^6",
    "S-Prop3-smooth-diagonal-limit": "L = 1.6 10^6",
    "S-Prop3-relu-logarithm": "1.6 10^6",
    "S-Prop3-smooth-tanh": "1.6 10^6",
    "S-Prop3-smooth-elu": "1.6 10^6",
    "S-Kinf-smooth-third": "L = 1.6 10^6",
    "S-Prop3-explanation-universal": "L = 1.6 10^6",
    "S-Lemma6-matching-exists": "q = 1e-3 to 1e4",
    "O-Fig3-cd-runs": "biases of 0.1",
    "O-Fig3s-ab-start": "level 0.01",
    "O5-catapult-model": "widths 1e2, 1e4, 1e6",
    "O5-digits": "0.03 to 1",
}


def literal(node: ast.AST) -> str:
    """The string constants of an expression; a replacement field is a space, a key is nothing."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.Subscript):
        return literal(node.value)
    if isinstance(node, ast.FormattedValue):
        return f" {literal(node.value)} "
    return "".join(literal(child) for child in ast.iter_child_nodes(node))


def unprinted(source: str, setting: str = "") -> list[str]:
    """The decimals in the text of a cell's last statement that are neither printed nor in its code."""
    *body, line = ast.parse(source).body
    read = {node.id for node in ast.walk(line) if isinstance(node, ast.Name)}
    texts, code = [line], []
    for node in ast.walk(ast.Module(body, [])):
        if isinstance(node, ast.Assign | ast.AugAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and target.id in read:
                texts.append(node.value)
    in_text = {part for text in texts for part in ast.walk(text) if isinstance(part, ast.Constant)}
    for node in ast.walk(ast.Module(body, [])):
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            code.append(float(node.value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in in_text:
            code += [float(number) for number in re.findall(r"\d+\.\d+|\d+", node.value)]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            sides = node.left, node.right
            if all(isinstance(side, ast.Constant) for side in sides):
                code.append(float(node.left.value) ** node.right.value)
    text = " ".join(map(literal, texts)).replace(setting, "")
    return [number for number in NUMBER.findall(text) if not _held(number, code)]


def _held(number: str, code: list[float]) -> bool:
    """Whether the code has this number; one that ends in a zero, as 1.000, is a rounded result."""
    digits = number.rstrip(" %")
    value = float(digits) / (100 if digits != number else 1)
    return not re.search(r"\.\d*0$", digits) and any(abs(value - c) <= 1e-12 * abs(c) for c in code)


def assertions() -> dict[str, str]:
    """The code of each assertion of the notebooks."""
    cells = [
        "".join(cell["source"])
        for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]
    return {name: source for source in cells if (name := ledger.assertion_name(source))}


def test_verdict_lines_print_variables():
    found = {name: unprinted(source, SETTINGS.get(name, "")) for name, source in assertions().items()}
    assert {name: numbers for name, numbers in found.items() if numbers} == {}


def test_each_setting_is_needed():
    sources = assertions()
    assert [name for name in SETTINGS if not unprinted(sources[name])] == []


CELL = """# Assertion X-one: a constant
chi = 0.47514
assert error < 1e-6
{line}
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('print("X-one | holds | chi = 0.475")', ["0.475"]),
        ('print(f"X-one | holds | chi = {chi:.3f}")', []),
        ('print(f"X-one | holds | chi = {chi:.3f}, error below 1e-6")', []),
        ('print(f"X-one | holds | chi = {chi:.3f}, error below 1e-7")', ["1e-7"]),
        ('print(f"X-one | holds | {chi:.3f}, off by 3 %")', ["3 %"]),
        ('text = "limit 1.000"\nprint(f"X-one | holds | {text}")', ["1.000"]),
        ('text = "L to "\ntext += "10^6, 0.5 apart"\nprint(f"X-one | holds | {text}")', ["0.5"]),
    ],
)
def test_a_decimal_that_was_typed_is_seen(line, expected):
    assert unprinted(CELL.format(line=line)) == expected


# ---- the numbers of verdict boxes and corrected statements


@pytest.fixture(scope="module")
def compared():
    return quoted_numbers.compared()


def test_every_number_of_a_verdict_is_held(compared):
    assert [f"{held.where}: {held.number.text}" for held in compared if held.holder is None] == []
    assert quoted_numbers.idle(compared) == []


def test_nearly_all_are_compared_with_a_cell(compared):
    by_cell = [held for held in compared if held.holder.count(" ") < 2]
    assert len(by_cell) > 0.9 * len(compared) > 450


@pytest.mark.parametrize(
    ("right", "wrong"), [(r"\frac38", r"\frac37"), ("10.1493", "10.1593"), (r"5.2 \pm 0.8", r"5.2 \pm 0.6")]
)
def test_a_wrong_number_in_a_box_or_in_the_ledger_is_seen(right, wrong):
    texts = [text for text in quoted_numbers.texts() if right in text.text]
    assert {text.where.startswith("corrected") for text in texts} == {True, False}
    for text in texts:
        altered = text._replace(text=text.text.replace(right, wrong))
        found = quoted_numbers.compared([altered])
        assert wrong in [held.number.text for held in found if held.holder is None], text.where


def test_the_numbers_of_a_text_are_read():
    text = r"[Theorem 2.1](#thm-2-1): $\frac{9\pi^2}{2l^2}$, $\frac38$, 3/4, $x^{-3/2}$, 5.2 \pm 0.8 %, "
    text += r"$2 \times 10^{-5}$, $0.47$, 7 layers, 1,000 steps, (2.3), section 4.8"
    found = [(number.value, number.error and number.error[0]) for number in quoted_numbers.numbers(text)]
    assert sorted(found) == sorted(
        [
            (4.5, None),
            (0.375, None),
            (0.75, None),
            (1.5, None),
            (5.2, 0.8),
            (2e-5, None),
            (0.47, None),
            (1e3, None),
        ]
    )


@pytest.mark.parametrize(
    ("text", "held"),
    [
        (r"$\frac38$", True),
        (r"$\frac37$", False),
        ("0.12", True),
        ("0.13", False),
        (r"1.3 \pm 0.2", True),
        (r"1.3 \pm 0.3", False),
        ("a deviation of 12 %", True),
        ("0.1234", True),
        ("0.12341", False),
    ],
)
def test_a_number_is_compared_to_its_digits(text, held):
    source = "c = 3 * s**2 / 8\nassert c < 1"
    known = quoted_numbers.Evidence(
        tuple(quoted_numbers.printed("c = 0.1234, gain 1.31 ± 0.21")), quoted_numbers.constants(source)
    )
    assert [quoted_numbers.holds(number, known) for number in quoted_numbers.numbers(text)] == [held]
