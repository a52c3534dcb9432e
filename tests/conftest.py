"""What several test files need, memory that each gives back, and the table of what takes long and why."""

import collections
import ctypes
import gc
import os
import sys

# Each worker has a folder of its own for compiled programs: jax may read what another is still writing.
if os.environ.get("JAX_COMPILATION_CACHE_DIR") and "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["JAX_COMPILATION_CACHE_DIR"] += f"/{os.environ['PYTEST_XDIST_WORKER']}"

import jax
import pytest

SLOW = 10.0  # seconds from which on a test, or a notebook, has a line in the table


@pytest.fixture
def double_precision():
    """64-bit jax for one test: float64 parameters need it."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


# ---- a worker that runs many files must not keep the compiled programs of all of them

GROWTH = 5e8  # bytes by which a worker may grow before it forgets what it has compiled
_smallest = None  # what it had after it last forgot


def resident() -> float:
    """Bytes of memory that this process holds; 0 where nobody says so."""
    if not os.path.exists("/proc/self/statm"):
        return 0.0
    with open("/proc/self/statm", encoding="ascii") as numbers:
        return float(numbers.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def forget_programs():
    """Give compiled programs back, to the system too: the C library of Linux would keep their memory."""
    jax.clear_caches()
    gc.collect()
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)


@pytest.fixture(autouse=True)
def _memory_stays_small():
    global _smallest
    if _smallest is None:
        _smallest = resident()
    yield
    if resident() > _smallest + GROWTH:
        forget_programs()
        _smallest = resident()


@pytest.fixture(scope="module", autouse=True)
def _compiled_programs_end_with_their_file():
    yield
    forget_programs()


# ---- make test says what takes long: the reason stands in a marker, @pytest.mark.slow("...")


def pytest_collection_modifyitems(items):
    """Send the reasons along with the reports, which reach the table also from the workers of xdist."""
    for item in items:
        if marker := item.get_closest_marker("slow"):
            item.user_properties.append(("slow", *marker.args))


def pytest_terminal_summary(terminalreporter):
    """Print the table; all cells of a notebook are one line of it."""
    seconds, reasons = collections.Counter(), {}
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        if not hasattr(report, "duration"):
            continue
        file, _, test = report.nodeid.partition("::")
        chapter = file.endswith(".ipynb")
        name = file if chapter else f"{file}::{test.partition('[')[0]}"
        seconds[name] += report.duration
        reasons[name] = "runs the chapter" if chapter else dict(report.user_properties).get("slow")
    rows = [(name, spent) for name, spent in seconds.most_common() if spent >= SLOW]
    terminalreporter.section(f"{SLOW:.0f} s and more", "-")
    for name, spent in rows:
        terminalreporter.line(f"{spent:6.0f} s  {name}: {reasons[name] or 'no reason given'}")
    rest = seconds.total() - sum(spent for _, spent in rows)
    terminalreporter.line(f"{rest:6.0f} s  all the others, {len(seconds) - len(rows)} tests")
