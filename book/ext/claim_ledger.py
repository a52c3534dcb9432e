"""Sphinx extension: the pages built from the claim ledger, and anchors at the assertion cells.

Directives: `{claim-summary}` (how many claims have which verdict), `{claim-chapters}` (the same by chapter),
`{claim-table}` (a row for every claim; book/assets/ledger.js filters and sorts it), `{claim-ledger}` with the
option `paper` (every claim of a paper, a section each), `{figure-index}` with the option `paper` (its figures
and tables), `{corrections}` with the option `paper` (what is true where the paper is not),
`{claim-changes}` (what this book had wrong), `{claim-mutants}` (the wrong theories that were tried).
Link to a claim with `claims.md#claim-ID`, to an assertion with `NN_slug.ipynb#assertion-NAME`.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from html import escape
from pathlib import Path

from box_grammar import VERDICTS as CLASSES
from claims_export import bibtex, version_of
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from ledger import NOT_PRINTED, UNDECIDED, VERDICTS, Assertion, Claim, Ledger, assertion_name, load
from sphinx.util.docutils import SphinxDirective
from trials import Record, count, load_records, plain_text, words

LEDGER = "book/claims.yml"
NOTEBOOKS = "notebooks"
CLAIMS_PAGE = "claims.md"  # the pages that use these directives are its neighbours

# What claims_export writes, as seen from the claims page.
FILES = """<p>For programs: <a href="../claims.json">claims.json</a>
(<a href="../claims.schema.json">schema</a>); for citations: <a href="../claims.bib">claims.bib</a>.</p>"""

_KINDS = (*VERDICTS, *UNDECIDED)
_COLOURS = ("success", "warning", "danger", "muted-line", "muted-line", "muted-line")
_BADGES = dict(zip(_KINDS, _COLOURS, strict=True))
_LABELS = {"reconstruction": "Reconstruction.", "code": "From the code.", "runs": "From the runs."}
_FIGURE = re.compile(r"[A-Z]-(Fig|Table)\d")


# ---- Markdown, as the book's parser reads it


def badge(verdict: str) -> str:
    """The verdict as a coloured label; its words say the same without the colour."""
    return f"{{bdg-{_BADGES[verdict]}}}`{verdict}`"


def claim_link(id: str) -> str:
    """A link to a claim's section of the claims page."""
    return f"[{id}]({CLAIMS_PAGE}#claim-{id})"


def summary_table(ledger: Ledger) -> list[str]:
    """Counts: a row per verdict, a column per paper."""
    counts = Counter((claim.verdict, claim.paper) for claim in ledger.claims)
    rows = [
        (badge(verdict), *(str(counts[verdict, paper]) for paper in ledger.papers), _total(counts, verdict))
        for verdict in _KINDS
    ]
    sums = [str(sum(claim.paper == paper for claim in ledger.claims)) for paper in ledger.papers]
    rows.append(("All", *sums, str(len(ledger.claims))))
    return _table(("Verdict", *(f"Paper {paper}" for paper in ledger.papers), "Both"), rows)


def chapters_table(ledger: Ledger, chapters: dict[int, str]) -> list[str]:
    """One row a chapter: its name (linked), how many of its claims have which verdict, and these as a bar."""
    counts = Counter((claim.chapter, claim.verdict) for claim in ledger.claims)
    rows = [
        (
            name,
            *(str(counts[number, verdict] or "") for verdict in _KINDS[:4]),
            bar({verdict: counts[number, verdict] for verdict in _KINDS[:4]}),
        )
        for number, name in chapters.items()
        if any(counts[number, verdict] for verdict in _KINDS)
    ]
    return _table(("Chapter", *(badge(verdict) for verdict in _KINDS[:4]), "As a bar"), rows)


def bar(counts: dict[str, int]) -> str:
    """Counts of verdicts as coloured blocks, in HTML; the numbers stand beside it."""
    blocks = "".join(
        f'<span class="{CLASSES[verdict]}" style="width:{0.3 * n:.1f}em"></span>'
        for verdict, n in counts.items()
        if n
    )
    return f'<span class="counts" aria-hidden="true">{blocks}</span>'


def overview_table(claims: Iterable[Claim], chapters: dict[int, str]) -> list[str]:
    """One row a claim: its id (linked), what it is about, its place and source, its chapter, its verdict."""
    rows = [
        (
            claim_link(claim.id),
            claim.title,
            str(claim.where),
            claim.source,
            chapters[claim.chapter],
            badge(claim.verdict),
        )
        for claim in claims
    ]
    return _table(("Claim", "About", "Place", "Source", "Chapter", "Verdict"), rows)


def figure_table(claims: list[Claim], chapters: dict[int, str]) -> list[str]:
    """One row a figure or table: its place in the paper, what it shows, where it is redone, its verdict."""
    rows = [
        (
            f"[{claim.where}]({CLAIMS_PAGE}#claim-{claim.id})",
            claim.title,
            chapters[claim.chapter],
            badge(claim.verdict),
        )
        for claim in claims
        if _FIGURE.match(claim.id) and not claim.under
    ]
    return _table(("In the paper", "What it shows", "Chapter", "Status"), rows)


def label(claim: Claim) -> str:
    """What the statement is: the paper's own, in our words, or another's."""
    return _LABELS[claim.source] if claim.source in NOT_PRINTED else "Printed, in our words."


def claim_body(
    claim: Claim, claims: list[Claim], chapters: dict[int, str], records: dict[str, Record] | None = None
) -> list[str]:
    """A claim's section below its title: verdict, place, statement, correction, assertions, steps.

    `records` has what the assertions were tried with.
    """
    head = f"{badge(claim.verdict)} {claim.origin} · chapter {chapters[claim.chapter]}"
    if claim.under:
        head += f" · part of {claim_link(claim.under)}"
    lines = [head, ""]
    if claim.finding:
        lines += [f"**[Finding](findings.md).** {claim.finding.strip()}", ""]
    lines += [f"**{label(claim)}** " + claim.statement.strip(), ""]
    if claim.reason:
        lines += [f"**{claim.verdict.capitalize()}.** " + claim.reason.strip(), ""]
    if claim.corrected:
        name = "Extent" if claim.verdict == "holds" else "Corrected"
        lines += [f"**{name}.** " + claim.corrected.strip(), ""]
    for a in claim.assertions:
        tried = words((records or {}).get(a.name))
        lines.append(f"- {assertion_link(a)}: {badge(a.verdict)} {_literal(a.measured)}{tried}")
    steps = [f"{claim_link(step.id)} {badge(step.verdict)}" for step in claims if step.under == claim.id]
    if steps:
        lines += ["", "*Parts and steps of the proof:* " + ", ".join(steps)]
    if claim.paper == "S":
        lines += ["", f"*Later versions:* {(claim.later or 'not consulted.').strip()}"]
    return lines


def corrections(claims: list[Claim], chapters: dict[int, str]) -> list[str]:
    """For each claim that does not hold as it stands: what is true, and the assertions that say so."""
    lines = []
    for claim in claims:
        if claim.corrected and claim.verdict != "holds":
            deciding = ", ".join(assertion_link(assertion) for assertion in claim.assertions)
            place = str(claim.where)
            lines += [
                f"**{place[0].upper()}{place[1:]}: {claim.title}.** {badge(claim.verdict)}",
                "",
                f"*{label(claim)}* {claim.statement.strip()}",
                "",
                f"*Corrected.* {claim.corrected.strip()}",
                "",
                f"{claim_link(claim.id)}, *decided by* {deciding} *in chapter* {chapters[claim.chapter]}.",
                "",
            ]
    return lines or ["No claim of this paper has been corrected yet."]


def changes_table(ledger: Ledger) -> list[str]:
    """One row a change, the latest first: a statement or verdict that this book had wrong."""
    rows = sorted(
        (
            (change.date, claim_link(claim.id), change.before, change.after, change.why)
            for claim in ledger.claims
            for change in claim.changed
        ),
        key=lambda row: row[0],
        reverse=True,
    )
    return _table(("Date", "Claim", "Before", "After", "Why"), rows)


def assertion_link(assertion: Assertion) -> str:
    """A link to the cell that decides."""
    return f"[{assertion.name}](../{NOTEBOOKS}/{assertion.notebook}#assertion-{assertion.name})"


def chapter_names(chapters: dict[int, str], docnames: set[str]) -> dict[int, str]:
    """Each chapter's number and title, linked where one notebook has its number, and its second part."""
    names = {}
    for number, title in chapters.items():
        found = [name for name in docnames if re.fullmatch(rf"{NOTEBOOKS}/{number:02d}_\w+", name)]
        text = f"{number} · {title}"
        names[number] = f"[{text}](../{found[0]}.ipynb)" if len(found) == 1 else text
        for second in (name for name in docnames if re.fullmatch(rf"{NOTEBOOKS}/{number:02d}b_\w+", name)):
            names[number] += f", [{number}b](../{second}.ipynb)"
    return names


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    cells = [head, ("---",) * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in cells]


def _total(counts: Counter, verdict: str) -> str:
    return str(sum(n for (which, _), n in counts.items() if which == verdict))


def _literal(text: str) -> str:
    """The text as it was printed, letter by letter: between more backticks than it has in a row."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence} {text} {fence}"


# ---- Sphinx


class _LedgerDirective(SphinxDirective):
    """Reads the ledger; its page is built again each time, for the set of notebooks may have changed."""

    has_content = False

    def ledger(self) -> Ledger:
        path = Path(self.env.srcdir) / LEDGER
        self.env.note_dependency(str(path))
        self.env.note_reread()
        try:
            return load(path)
        except ValueError as error:
            raise self.error(str(error)) from error

    def claims(self, ledger: Ledger) -> list[Claim]:
        paper = self.options.get("paper")
        if paper not in ledger.papers:
            raise self.error(f"option paper is {paper!r}; write one of {', '.join(ledger.papers)}")
        return [claim for claim in ledger.claims if claim.paper == paper]

    def chapters(self, ledger: Ledger) -> dict[int, str]:
        return chapter_names(ledger.chapters, self.env.found_docs)

    def markdown(self, lines: list[str], parent: nodes.Element) -> nodes.Element:
        self.state.nested_parse(StringList(lines, LEDGER), self.content_offset, parent)
        return parent


class ClaimSummary(_LedgerDirective):
    """`{claim-summary}`: the table of counts."""

    def run(self) -> list[nodes.Node]:
        return self.markdown(summary_table(self.ledger()), nodes.Element()).children


class ClaimMutants(_LedgerDirective):
    """`{claim-mutants}`: how many wrong theories were tried, and those that no assertion rejects."""

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()
        records = load_records(Path(self.env.srcdir) / "book")
        caught, tried = count(records.values())
        waiting = sum(not record.trials for record in records.values())
        lines = [f"{caught} of {tried} wrong theories are rejected by the assertion that they are for."]
        if waiting:
            lines[0] += f" Those of {waiting} assertions are declared and were not run yet."
        survivors = [
            f"- {name}: {plain_text(trial.mutant)}; {trial.survives}."
            for name, record in sorted(records.items())
            for trial in record.trials
            if not trial.caught
        ]
        lines += ["The others, with the reason:", "", *survivors] if survivors else []
        return self.markdown(lines, nodes.Element()).children


class ClaimChapters(_LedgerDirective):
    """`{claim-chapters}`: the verdicts of each chapter, counted."""

    def run(self) -> list[nodes.Node]:
        ledger = self.ledger()
        lines = chapters_table(ledger, self.chapters(ledger))
        return [self.markdown(lines, nodes.container(classes=["claim-chapters"]))]


class ClaimChanges(_LedgerDirective):
    """`{claim-changes}`: what changed in the ledger, and why."""

    def run(self) -> list[nodes.Node]:
        return self.markdown(changes_table(self.ledger()), nodes.Element()).children


class _OnePaper(_LedgerDirective):
    """A directive that writes Markdown from a paper's claims and the names of the chapters."""

    option_spec = {"paper": directives.unchanged_required}  # noqa: RUF012  (docutils' own form)

    def run(self) -> list[nodes.Node]:
        ledger = self.ledger()
        return self.markdown(self.lines(self.claims(ledger), self.chapters(ledger)), nodes.Element()).children


class FigureIndex(_OnePaper):
    """`{figure-index}`: the figures and tables of a paper."""

    lines = staticmethod(figure_table)


class Corrections(_OnePaper):
    """`{corrections}`: what is true where a paper is not."""

    lines = staticmethod(corrections)


class ClaimTable(_LedgerDirective):
    """`{claim-table}`: a row for every claim, and for the script what a filter asks for."""

    def run(self) -> list[nodes.Node]:
        ledger = self.ledger()
        table = self.markdown(overview_table(ledger.claims, self.chapters(ledger)), nodes.container())
        table["classes"].append("claim-table")
        facts = [
            {field: getattr(claim, field) for field in ("id", "paper", "verdict", "chapter", "source")}
            for claim in ledger.claims
        ]
        data = json.dumps(facts, separators=(",", ":"), ensure_ascii=False).replace("</", "<\\/")
        script = f'<script type="application/json" id="claim-facts">{data}</script>'
        return [nodes.raw("", script + FILES, format="html"), table]


class ClaimLedger(_LedgerDirective):
    """`{claim-ledger}`: a paper's claims, a section each."""

    option_spec = {"paper": directives.unchanged_required}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        ledger = self.ledger()
        claims, chapters = self.claims(ledger), self.chapters(ledger)
        records = load_records(Path(self.env.srcdir) / "book")
        content = []
        for claim in claims:
            title = f"{claim.id} · {claim.title}"
            section = nodes.section("", nodes.title(title, title), ids=[f"claim-{claim.id}"])
            self.markdown(claim_body(claim, claims, chapters, records), section)
            section += nodes.raw("", cite(claim, self.config), format="html")
            content.append(section)
        return content


def cite(claim: Claim, config) -> str:
    """A fold with the claim's BibTeX entry; no `pre`, for the theme measures each as a page loads."""
    entry = bibtex(claim, config.version or "unreleased", config.html_baseurl)
    return f'<details class="cite"><summary>Cite {claim.id}</summary><code>{escape(entry)}</code></details>'


def load_script(app, pagename: str, templatename: str, context: dict, doctree: nodes.document) -> None:
    """Adds the ledger's script to the page that has its table."""
    if doctree and any("claim-table" in node["classes"] for node in doctree.findall(nodes.container)):
        app.add_js_file("ledger.js", defer="defer")


def set_version(app, config) -> None:
    """The version of the project, where there is one."""
    if (Path(app.srcdir) / "pyproject.toml").is_file():
        config.version = version_of(Path(app.srcdir))


def note_anchors(app, doctree: nodes.document) -> None:
    """Give assertion cells their anchors, and let MyST know of these and of the claims' sections."""
    anchors = []
    for node in doctree.findall(nodes.Element):
        if isinstance(node, nodes.section):
            anchors += [anchor for anchor in node["ids"] if anchor.startswith("claim-")]
        elif node.get("nb_element") == "cell_code":
            source = next(node.findall(nodes.literal_block), None)
            if source is not None and (name := assertion_name(source.astext())):
                node["ids"].append(f"assertion-{name}")
                anchors.append(f"assertion-{name}")
    note_slugs(app.env, app.env.docname, anchors)


def note_citations(app, env) -> None:
    """Let MyST know of the references too: what a bibliography holds is known when all pages are read."""
    for citation in env.get_domain("cite").citations:
        note_slugs(env, citation.bibliography_key.docname, [citation.citation_id])


def note_slugs(env, docname: str, anchors: list[str]) -> None:
    """Make `page#anchor` a link that MyST resolves, and warns of when the anchor has gone."""
    if anchors:
        slugs = env.metadata[docname].setdefault("myst_slugs", {})
        slugs.update({anchor: (0, anchor, anchor) for anchor in anchors})


def setup(app) -> dict:
    app.add_directive("claim-summary", ClaimSummary)
    app.add_directive("claim-table", ClaimTable)
    app.add_directive("claim-mutants", ClaimMutants)
    app.add_directive("claim-ledger", ClaimLedger)
    app.add_directive("claim-chapters", ClaimChapters)
    app.add_directive("claim-changes", ClaimChanges)
    app.add_directive("figure-index", FigureIndex)
    app.add_directive("corrections", Corrections)
    app.setup_extension("sphinxcontrib.bibtex")
    app.setup_extension("claims_export")
    app.connect("config-inited", set_version)
    app.connect("html-page-context", load_script)
    app.connect("doctree-read", note_anchors)
    app.connect("env-check-consistency", note_citations)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
