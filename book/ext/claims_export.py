"""Sphinx extension: the ledger for programs, claims.json (as claims.schema.json says), and claims.bib.

They stand at the root of the site and keep their addresses. Statements are Markdown with TeX between dollars.
"""

import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urljoin

from ledger import Assertion, Claim, Ledger, load
from sphinx.application import Sphinx
from trials import Ball, Record, load_balls, load_records

LEDGER = "book/claims.yml"
SCHEMA = "book/claims.schema.json"
PAGE = "book/claims.html"
BOOK = "The neural tangent kernel: two papers, claim by claim"


def bibtex(claim: Claim, version: str, base: str = "") -> str:
    """A BibTeX entry for one claim of this version of the ledger."""
    fields = {
        "title": f"{{Claim {_escaped(claim.id)}: {_escaped(claim.title)}}}",
        "author": "{The ntk-book authors}",
        "howpublished": f"{BOOK}, version {version}",
        "note": f"Verdict: {claim.verdict}",
        "url": f"{base}{PAGE}#claim-{claim.id}",
    }
    lines = "".join(f"  {name} = {{{text}}},\n" for name, text in fields.items())
    return f"@misc{{ntk-book:{claim.id},\n{lines}}}"


def document(
    ledger: Ledger,
    pages: Iterable[str],
    version: str,
    base: str = "",
    records: dict[str, Record] | None = None,
    balls: dict[str, list[Ball]] | None = None,
) -> dict:
    """The content of claims.json; `pages` are the names of the book's pages, `base` is the site's address."""
    chapters = {number: _page_of(number, pages) for number in ledger.chapters}
    return {
        "$schema": f"{base}claims.schema.json",
        "version": version,
        "papers": ledger.papers,
        "chapters": {
            str(number): {"title": title, "url": chapters[number] and base + chapters[number]}
            for number, title in ledger.chapters.items()
        },
        "claims": [_record(claim, version, base, records or {}, balls or {}) for claim in ledger.claims],
    }


def _record(claim: Claim, version: str, base: str, records: dict, balls: dict) -> dict:
    record = {
        **claim._asdict(),
        "where": claim.where._asdict(),
        "changed": [change._asdict() for change in claim.changed],
        "assertions": [_evidence(assertion, base, records, balls) for assertion in claim.assertions],
        "balls": [ball._asdict() for ball in balls.get(claim.id, ())],
        "url": f"{base}{PAGE}#claim-{claim.id}",
        "bibtex": bibtex(claim, version, base),
    }
    return {name: value.strip() if isinstance(value, str) else value for name, value in record.items()}


def _evidence(assertion: Assertion, base: str, records: dict, balls: dict) -> dict:
    page, record = Path(assertion.notebook).with_suffix(".html"), records.get(assertion.name)
    return {
        **assertion._asdict(),
        "url": f"{base}notebooks/{page}#assertion-{assertion.name}",
        "mutants": [trial._asdict() for trial in record.trials] if record else [],
        "power": record.power if record else None,
        "coarse": record.coarse if record else None,
        "balls": [ball._asdict() for ball in balls.get(assertion.name, ())],
    }


def _page_of(number: int, pages: Iterable[str]) -> str | None:
    found = [page for page in pages if re.fullmatch(rf"notebooks/{number:02d}_\w+", page)]
    return f"{found[0]}.html" if len(found) == 1 else None


def _escaped(text: str) -> str:
    """Text as BibTeX takes it; formulas stay as they are."""
    parts = re.split(r"(\$[^$]*\$)", text)
    return "".join(part if part.startswith("$") else re.sub(r"([&%#_{}])", r"\\\1", part) for part in parts)


def version_of(root: Path) -> str:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["version"]


def write_export(app: Sphinx, error: Exception | None) -> None:
    root, out = Path(app.srcdir), Path(app.outdir)
    if error or app.builder.name != "html" or not (root / SCHEMA).is_file():
        return
    ledger, version = load(root / LEDGER), version_of(root)
    book = root / "book"
    evidence = load_records(book), load_balls(book)
    content = document(ledger, sorted(app.env.found_docs), version, app.config.html_baseurl, *evidence)
    (out / "claims.json").write_text(
        json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (out / "claims.bib").write_text(
        "\n\n".join(c["bibtex"] for c in content["claims"]) + "\n", encoding="utf-8"
    )
    schema = json.loads((root / SCHEMA).read_text(encoding="utf-8"))
    schema["$id"] = urljoin(app.config.html_baseurl, "claims.schema.json")
    (out / "claims.schema.json").write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("build-finished", write_export)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
