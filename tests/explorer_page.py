"""A page with one explorer, as the book's extension writes it, run in chromium; used by test_explorers.py."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from bs4 import BeautifulSoup
from built_book import ROOT

sys.path.insert(0, str(ROOT / "book" / "ext"))

from explorers import FOLDER, card

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--hide-scrollbars",
    "--virtual-time-budget=60000",
    "--allow-file-access-from-files",  # so that an error of a script is told
)
PAGE = """<!doctype html><html lang="en" data-theme="{theme}"><meta charset="utf-8"><title>{name}</title>
<link rel="stylesheet" href="{folder}/explorers.css">
<body style="font: 16px/1.5 sans-serif; margin: 10px">{card}
<script>addEventListener("error", e => {{ document.body.dataset.error = e.message + e.lineno; }});</script>
<script src="{folder}/core.js"></script><script src="{folder}/{name}.js"></script>
<script>{script}</script></body></html>"""


def page(name: str, folder: Path, script: str = "", theme: str = "light") -> Path:
    """Writes the page of an explorer, with a script at its end, into `folder`."""
    path = folder / f"{name}.html"
    given = {"name": name, "folder": FOLDER.as_uri(), "card": card(name).astext(), "theme": theme}
    path.write_text(PAGE.format(script=script, **given), encoding="utf-8")
    return path


def run(name: str, folder: Path, script: str) -> object:
    """What `script`, the body of a function, returns on the page of an explorer."""
    wrapped = f"""
const root = document.querySelector("[data-explorer]"), seen = document.createElement("pre");
const plot = ntkExplorers["{name}"], stored = root.querySelector("script");
const data = stored ? JSON.parse(stored.textContent) : null;
const said = () => root.querySelector("[role=status]").textContent;
function set(name, value) {{
  const control = root.querySelector(`[name="${{name}}"]`);
  if (control.type === "checkbox") control.checked = value; else control.value = value;
  control.dispatchEvent(new Event("input", {{bubbles: true}}));
}}
seen.id = "seen";
seen.textContent = JSON.stringify((() => {{ {script} }})());
document.body.append(seen);"""
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={folder / 'profile'}", "--dump-dom"]
    command.append(page(name, folder, wrapped).as_uri())
    dom = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300).stdout
    body = BeautifulSoup(dom, "html.parser").body
    assert not body.get("data-error"), body["data-error"]
    return json.loads(body.find(id="seen").get_text())
