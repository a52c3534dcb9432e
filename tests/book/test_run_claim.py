"""Checks that run in the page, in chromium: they pass, can be broken, and ask nobody but the site."""

import importlib.util
import json
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from built_book import ROOT
from explorer_page import CHROMIUM, OPTIONS

sys.path.insert(0, str(ROOT / "book" / "tools"))

import fetch_pyodide
import run_claim

pytestmark = [
    pytest.mark.book,
    pytest.mark.slow("runs Python in a browser"),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: nothing can run the page"),
]
CHECKS = sorted(run_claim.CHECKS.glob("*.py"))
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>checks</title><body>{folds}
<script src="_static/run_claim/run_claim.js"></script><script>
const wait = (ms) => new Promise(done => setTimeout(done, ms));
async function settled(fold) {{
  do await wait(50); while (!fold.dataset.state || fold.dataset.state === "running");
  const text = (name) => fold.querySelector(name).textContent;
  return [fold.dataset.state, text(".run-result"), text(".run-output")];
}}
const press = (fold, words) =>
  [...fold.querySelectorAll("button")].find(button => button.textContent === words).click();
{script}
</script></body></html>"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder like the built book's, with Pyodide and mpmath."""
    runtime = run_claim.ASSETS / "pyodide"
    folder = tmp_path_factory.mktemp("site")
    if not (runtime / "pyodide.mjs").is_file() and (problem := fetch_pyodide.fetch(runtime)):
        pytest.skip(f"no Pyodide: {problem}")
    shutil.copytree(run_claim.ASSETS / "run_claim", folder / "_static" / "run_claim")
    shutil.copytree(runtime, folder / "_static" / "pyodide")
    run_claim.pack_mpmath(SimpleNamespace(outdir=folder), None)
    return folder


def served(site, tmp_path, script: str, runtime: bool = True) -> tuple[object, list[str]]:
    """What the script reports from the page with all checks, and what was asked of the site until then."""
    answers, asked = Queue(), []

    class Handler(SimpleHTTPRequestHandler):
        extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".wasm": "application/wasm"}  # noqa: RUF012

        def do_POST(self):
            answers.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            asked.append(self.path)

    folds = "".join(run_claim.fold(path, runtime).astext() for path in CHECKS)
    send = "fetch('/seen', {method: 'POST', body: JSON.stringify(seen)})"
    report = f"(async () => {{ {script} }})().then(seen => {send});"
    (site / "checks.html").write_text(PAGE.format(folds=folds, script=report), encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    options = [option for option in OPTIONS if "virtual-time" not in option]
    address = f"http://127.0.0.1:{server.server_port}/checks.html"
    # no other host has an address, so that the page must do without
    nowhere = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
    command = [CHROMIUM, *options, "--remote-debugging-port=0", nowhere]
    command += [f"--user-data-dir={tmp_path / 'profile'}", address]
    browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return answers.get(timeout=300), asked
    finally:
        browser.terminate()
        browser.wait(30)
        server.shutdown()
        server.server_close()


def test_every_check_passes_in_the_page_and_fails_when_broken(site, tmp_path):
    script = """
      const before = performance.getEntriesByType("resource").map(entry => entry.name), seen = {};
      for (const fold of document.querySelectorAll("details.run-claim")) {
        fold.open = true;
        const right = await settled(fold);
        press(fold, "Break it");
        seen[fold.id] = [right, await settled(fold)];
      }
      return {before, seen};"""
    found, asked = served(site, tmp_path, script)
    assert set(found["seen"]) == {f"check-{path.stem}" for path in CHECKS}
    for name, (right, wrong) in found["seen"].items():
        assert right[:2] == ["passed", "The check passes."], (name, right)
        assert wrong[:2] == ["failed", "The check fails."], (name, wrong)
        assert "AssertionError" in wrong[2]
        assert right[2].strip()
    assert not [name for name in found["before"] if "pyodide" in name]  # on the click only
    assert [path for path in asked if "pyodide.asm.wasm" in path]
    assert {path.split("/")[1] for path in asked} <= {"checks.html", "_static", "seen", "favicon.ico"}


def test_a_reader_can_change_restore_and_stop_a_check(site, tmp_path):
    script = """
      const fold = document.querySelector("details.run-claim"), seen = [];
      fold.open = true;
      seen.push(await settled(fold));
      const text = fold.querySelector("textarea");
      text.value = "def check():\\n    print(6 * 7)\\n";
      press(fold, "Run"); seen.push(await settled(fold));
      text.value = "def check():\\n    while True:\\n        pass\\n";
      press(fold, "Run"); await wait(500); press(fold, "Stop"); seen.push(await settled(fold));
      press(fold, "Restore"); seen.push(await settled(fold));
      return seen;"""
    seen, _ = served(site, tmp_path, script)
    assert [state for state, *_ in seen] == ["passed", "passed", "stopped", "passed"]
    assert seen[1][2] == "42\n"
    assert seen[3][2] == seen[0][2]


def test_the_page_says_why_it_cannot(site, tmp_path):
    """Without Pyodide in the site, and under file://."""
    script = """
      const fold = document.querySelector("details.run-claim");
      fold.open = true; await wait(200);
      return fold.querySelector("[role=status]").textContent;"""
    seen, asked = served(site, tmp_path, script, runtime=False)
    assert "built without Python" in seen
    assert not [path for path in asked if "pyodide" in path]
    page = tmp_path / "file.html"
    text = (site / "checks.html").read_text(encoding="utf-8").replace("_static", f"{site.as_uri()}/_static")
    page.write_text(text, encoding="utf-8")
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={tmp_path / 'profile2'}", "--dump-dom", page.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120).stdout
    said = BeautifulSoup(dom, "html.parser").select_one("details.run-claim [role=status]").get_text()
    assert "A page opened from a file cannot load Python" in said


def test_another_package_than_the_expected_is_refused(tmp_path):
    packed = tmp_path / "pyodide.tgz"
    packed.write_bytes(b"something else")
    with pytest.raises(ValueError, match=r"pyodide\.tgz has the SHA-512 .*: it is not pyodide@"):
        fetch_pyodide.unpack(packed, tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_mpmath_is_the_installed_one(site):
    packed = (site / "_static" / "pyodide" / "mpmath.zip").stat().st_size
    assert importlib.util.find_spec("mpmath")
    assert 200_000 < packed < 3_000_000
