"""The book, built once for all files and workers that look at it."""

import fcntl
import json
import os
import subprocess
from pathlib import Path

import pytest
from built_book import ROOT, build, configuration


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> tuple[subprocess.CompletedProcess, Path]:
    """What the builder said, and the folder of the pages."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # that of all workers
    output, answer = folder / "whole_book", folder / "whole_book.json"
    with (folder / "whole_book.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second worker waits for the pages of the first
        if not answer.is_file():
            run = build(ROOT, configuration(), output)
            answer.write_text(json.dumps([run.returncode, run.stdout, run.stderr]), encoding="utf-8")
    code, out, err = json.loads(answer.read_text(encoding="utf-8"))
    return subprocess.CompletedProcess(["jupyter-book"], code, out, err), output / "_build" / "html"
