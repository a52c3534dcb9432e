"""Sphinx extension: what a published page carries besides its text.

A description and a card for those who link to it, version and commit in the footer, the viewport once; for
the site a map (sitemap.xml) and a page for addresses that lead nowhere (404.html).
"""

import re
import subprocess
import tomllib
from html import escape
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from docutils import nodes
from plain_math import plain
from sphinx.application import Sphinx

CARD = "_static/card.png"  # 1200 x 630, in book/assets
GOALS = "You will be able to"  # how a chapter opens; a list follows
LENGTH = 200  # of a description, in characters
VIEWPORT = re.compile(r'<meta [^>]*name="viewport"[^>]*>')


def text_of(node: nodes.Node) -> str:
    """The text of a node, formulas as plain text, on one line."""
    if isinstance(node, nodes.math | nodes.math_block):
        return plain(node.astext())
    if isinstance(node, nodes.Text):
        return node.astext()
    if isinstance(node, nodes.raw | nodes.comment):
        return ""
    separate = "" if isinstance(node, nodes.TextElement) else " "
    return re.sub(r"\s+", " ", separate.join(map(text_of, node.children)))


def description(doctree: nodes.document) -> str:
    """What the page teaches, or else its first sentences: as many words as a description may have."""
    for paragraph in doctree.findall(nodes.paragraph):
        if not isinstance(paragraph.parent, nodes.section):
            continue
        text = text_of(paragraph).strip()
        after = paragraph.next_node(descend=False, siblings=True)
        if text.startswith(GOALS) and isinstance(after, nodes.bullet_list):
            text = f"{GOALS} " + " ".join(text_of(item).strip() for item in after)
        elif len(text) < 60:
            continue
        return text if len(text) <= LENGTH else text[: LENGTH - 3].rpartition(" ")[0].rstrip(",;:") + "..."
    return ""


def version(root: Path) -> str:
    """Version, date and commit of the sources; without git the version alone."""
    number = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    command = ["git", "-C", str(root), "log", "-1", "--format=%cs, commit %h"]
    try:
        when = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        when = ""
    return ", ".join(filter(None, (f"Version {number}", when)))


def footer(version: str, base: str, pagename: str) -> str:
    """The version, and where the other forms of the book are published (`make pdf epub` prints them)."""
    forms = {"PDF": "pdf/ntk-book.pdf", "EPUB": "ntk-book.epub"}
    if pagename:
        forms = {"this page as PDF": f"pdf/{pagename.rpartition('/')[2]}.pdf"} | forms
    links = [f'<a href="{urljoin(base, path)}">{name}</a>' for name, path in forms.items()] if base else []
    return f'<p class="version">{" · ".join(filter(None, (version, *links)))}</p>'


def note_version(app: Sphinx) -> None:
    root = Path(app.srcdir)
    app.ntk_version = version(root) if (root / "pyproject.toml").is_file() else ""


def add_head(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document) -> None:
    """The page's description, its card, and the version in its footer."""
    if app.builder.name == "epub":
        return
    # A list of the bibliography's entries whose roles are deprecated, and which are no items of it.
    for role in ('role="list" class="citation-list"', 'role="doc-biblioentry"'):
        context["body"] = context.get("body", "").replace(role, role.partition(" ")[2])
    context.setdefault("default_mode", "auto")  # the theme complains of a page that names none
    about = description(doctree) if doctree else ""
    title = re.sub(r"<[^>]+>", "", context.get("title") or "").strip() or app.config.html_title
    tags = {"og:type": "article", "og:title": title, "og:site_name": app.config.html_title}
    if about:
        tags["og:description"] = about
    if base := app.config.html_baseurl:
        tags |= {"og:url": urljoin(base, f"{pagename}.html"), "og:image": urljoin(base, CARD)}
    head = [f'<meta property="{name}" content="{escape(text)}" />' for name, text in tags.items()]
    head.append('<meta name="twitter:card" content="summary_large_image" />')
    if about:
        head.append(f'<meta name="description" content="{escape(about)}" />')
    # Docutils says the viewport here as well, and the template has it already.
    context["metatags"] = VIEWPORT.sub("", context.get("metatags", "")) + "\n".join(["", *head])
    context["theme_extra_footer"] = footer(
        app.ntk_version, app.config.html_baseurl, pagename if doctree else ""
    )


def write_map(app: Sphinx, error: Exception | None) -> None:
    """sitemap.xml and 404.html: both need to know where the site stands."""
    base = app.config.html_baseurl
    if error or app.builder.format != "html" or app.builder.name == "epub" or not base:
        return
    places = "".join(
        f"  <url><loc>{escape(urljoin(base, f'{name}.html'))}</loc></url>\n"
        for name in sorted(app.env.found_docs)
    )
    out = Path(app.outdir)
    (out / "sitemap.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{places}</urlset>\n',
        encoding="utf-8",
    )
    home = urlsplit(base).path or "/"  # served for any address, so that a relative link would lead astray
    (out / "404.html").write_text(
        f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Page not found: {escape(app.config.html_title)}</title>
<style>
body {{ max-width: 36rem; margin: 15vh auto; padding: 0 1rem; color-scheme: light dark }}
body {{ font: 1.1rem/1.6 system-ui, sans-serif }}
input {{ font: inherit; width: 60% }} button {{ font: inherit }}
</style>
</head>
<body>
<main>
<h1>There is no such page</h1>
<p>The address may have changed. Start from the <a href="{home}">first page</a>, look a claim up in the
<a href="{home}book/claims.html">ledger</a>, or search:</p>
<form action="{home}search.html"><label>Words, the id of a claim, or the name of a theorem<br>
<input name="q" type="search"></label> <button>Search</button></form>
</main>
</body>
</html>
""",
        encoding="utf-8",
    )


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", note_version)
    app.connect("html-page-context", add_head, priority=900)
    app.connect("build-finished", write_map)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
