"""Runs an experiment slice by slice, remembers finished slices, and records where the numbers come from."""

import fcntl
import importlib
import importlib.metadata
import importlib.util
import json
import os
import pkgutil
import platform
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import jax
import numpy as np

from ntk_helpers._compilation import usable_cores

RECORDED_PACKAGES = ("numpy", "scipy", "jax", "jaxlib", "optax", "ntk-helpers")


class Experiment(NamedTuple):
    """An experiment as data: what it is called for, its settings at each scale, and its slices of work.

    Settings, slices and results are JSON values (no NaN, no infinity).

    Attributes
    ----------
    summary : one line for `--list`.
    scales : the settings of each scale; every entry has a list "seeds", empty where nothing is random.
    slices : settings -> the independent pieces of work, in the order in which they run.
    run : (settings, slice) -> the result of one slice. An interrupted run repeats only the slice it was in,
        so a slice should take minutes, not hours.
    data : names of the data sets that `ntk_helpers.data.load` must find; their provenance is recorded.
    needs : modules beyond numpy, scipy and jax that `run` imports.
    begun_by : scale -> a shorter scale whose slices are the first ones of it. What that one recorded in the
        folder is taken over, and its result is written as soon as its last slice is there.
    """

    summary: str
    scales: dict[str, dict]
    slices: Callable[[dict], list[dict]]
    run: Callable[[dict, dict], dict]
    data: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    begun_by: Mapping[str, str] = MappingProxyType({})


def names() -> list[str]:
    """The names of all experiments, sorted."""
    modules = pkgutil.iter_modules(importlib.import_module("ntk_helpers.experiments").__path__)
    return sorted(module.name for module in modules if not module.name.startswith("_"))


def find(name: str) -> Experiment:
    """The experiment called `name`; ValueError with the known names when there is none."""
    if name not in names():
        raise ValueError(f"name must be one of {', '.join(names())}, got {name!r}")
    return importlib.import_module(f"ntk_helpers.experiments.{name}").EXPERIMENT


def run(
    name: str,
    experiment: Experiment,
    scale: str,
    *,
    folder: Path,
    fresh: bool = False,
    download: bool = False,
    minutes: float = float("inf"),
) -> Path | None:
    """Run `experiment` and return the path of its result, or None where `minutes` ran out first.

    Parameters
    ----------
    name : what its files are called, the name of its module.
    scale : a key of the experiment's `scales`. "paper" writes folder/NAME.json, another scale
        folder/NAME.SCALE.json, so that a trial never replaces the full result.
    folder : an existing folder.
    fresh : forget the slices that an interrupted run has finished, instead of going on from there.
    download : let missing data sets be downloaded.
    minutes : start no further slice after this long; the same call goes on later.

    Raises
    ------
    ValueError
        Before any work, for an unknown scale, a folder that is missing or read-only, minutes that are not
        positive, a run of the same name and scale that is under way in the folder, or a partial result that
        was begun with other settings.
    ImportError
        Before any work, naming every missing module.
    """
    if scale not in experiment.scales:
        raise ValueError(f"scale must be one of {', '.join(experiment.scales)}, got {scale!r}")
    if not folder.is_dir():
        raise ValueError(
            f"folder must exist, got {str(folder)!r}: start at the root of the repository or name another"
        )
    if not minutes > 0:
        raise ValueError(f"minutes must be positive, got {minutes}")
    require(experiment.needs, name)
    with only_one(folder / f"{name}.{scale}.lock"):
        return _run(name, experiment, scale, folder, fresh, download, minutes)


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the lock file; ValueError where another process holds it. A killed process lets it go."""
    try:
        lock = open(path, "w")  # noqa: SIM115 (closed below, with the lock)
    except OSError as error:
        raise ValueError(f"folder must be one to write to, got {str(path.parent)!r}: {error}") from error
    with lock:
        held = False
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = os.fstat(lock.fileno()).st_nlink > 0  # not one that its holder has just removed
        if not held:
            raise ValueError(f"another process holds {str(path)!r}: wait for it, or stop it")
        try:
            yield
        finally:
            path.unlink()


def _run(name, experiment, scale, folder, fresh, download, minutes):
    settings = experiment.scales[scale]
    slices = experiment.slices(settings)
    target = result_file(name, scale, folder)
    part = folder / f"{name}.{scale}.part.json"
    result = heading(name, scale, settings) | {
        "data": provenance(experiment.data, download),
        "environments": [],
        "records": [],
    }
    if part.exists() and not fresh:
        result = continued(part, result)
    elif scale in experiment.begun_by and not fresh:
        shorter = experiment.begun_by[scale]
        result = taken_over(result_file(name, shorter, folder), experiment.scales[shorter], result, slices)

    here = environment()
    if here not in result["environments"]:
        result["environments"].append(here)
    finished = [record["slice"] for record in result["records"]]
    pending = [piece for piece in slices if piece not in finished]
    begin = time.monotonic()
    write_shorter(name, experiment, scale, folder, result)
    for piece in pending:
        if time.monotonic() - begin > 60 * minutes:
            return None
        report(len(result["records"]), len(slices), f"now {label(piece)}")
        start = time.monotonic()
        outcome = experiment.run(settings, piece)
        result["records"].append(
            {
                "slice": piece,
                "seconds": round(time.monotonic() - start, 1),
                "finished": datetime.now(UTC).isoformat(timespec="seconds"),
                "environment": result["environments"].index(here),
                "result": outcome,
            }
        )
        write(part, result)
        write_shorter(name, experiment, scale, folder, result)
    # Slices that finished in several runs stand in the order that the experiment gives them.
    result["records"].sort(key=lambda record: slices.index(record["slice"]))
    write(target, result)
    part.unlink(missing_ok=True)
    report(len(slices), len(slices), f"wrote {target}")
    return target


def result_file(name: str, scale: str, folder: Path) -> Path:
    """Where `run` writes the finished result."""
    return folder / (f"{name}.json" if scale == "paper" else f"{name}.{scale}.json")


def heading(name: str, scale: str, settings: dict) -> dict:
    """How a result begins: what it is and the command that makes it."""
    command = f"python -m ntk_helpers.experiments {name} --scale {scale}"
    return {"experiment": name, "scale": scale, "command": command, "settings": settings}


def write_shorter(name: str, experiment: Experiment, scale: str, folder: Path, result: dict) -> None:
    """Write the results of those shorter scales that begin `scale` and are complete in its records."""
    while (scale := experiment.begun_by.get(scale, "")) != "":
        settings, target = experiment.scales[scale], result_file(name, scale, folder)
        slices = experiment.slices(settings)
        records = [record for record in result["records"] if record["slice"] in slices]
        if len(records) == len(slices) and not target.exists():
            records.sort(key=lambda record: slices.index(record["slice"]))
            write(target, result | heading(name, scale, settings) | {"records": records})


def require(modules: Sequence[str], name: str) -> None:
    """Raise ImportError that names every one of `modules` that cannot be imported."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise ImportError(
            f"experiment {name} needs {', '.join(missing)}, which is not installed here: "
            f"pip install {' '.join(missing)}"
        )


def provenance(datasets: Sequence[str], download: bool) -> dict[str, str]:
    """Where each data set comes from, in the words of `data.load`; fails at once where one is missing."""
    if not datasets:
        return {}
    from ntk_helpers import data

    return {name: data.load(name, download=download).provenance for name in datasets}


def continued(part: Path, fresh: dict) -> dict:
    """The partial result in `part`; ValueError if it is damaged, or its settings or data are not `fresh`."""
    try:
        begun = json.loads(part.read_text())
    except ValueError:
        begun = None
    if not isinstance(begun, dict) or not begun.keys() >= fresh.keys():
        raise ValueError(f"{part} is damaged: use --fresh to start again without it")
    for key in ("settings", "data"):
        # Through JSON, since a tuple that was written comes back as a list.
        if begun[key] != json.loads(json.dumps(fresh[key])):
            raise ValueError(f"{part} was begun with other {key}: use --fresh to start again without it")
    return begun


def taken_over(earlier: Path, settings: dict, fresh: dict, slices: list[dict]) -> dict:
    """`fresh` with the records of a finished run that began it, if one has these settings and data."""
    if not earlier.exists():
        return fresh
    found = json.loads(earlier.read_text())
    # Through JSON, since a tuple that was written comes back as a list.
    if [found["settings"], found["data"]] != json.loads(json.dumps([settings, fresh["data"]])):
        return fresh
    records = [record for record in found["records"] if record["slice"] in slices]
    return fresh | {"environments": found["environments"], "records": records}


def environment() -> dict:
    """Machine, device and package versions; nothing that names the computer or its user."""
    packages: dict[str, str | None] = {}
    for package in RECORDED_PACKAGES:
        try:
            packages[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            packages[package] = None
    devices = jax.devices()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "device": f"{len(devices)} x {devices[0].device_kind} ({devices[0].platform})",
        "cores": usable_cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": packages,
    }


def write(path: Path, result: dict) -> None:
    """Write JSON so that a reader sees the old file or the whole new one, whenever the run is stopped."""
    draft = path.with_suffix(".writing")
    draft.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n")
    os.replace(draft, path)


def keep(file: Path, state) -> None:
    """Keep a pytree of arrays, such as the state of a training; a reader sees the old file or the new one.

    Raises OSError where it cannot be written; the file before is kept.
    """
    file.parent.mkdir(exist_ok=True)
    draft = file.with_suffix(".writing.npz")
    try:
        with draft.open("wb") as content:
            np.savez(content, *jax.tree.leaves(state))
            content.flush()
            os.fsync(content.fileno())
        os.replace(draft, file)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def kept(file: Path, like):
    """What `keep` kept, of the structure and shapes of `like`; None where there is no file.

    Raises ValueError for a file that is damaged or of another state.
    """
    if not file.exists():
        return None
    expected, structure = jax.tree.flatten(like)
    try:
        with file.open("rb") as content, np.load(content, allow_pickle=False) as found:
            leaves = [found[name] for name in found.files]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{file} is damaged ({error}): delete it to start again") from error
    if [np.shape(leaf) for leaf in leaves] != [np.shape(leaf) for leaf in expected]:
        raise ValueError(f"{file} is of another training: delete it to start again")
    return jax.tree.unflatten(structure, leaves)


def label(piece: dict) -> str:
    """A slice in one line, for people."""
    return ", ".join(f"{key} {value}" for key, value in piece.items())


def report(done: int, total: int, text: str) -> None:
    """A line of progress on stderr: whole lines, which also read well in the log of an unattended run."""
    bar = "#" * round(20 * done / max(total, 1))
    print(f"[{bar:20}] {done}/{total} {datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)
