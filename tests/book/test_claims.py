"""The claim ledger: its schema, its completeness, its agreement with the executed notebooks, and its pages.

The checks stand in book/ext/ledger.py. Here they run on the book, and each is seen to fail on broken input.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "book" / "ext"))

sys.path.insert(0, str(ROOT / "book" / "tools"))

import claim_boxes  # noqa: E402
import claim_ledger  # noqa: E402
import ledger  # noqa: E402  (lives with the book's Sphinx extensions)

pytestmark = [pytest.mark.book, pytest.mark.slow("builds sample ledgers with Sphinx")]

# Every claim of both papers. Ids may be added; one may leave only if the paper does not make the claim.
CLAIMS = """
O1 O1-rate O2 O2-orthogonal O2-speed O3 O3-bound O3-order
O4 O4-gaussian O4-linear O5 O5-regime O5-catapult
O-Fig1-ab O-Fig1-cd O-Fig2 O-Fig3-ab O-Fig3-cd O-Fig3s-ab O-Fig3s-cd O-Fig4
O-abstract-isometry O-abstract-equal O-abstract-constant O-abstract-lazy O-abstract-speed
S-parameterisation S-recursion S-Lemma1 S-flow S-SDE S-Prop1 S-OU S-frozen
S-Eq10 S-Eq10-Gamma S-Eq10-noise S-Eq11 S-Eq11-Z S-Eq11-R
S-EOC-relu S-EOC-elu S-EOC-tanh S-EOC-none S-class
S-Prop2 S-Prop2-ordered S-Prop2-chaotic S-Prop2-spectrum S-Prop2-training
S-Prop3-relu-diagonal S-Prop3-relu S-Prop3-smooth-diagonal S-Prop3-smooth S-Prop3-explanation
S-Lemma2 S-Lemma3 S-Lemma4 S-corr-relu S-corr-smooth
S-Prop4-recursion S-Prop4-small S-Prop4-critical S-Prop4-large S-Prop4-offdiagonal
S-Lemma5 S-Lemma6 S-Lemma6-application S-Cor1
S-Fig1 S-Fig2-a S-Fig2-b S-Fig2-c S-Fig3 S-Fig4 S-Table1-mnist S-Table1-cifar10
S-abstract-kernel S-abstract-linear S-abstract-sde S-abstract-mean-reverting S-abstract-depth
S-abstract-experiments
S-setting S-setting-dimension S-reduction S-GD S-Lemma1-identity S-Lemma1-growth S-Lemma1-Ctilde
S-NTK-def S-linearised S-SDE-law S-SDE-decomposition S-SDE-trace S-SDE-clt S-SDE-difference
S-Gamma-regularises S-Mt S-invertibility S-phases S-variance S-B-variance S-B-map S-B-derivatives
S-B-slope S-B-relu S-B-ordered S-B-chaotic S-Prop2-step1 S-Prop2-step2 S-Prop2-exponential
S-only-EOC S-Kinf-relu S-Kinf-smooth S-uniformity S-EOC-shares S-EOC-invertible S-forgets S-slow
S-Lemma2-step S-Lemma34-bound S-Lemma34-product S-corr-relu-step S-corr-relu-O1 S-relu-slope
S-relu-slope-depth S-Prop3-fk S-Prop3-taylor S-Prop3-cubic S-Prop3-inverse S-corr-smooth-inverted
S-smooth-slope S-Prop4-slope S-Prop4-variance S-Prop4-slope-depth S-Prop4-supplement
S-Prop4-explodes S-Prop4-explanation S-C-intro S-C-assumption S-C-rescaling S-Lemma5-stein
S-Lemma5-distribution S-Lemma6-matching S-Lemma6-covariances S-frozen-test S-Fig1-scatter S-Fig2-log
S-Fig34-consistency S-T1-class S-T1-prelu S-T1-chance S-intro-better S-conclusion
"""


# ---- the book's ledger


@pytest.fixture(scope="module")
def book():
    return ledger.load(ROOT / "book" / "claims.yml")


def test_every_claim_of_both_papers_is_listed(book):
    assert set(CLAIMS.split()) <= {claim.id for claim in book.claims}


def test_the_ledger_says_what_the_notebooks_printed(book):
    assert ledger.check(book, (ROOT / "notebooks").glob("*.ipynb")) == []


def test_the_claim_boxes_say_what_the_ledger_says(book):
    claims = {claim.id: claim for claim in book.claims}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                assert claim_boxes.filled(source, claims) == source, path.name


def test_every_correction_names_what_it_rests_on(book):
    assert ledger.unsupported(book, (ROOT / "notebooks").glob("*.ipynb")) == []


def test_every_verdict_that_leans_on_a_theorem_names_its_hypotheses():
    hypotheses = ledger.load_hypotheses(ROOT / "book" / "hypotheses.yml")
    assert ledger.unnamed(hypotheses, (ROOT / "notebooks").glob("*.ipynb")) == []


@pytest.mark.parametrize("side", ["theorem", "box"])
def test_each_hypothesis_that_is_lost_is_told(side):
    """Altered words on either side, for every entry of the book."""
    hypotheses = ledger.load_hypotheses(ROOT / "book" / "hypotheses.yml")
    altered = {
        claim: {
            anchor: {
                f"{a}, twice" if side == "theorem" else a: f"{b}, twice" if side == "box" else b
                for a, b in named.items()
            }
            for anchor, named in theorems.items()
            if isinstance(named, dict)
        }
        for claim, theorems in hypotheses.items()
    }
    entries = sum(len(named) for theorems in altered.values() for named in theorems.values())
    told = ledger.unnamed(altered, (ROOT / "notebooks").glob("*.ipynb"))
    assert sum("twice" in problem for problem in told) >= entries > 150


def test_mathematics_in_the_ledger_is_closed(book):
    for claim in book.claims:
        for text in filter(None, (claim.title, claim.statement, claim.corrected)):
            assert text.count("$") % 2 == 0, claim.id
            formulas = re.findall(r"\$\$?(.*?)\$\$?", text, re.DOTALL)
            assert all(formula.count("{") == formula.count("}") for formula in formulas), claim.id


# ---- broken ledgers

HOLDS = {"name": "O2-recursion", "notebook": "02_x.ipynb", "verdict": "holds", "measured": "z = 1.2"}
CORRECTED = HOLDS | {"name": "O2-rate", "verdict": "holds with a correction", "measured": "slope -1"}
CELLS = (
    "# Assertion O2-recursion: the recursion holds\nz = 1.2\nassert z < 3\n"
    "print(f'O2-recursion | holds | z = {z}')",
    "O2-recursion | holds | z = 1.2\n",
)


def claim(id="O2", **fields):
    return {
        "id": id,
        "paper": id[0],
        "where": {"section": "Section 1"} | ({"page": "3"} if id[0] == "S" else {}),
        "source": "printed" if id[0] == "S" else "abstract",
        "title": "A title",
        "statement": "A statement with $x$",
        "chapter": 2,
        "verdict": "open",
        "reason": "Not run.",
    } | fields


def without(entry, *fields):
    return {field: value for field, value in entry.items() if field not in fields}


def document(*claims):
    papers = {"O": "The paper O", "S": "The paper S"}
    return {"papers": papers, "chapters": {2: "The tangent kernel"}, "claims": list(claims)}


def decided(**fields):
    entry = without(claim(fields.get("id", "O2")), "reason")
    return entry | {"verdict": "holds", "assertions": [HOLDS]} | fields


def test_open_and_decided_claims_are_read():
    read = ledger.parse(document(decided(), claim("S-Prop2")))
    assert read.claims[0].assertions == (ledger.Assertion(**HOLDS),)
    assert read.claims[1].assertions == ()
    assert read.claims[1].corrected is None
    assert read.claims[1].origin == "printed in Section 1, page 3"


def test_a_claim_that_holds_shows_its_extent_and_is_no_correction():
    read = ledger.parse(document(decided(corrected="At $n = 400$.")))
    chapters = {2: "The tangent kernel"}
    assert "**Extent.** At $n = 400$." in claim_ledger.claim_body(read.claims[0], read.claims, chapters)
    assert claim_ledger.corrections(read.claims, chapters) == [
        "No claim of this paper has been corrected yet."
    ]


def test_the_place_and_the_source_of_a_statement_are_read():
    where = {"section": "Section 2", "equation": "(8), (17)", "page": "4, 11"}
    step = claim("S-Prop2-step", where=where, source="proof step", under="S-Prop2", later="dropped")
    change = {"date": "2026-11-30", "from": "holds", "to": "open", "why": "not run"}
    guess = claim(source="reconstruction", changed=[change])
    first, second, third = ledger.parse(document(claim("S-Prop2"), step, guess)).claims
    assert second.origin == "proof step in Section 2, equations (8), (17), pages 4, 11"
    assert (first.under, second.under, second.later) == (None, "S-Prop2", "dropped")
    assert third.origin == "reconstruction, not seen in print: Section 1"
    assert third.changed == (ledger.Change(*change.values()),)


def test_an_open_claim_may_list_what_was_run():
    ledger.parse(document(claim(assertions=[HOLDS, CORRECTED], corrected="Half of it was run.")))


def test_an_open_assertion_neither_decides_a_claim_nor_spoils_one():
    neither = HOLDS | {"name": "O2-gap", "verdict": "open", "measured": "not decided: [-1, 2] holds 0"}
    for entry in (claim(assertions=[neither]), decided(assertions=[neither, HOLDS])):
        ledger.parse(document(entry))


@pytest.mark.parametrize("verdict", ["assumed", "definition"])
def test_an_assumption_and_a_definition_have_a_reason_and_no_assertions(verdict):
    ledger.parse(document(claim(verdict=verdict)))
    with pytest.raises(ValueError, match=f"field 'assertions' is given but the verdict is {verdict}"):
        ledger.parse(document(claim(verdict=verdict, assertions=[HOLDS])))
    with pytest.raises(ValueError, match=f"field 'reason' is missing; say in a sentence why it is {verdict}"):
        ledger.parse(document(without(claim(verdict=verdict), "reason")))


def test_a_claim_has_the_worst_verdict_of_its_assertions():
    mixed = {"assertions": [HOLDS, CORRECTED], "corrected": "with a factor 2"}
    ledger.parse(document(decided(verdict="holds with a correction", **mixed)))
    for verdict in ("holds", "does not hold as printed"):
        with pytest.raises(
            ValueError, match=r"O2: field 'verdict' is .* the worst .* 'holds with a correction'"
        ):
            ledger.parse(document(decided(verdict=verdict, **mixed)))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("O2", "claim number 1 is a str; write a mapping"),
        ({"paper": "O"}, "claim number 1: field 'id' is missing; add it"),
        (without(claim(), "where"), "claim O2: field 'where' is missing; add it"),
        (without(claim(), "source"), "claim O2: field 'source' is missing; add it"),
        (claim(where="Section 1"), "claim O2: field 'where' is 'Section 1'; write a mapping with section"),
        (claim(where={"equation": "(1)"}), "write a mapping with section, of section, equation, page"),
        (claim(where={"section": ""}), "claim O2, where: field 'section' is ''; write a text"),
        (claim(where={"section": "1", "line": "2"}), "claim O2: field 'where' is {'section'"),
        (claim(where={"section": "1", "page": "2"}), "claim O2: field 'where' has a page; remove it"),
        (claim("S-Prop2", where={"section": "1"}), "claim S-Prop2: field 'where' has no page; add the page"),
        (
            claim("S-Prop2", where={"section": "1", "page": 2}),
            "claim S-Prop2, where: field 'page' is 2; write a text",
        ),
        (claim(source="printed"), "claim O2: field 'source' is 'printed'; write one of abstract | abstract,"),
        (claim("S-Prop2", source="runs"), "field 'source' is 'runs'; write one of printed | proof step"),
        (
            decided(
                source="reconstruction",
                verdict="does not hold as printed",
                corrected="No",
                assertions=[HOLDS | {"verdict": "does not hold as printed"}],
            ),
            "what was not seen in print cannot fail as printed",
        ),
        (claim(under="O9"), "claim O2: field 'under' is 'O9'; write the id of another claim of paper O"),
        (claim(under="O2"), "claim O2: field 'under' is 'O2'; write the id of another claim of paper O"),
        (claim(later="kept"), "claim O2: field 'later' is for paper S; remove it"),
        (claim(changed=[{"date": "2026-11-30"}]), "claim O2: field 'changed' holds {'date'"),
        (
            claim(changed=[{"date": "30.11.", "from": "open", "to": "holds", "why": "ran"}]),
            "claim O2: field 'changed' has the date '30.11.'",
        ),
        (without(claim(), "reason"), "claim O2: field 'reason' is missing; say in a sentence why it is open"),
        (decided(reason="why"), "claim O2: field 'reason' is given but there is a verdict; remove it"),
        (claim(verdit="open"), "claim O2: field 'verdit' is unknown; the fields are id, paper"),
        (claim(statement=""), "claim O2: field 'statement' is ''; write a text"),
        (claim(statement=2), "claim O2: field 'statement' is 2; write a text"),
        (claim("O 2"), "claim O 2: field 'id' must begin with its paper, 'O'"),
        (claim(paper="S"), "claim O2: field 'id' must begin with its paper, 'S'"),
        (claim("T2"), "claim T2: field 'paper' is 'T'; write one of O, S"),
        (claim(chapter=3), "claim O2: field 'chapter' is 3; write a number listed in 'chapters'"),
        (claim(chapter="2"), "claim O2: field 'chapter' is '2'"),
        (claim(verdict="hold"), "claim O2: field 'verdict' is 'hold'; write one of holds, holds with"),
        (claim(verdict=["holds"]), "claim O2: field 'verdict' is ['holds']; write one of holds, holds with"),
        (without(decided(), "assertions"), "claim O2: field 'assertions' is empty; a verdict needs at"),
        (decided(assertions=[]), "claim O2: field 'assertions' is empty; a verdict needs at least one"),
        (decided(assertions="O2-recursion"), "claim O2: field 'assertions' is 'O2-recursion'; write a list"),
        (
            decided(assertions=["O2-recursion"]),
            "claim O2: field 'assertions' holds 'O2-recursion'; write the",
        ),
        (
            decided(assertions=[{"name": "O2-recursion"}]),
            "write the fields name, notebook, verdict, measured",
        ),
        (decided(assertions=[HOLDS, HOLDS]), "claim O2: assertion O2-recursion is listed 2 times"),
        (decided(assertions=[HOLDS | {"measured": 3}]), "O2-recursion: field 'measured' is 3; write a text"),
        (decided(assertions=[HOLDS | {"verdict": "assumed"}]), "O2-recursion: field 'verdict' is 'assumed'"),
        (
            decided(assertions=[HOLDS | {"verdict": "open"}]),
            "claim O2: field 'verdict' is 'holds', but the worst of its assertions is 'open'",
        ),
        (decided(assertions=[HOLDS | {"name": "O3-x"}]), "assertion O3-x is named after no claim"),
        (
            decided(verdict="holds with a correction", assertions=[CORRECTED]),
            "claim O2: field 'corrected' is missing",
        ),
        (
            decided(
                verdict="does not hold as printed",
                assertions=[HOLDS | {"verdict": "does not hold as printed"}],
            ),
            "claim O2: field 'corrected' is missing",
        ),
    ],
)
def test_a_broken_claim_is_refused(entry, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        ledger.parse(document(entry))


def test_a_repeated_id_is_refused():
    with pytest.raises(ValueError, match="claim O2: field 'id' stands 2 times"):
        ledger.parse(document(claim(), claim()))


def test_all_problems_are_told_at_once():
    with pytest.raises(ValueError, match=r"(?s)O2: field 'title'.*S-Prop2: field 'chapter'"):
        ledger.parse(document(claim(title=""), claim("S-Prop2", chapter=99)))


def test_an_assertion_stands_under_the_claim_it_is_named_after():
    longer = HOLDS | {"name": "O2-orthogonal-limit"}
    with pytest.raises(
        ValueError, match=r"O2-orthogonal-limit is named after claim O2-orthogonal; list it there"
    ):
        ledger.parse(document(decided(assertions=[longer]), claim("O2-orthogonal")))
    ledger.parse(document(decided(assertions=[longer]), decided(id="O2-orthogonal", assertions=[longer])))


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        {"claims": []},
        document(),
        document(claim()) | {"more": 1},
        document(claim()) | {"papers": {}},
        document(claim()) | {"chapters": {"2": "The tangent kernel"}},
    ],
)
def test_a_file_that_is_no_ledger_is_refused(broken):
    with pytest.raises(ValueError, match=r"^claims\.yml"):
        ledger.parse(broken)


def test_a_repeated_key_is_refused(tmp_path):
    path = tmp_path / "claims.yml"
    path.write_text(
        yaml.safe_dump(document(claim())).replace("verdict: open", "verdict: open\n  verdict: holds")
    )
    with pytest.raises(ValueError, match="key 'verdict' stands 2 times"):
        ledger.load(path)


# ---- broken notebooks


def code(source=CELLS[0], printed=CELLS[1], **fields):
    outputs = [{"output_type": "stream", "name": "stdout", "text": printed.splitlines(keepends=True)}]
    return {
        "cell_type": "code",
        "metadata": {},
        "source": source.splitlines(keepends=True),
        "execution_count": 1,
        "outputs": outputs,
    } | fields


def text(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def problems(tmp_path, *cells, claims=None, name="02_x.ipynb"):
    """What the check says of a book that consists of one notebook with these cells."""
    notebook = {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / name).write_text(json.dumps(notebook))
    read = ledger.parse(document(*(claims or (decided(),))))
    return ledger.check(read, tmp_path.glob("*.ipynb"))


def test_agreement_is_silent(tmp_path):
    boxes = "Words.\n\n> **Verdict (O2): holds.** It is 1.2.\n\n> **Verdict (O2, S-Prop2): holds.**"
    lean = decided(id="S-Prop2")  # a claim may lean on the assertion of another
    assert problems(tmp_path, text("# T"), code(), text(boxes), claims=(decided(), lean)) == []


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (code(execution_count=None), "assertion O2-recursion did not run; execute the notebook"),
        (code(printed=""), "it printed 'nothing'"),
        (
            code(printed="O2-recursion | holds | z = 1.3\n"),
            "the ledger's measured is 'z = 1.2', the cell printed",
        ),
        (
            code(printed="O2-recursion | does not hold as printed | z = 1.2\n"),
            "the ledger's verdict is 'holds', the cell printed 'does not hold as printed'",
        ),
        (code(printed="O2-recursion | fine | z = 1.2\n"), "must print 'O2-recursion | verdict | measured'"),
        (code(printed="O2-other | holds | z = 1.2\n"), "must print 'O2-recursion | verdict | measured'"),
        (code(printed=CELLS[1] + "more\n"), "it printed 'more'"),
        (code(source=CELLS[0].replace("assert z < 3", "z < 3")), "holds no assert statement that can fail"),
        (
            code(source=CELLS[0].replace("assert z < 3", "assert True")),
            "holds no assert statement that can fail",
        ),
        (code(source=CELLS[0].replace("z < 3", "(z < 3, 'no')")), "holds no assert statement that can fail"),
        (code(source="%time\n" + CELLS[0]), "an assertion cell must begin with the line '# Assertion NAME"),
        (code(source=CELLS[0].replace(":", "", 1)), "an assertion cell must begin with the line"),
        (
            code(outputs=[*code()["outputs"], {"output_type": "error", "ename": "AssertionError"}]),
            "assertion O2-recursion failed",
        ),
        (code(source="1 + 1"), "02_x.ipynb has no cell of that name that ran"),
    ],
)
def test_a_cell_that_does_not_bear_the_ledger_out_is_told(tmp_path, cell, message):
    found = problems(tmp_path, cell)
    assert any(message in problem for problem in found), found


def test_a_notebook_that_is_absent_is_told(tmp_path):
    found = problems(tmp_path, text("# T"), name="03_y.ipynb")
    assert found == ["claim O2, assertion O2-recursion: there is no notebook '02_x.ipynb'"]


def test_an_assertion_that_the_ledger_does_not_list_is_told_with_what_to_add(tmp_path):
    (found,) = problems(tmp_path, code(), claims=(claim(),))
    assert "assertion O2-recursion is not in the ledger; under claim O2 add {" in found
    entry = yaml.safe_load(found.split(" add ", 1)[1])
    assert problems(tmp_path, code(), claims=(decided(assertions=[entry]),)) == []


def test_an_assertion_of_no_claim_is_told(tmp_path):
    (found,) = problems(tmp_path, code(), claims=(claim("S-Prop2"),))
    assert "named after no claim of the ledger" in found


def test_two_cells_of_one_name_are_told(tmp_path):
    assert "assertion O2-recursion stands in 2 cells; names are unique" in problems(tmp_path, code(), code())


@pytest.mark.parametrize(
    ("box", "message"),
    [
        (
            "> **Verdict (O2): does not hold as printed.**",
            "says 'does not hold as printed', the ledger 'holds'",
        ),
        ("> **Verdict (S-Prop2): holds.**", "verdict box of claim S-Prop2 says 'holds', the ledger 'open'"),
        ("> **Verdict (O9): holds.**", "verdict box names claim O9, which the ledger does not have"),
        ("> **Verdict (O2, O9): holds.**", "verdict box names claim O9"),
        ("> **Verdict (O2): true.**", "a verdict box is not of the form"),
        ("> **Verdict (O2): holds**.", "a verdict box is not of the form"),
        ("> **Verdict (O2): holds.** It is\n1.2.", "the verdict box of O2 goes on in a line without '>'"),
        ("**Verdict (O2): holds.**", "a verdict box is not of the form"),
    ],
)
def test_a_verdict_box_that_contradicts_the_ledger_is_told(tmp_path, box, message):
    found = problems(tmp_path, code(), text(f"Words.\n\n{box}"), claims=(decided(), claim("S-Prop2")))
    assert any(message in problem for problem in found), found


@pytest.mark.parametrize(
    ("box", "corrected", "told"),
    [
        ("It is 2, by [Theorem 2.1](#thm-2-1).", "Twice $x$.", False),
        ("It is 2.", "Twice $x$ ([Figure 2.1](../notebooks/02_x.ipynb#fig-2-1)).", False),
        ("It is 2.", "Twice $x$.", True),
        ("It is 2, by [chapter 2](02_x.ipynb).", "Twice $x$, [as seen](references.md#lee-2019).", True),
    ],
)
def test_a_correction_without_its_hypotheses_is_told(tmp_path, box, corrected, told):
    verdict = "holds with a correction"
    entry = decided(verdict=verdict, corrected=corrected, assertions=[CORRECTED])
    source = f"Words.\n\n> **Verdict (O2): {verdict}.** {box}\n\nSee [Theorem 2.1](#thm-2-1)."
    (tmp_path / "02_x.ipynb").write_text(json.dumps({"cells": [text(source)]}))
    found = ledger.unsupported(ledger.parse(document(entry)), tmp_path.glob("*.ipynb"))
    assert any("the verdict box of claim O2 links to no theorem" in problem for problem in found) == told


LEMMA = '<a id="lem-2-1"></a>\n> **Lemma 2.1.** Let $f$ be smooth. Then $x = 2$.'
LEANING = {"lem-2-1": {"$f$ be smooth": "for smooth $f$"}}


@pytest.mark.parametrize(
    ("box", "hypotheses", "message"),
    [
        ("It is 2, by [Lemma 2.1](#lem-2-1) for smooth $f$.", {"O2": LEANING}, None),
        (
            "It is 2, by [Lemma 2.1](02_x.ipynb#lem-2-1).",
            {"O2": LEANING},
            "does not name its hypothesis '$f$ be",
        ),
        (
            "It is 2, by [Lemma 2.1](#lem-2-1) for smooth $f$.",
            {},
            "leans on lem-2-1, whose hypotheses are not",
        ),
        ("It is 2, by [Lemma 2.1](#lem-2-1).", {"O2": {"lem-2-1": "it has none"}}, None),
        (
            "It is 2, by [Lemma 2.1](#lem-2-1) at 3.",
            {"O2": {"lem-2-1": {"at 3": "at 3"}}},
            "does not say 'at 3'",
        ),
        ("It is 2 for smooth $f$, by [(2.1)](#eq-2-1).", {"O2": LEANING}, "no verdict box of claim O2 links"),
    ],
)
def test_a_verdict_without_the_hypotheses_of_its_theorem_is_told(tmp_path, box, hypotheses, message):
    cells = [text(LEMMA), text(f"> **Verdict (O2, O3): holds.** {box}")]
    (tmp_path / "02_x.ipynb").write_text(json.dumps({"cells": cells}))
    found = ledger.unnamed(hypotheses, tmp_path.glob("*.ipynb"))
    assert [message in problem for problem in found] == [True] * (message is not None)


@pytest.mark.parametrize(
    "content", ["[]", "S-GD: {}\nS-OU: {thm-5-1: {}}", "S-OU: {thm-5-1: {a: 2}}", "S-OU: thm-5-1"]
)
def test_a_list_of_hypotheses_of_another_form_is_refused(tmp_path, content):
    (tmp_path / "hypotheses.yml").write_text(content)
    with pytest.raises(ValueError, match=r"^hypotheses\.yml"):
        ledger.load_hypotheses(tmp_path / "hypotheses.yml")


def test_the_command_checks_this_book():
    done = subprocess.run(
        [sys.executable, ROOT / "book" / "ext" / "ledger.py"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"holds: \d+, holds with a correction: \d+, .*, definition: \d+\n", done.stdout)


# ---- the claim boxes


STATED = {"O2": "Let $x$\nbe $y$. Then\n\n$$\nx =\ny\n$$\n\n| a |\n|---|\n| b |", "S-Eq1": "Short."}
BOX = """\
<a id="clm-2-1"></a>
> **Claim 2.1 (Paper O, $x$).**
>
> *[O2](../book/claims.md#claim-O2)*
> *[S-Eq1](../book/claims.md#claim-S-Eq1)*

After.
"""
FILLED = """\
<a id="clm-2-1"></a>
> **Claim 2.1 (Paper O, $x$).**
>
> Let $x$ be $y$. Then
>
> $$ x = y $$
>
> | a |
> |---|
> | b |
>
> *[O2](../book/claims.md#claim-O2), printed in the Section 1*
>
> Short.
>
> *[S-Eq1](../book/claims.md#claim-S-Eq1), printed in Section 1, page 3*

After.
"""


@pytest.fixture
def stated():
    entries = [claim(id, statement=statement) for id, statement in STATED.items()]
    return {entry.id: entry for entry in ledger.parse(document(*entries)).claims}


def test_a_claim_box_is_filled_from_the_ledger(stated):
    assert claim_boxes.filled(BOX, stated) == FILLED
    assert ledger.scan(ledger.Cell("02_x.ipynb", "1", FILLED))[0].number == "2.1"
    assert not [found for found in ledger.scan(ledger.Cell("02_x.ipynb", "1", FILLED)) if is_problem(found)]


def test_filling_twice_changes_nothing_and_an_altered_statement_is_put_right(stated):
    assert claim_boxes.filled(FILLED, stated) == FILLED
    assert claim_boxes.filled(FILLED.replace("x = y", "x = z").replace("page 3", "page 4"), stated) == FILLED


@pytest.mark.parametrize(
    ("box", "message"),
    [
        (BOX.replace("O2", "O9"), "Claim 2.1: the source line of O9 names no claim of the ledger twice"),
        (BOX.replace("claim-O2", "claim-O1"), "Claim 2.1: the source line of O2 names no claim"),
        (BOX.replace("> *[", "> ["), "Claim 2.1: it has no source line"),
        (BOX.replace("$x$).**", "$x$).** Let"), "Claim 2.1: its first line must be the title alone"),
    ],
)
def test_a_claim_box_that_cannot_be_filled_is_told(stated, box, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        claim_boxes.filled(box, stated)


def is_problem(found):
    return hasattr(found, "message")


# ---- the pages


CONF = """
import sys
sys.path.append({ext!r})
extensions = ["myst_nb", "sphinx_design", "sphinxcontrib.bibtex", "claim_ledger"]
myst_enable_extensions = ["dollarmath", "colon_fence", "amsmath"]
nb_execution_mode = "off"
bibtex_bibfiles = ["book/references.bib"]
bibtex_cite_id = "{{key}}"
master_doc = "book/claims"
"""
MEASURED = '`a`_b *c* $x$ ``d` | <e> [f](g) 1 \\ "quoted"'
STATEMENT = "A formula $\\sum_i |x_i|$ and\n\n$$ y = x $$"


def sphinx(root, *options):
    """Build the book in `root` as HTML into out/, warnings being errors."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", *options, "-b", "html", root, root / "out"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The pages of a small book, whose ledger has a decided and an open claim, built without a warning."""
    root = tmp_path_factory.mktemp("book")
    for folder in ("book", "notebooks"):
        (root / folder).mkdir()
    for page in ("claims.md", "references.md", "references.bib"):
        shutil.copy(ROOT / "book" / page, root / "book" / page)
    tables = "".join(f"\n## {p}\n\n```{{figure-index}}\n:paper: {p}\n```\n" for p in "OS")
    (root / "book" / "figure_index.md").write_text(f"# F\n{tables}", encoding="utf-8")
    erratum = "# E\n\n```{corrections}\n:paper: O\n```\n\n## S\n\n```{corrections}\n:paper: S\n```\n"
    (root / "book" / "erratum.md").write_text(erratum, encoding="utf-8")
    toc = "\n```{toctree}\nfigure_index\nerratum\nreferences\n../notebooks/02_x\n```\n"
    with open(root / "book" / "claims.md", "a", encoding="utf-8") as page:
        page.write(toc)
    claims = (
        decided(
            statement=STATEMENT,
            verdict="holds with a correction",
            corrected="Twice $x$.",
            assertions=[CORRECTED | {"measured": MEASURED}],
        ),
        claim("S-Fig2-a", where={"section": "Figure 2 (a)", "page": "7"}, title="A rate | of depth"),
    )
    (root / "book" / "claims.yml").write_text(yaml.safe_dump(document(*claims)), encoding="utf-8")
    links = "# 2 · T\n\n[c](../book/claims.md#claim-S-Fig2-a) [r](../book/references.md#lee-2019)"
    cells = [text(links), code("# Assertion O2-rate: it holds\nassert 1 + 1 == 2")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 4}
    (root / "notebooks" / "02_x.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    (root / "conf.py").write_text(CONF.format(ext=str(ROOT / "book" / "ext")), encoding="utf-8")

    done = sphinx(root, "--keep-going", "-n")
    assert done.returncode == 0, done.stderr
    return {
        path.stem: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in root.glob("out/*/*.html")
    }


def test_the_claims_page_shows_what_the_ledger_says(built):
    section = built["claims"].find(id="claim-O2")
    assert section.h3.get_text().startswith("O2 · A title")
    shown = section.get_text()
    assert "holds with a correction" in shown
    assert MEASURED in shown  # letter by letter, no Markdown read into it
    assert {node.name for node in section.find_all(class_="math")} == {"span", "div"}
    assert built["claims"].find(id="claim-S-Fig2-a").find(class_="sd-badge").get_text() == "open"


def test_the_counts_add_up(built):
    rows = [
        [cell.get_text() for cell in row.find_all("td")] for row in built["claims"].table.find_all("tr")[1:]
    ]
    assert rows == [
        ["holds", "0", "0", "0"],
        ["holds with a correction", "1", "0", "1"],
        ["does not hold as printed", "0", "0", "0"],
        ["open", "0", "1", "1"],
        ["assumed", "0", "0", "0"],
        ["definition", "0", "0", "0"],
        ["All", "1", "1", "2"],
    ]


def test_the_verdicts_of_a_chapter_are_counted():
    read = ledger.parse(document(decided(), claim("S-Prop2")))
    counted = claim_ledger.chapters_table(read, read.chapters)
    assert [row.split("|")[2:6] for row in counted[2:]] == [[" 1 ", "  ", "  ", " 1 "]]
    assert [row.count('class="') for row in counted[2:]] == [3]  # the bar, and two blocks in it


def test_a_chapter_in_two_parts_has_two_links():
    pages = {"notebooks/02_first", "notebooks/02b_second", "notebooks/03_third"}
    assert claim_ledger.chapter_names({2: "Two", 4: "Four"}, pages) == {
        2: "[2 · Two](../notebooks/02_first.ipynb), [2b](../notebooks/02b_second.ipynb)",
        4: "4 · Four",
    }


def test_the_figure_index_lists_figures_alone(built):
    paper_o, paper_s = built["figure_index"].find_all("table")
    assert len(paper_o.find_all("tr")) == 1  # the head alone
    (row,) = paper_s.find_all("tr")[1:]
    assert [cell.get_text() for cell in row.find_all("td")] == [
        "Figure 2 (a), page 7",
        "A rate | of depth",
        "2 · The tangent kernel",
        "open",
    ]
    assert row.a["href"] == "claims.html#claim-S-Fig2-a"


def test_the_erratum_lists_what_is_corrected_and_nothing_else(built):
    page = built["erratum"].article or built["erratum"]
    assert page.get_text().count("holds with a correction") == 1
    assert (
        page.get_text().count("No claim of this paper has been corrected yet.") == 1
    )  # paper S of this book
    assert [strong.get_text() for strong in page.find_all("strong")] == ["Section 1: A title."]
    assert "Printed, in our words. " in page.get_text()  # the statement stands beside its correction
    assert "Corrected. Twice" in page.get_text()
    links = {a.get_text(): a["href"] for a in page.find_all("a", class_="internal")}
    assert links["O2"] == "claims.html#claim-O2"
    assert links["O2-rate"] == "../notebooks/02_x.html#assertion-O2-rate"


def test_claims_and_notebook_link_to_each_other(built):
    (link,) = (a for a in built["claims"].find(id="claim-O2").find_all("a") if a.get_text() == "O2-rate")
    assert link["href"] == "../notebooks/02_x.html#assertion-O2-rate"
    assert "assert" in built["02_x"].find(id="assertion-O2-rate").get_text()
    links = {a.get_text(): a["href"] for a in built["02_x"].find_all("a", class_="internal")}
    assert links["c"] == "../book/claims.html#claim-S-Fig2-a"
    assert links["r"] == "../book/references.html#lee-2019"
    assert built["references"].find(id="lee-2019") is not None


def test_a_broken_ledger_stops_the_build(built, tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "claims.md").write_text("# C\n\n```{claim-ledger}\n:paper: O\n```\n")
    (tmp_path / "book" / "references.bib").write_text("")
    (tmp_path / "book" / "claims.yml").write_text(yaml.safe_dump(document(claim(title=""))))
    (tmp_path / "conf.py").write_text(CONF.format(ext=str(ROOT / "book" / "ext")))
    done = sphinx(tmp_path)
    assert done.returncode != 0
    assert "claim O2: field 'title' is ''; write a text" in done.stderr


# ---- the bibliography


def test_each_key_of_the_bibliography_is_an_anchor():
    entries = re.findall(
        r"^@\w+\{([^,]+),$", (ROOT / "book" / "references.bib").read_text(encoding="utf-8"), re.M
    )
    assert len(entries) == len(set(entries)) > 30
    assert all(re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", key) for key in entries)


def test_every_entry_of_the_bibliography_is_cited_and_every_citation_is_an_entry():
    entries = re.findall(r"(?m)^@\w+\{([^,]+),$", (ROOT / "book/references.bib").read_text(encoding="utf-8"))
    texts = [(ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "book/claims.yml")]
    texts += [path.read_text(encoding="utf-8") for path in (ROOT / "book").glob("*.md")]
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts += ["".join(cell["source"]) for cell in cells]
    cited = {key for text in texts for key in re.findall(r"references\.md#([\w-]+)", text)}
    assert cited == set(entries)
