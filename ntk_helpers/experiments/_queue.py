"""Works off the runs that are missing, one after the other, at the lowest priority."""

import os
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from ntk_helpers.experiments import _runner

#: (experiment, scale) in the order of what they decide.
QUEUE = (
    ("small_learning_rates", "3cd"),
    ("small_learning_rates", "3cd-pairs"),
    ("learning_speed_flow", "50x400"),
    ("learning_speed_flow", "50x800"),
    ("learning_speed_flow", "100x400"),
    *[
        ("depth_and_trainability", f"table-{images}-{name}")
        for name, *data in (
            ("tanh", "cifar10"),
            ("leaky_relu_0.01", "mnist", "cifar10"),
            ("prelu", "mnist", "cifar10"),
            ("leaky_relu_0.03", "mnist", "cifar10"),
            ("leaky_relu_0.02", "mnist", "cifar10"),
            ("sigmoid", "mnist", "cifar10"),
            ("softplus", "mnist", "cifar10"),
        )
        for images in data
    ],
    ("learning_speed_flow", "50x1600"),
    ("learning_speed_flow", "200x400"),
)


def work_off(
    *,
    folder: Path,
    queue: Sequence[tuple[str, str]] = QUEUE,
    find=_runner.find,
    minutes: float = float("inf"),
) -> bool:
    """Run what has no result in `folder`; whether nothing is missing at the end.

    An interrupted run goes on with the slice that it was in. A run that cannot start, because data or a
    module are not here, is noted and passed over. What happens is appended to queue.log in the folder.

    Parameters
    ----------
    folder : where the results are, and will be.
    queue : the runs, in order.
    find : name -> experiment.
    minutes : start no further slice after this long.

    Raises
    ------
    ValueError
        For a folder that is missing or read-only, or where another queue works in it.
    """
    if not folder.is_dir():
        raise ValueError(f"folder must exist, got {str(folder)!r}")
    with _runner.only_one(folder / "queue.lock"):
        os.nice(19 - os.nice(0))
        end = time.monotonic() + 60 * minutes
        for name, scale in queue:
            if _runner.result_file(name, scale, folder).exists():
                continue
            left = (end - time.monotonic()) / 60
            if left <= 0:
                break
            note(folder, f"{name} {scale}: begins, or goes on")
            try:
                path = _runner.run(name, find(name), scale, folder=folder, minutes=left)
            except (ValueError, ImportError, OSError) as error:
                note(folder, f"{name} {scale}: passed over: {error}")
                continue
            note(folder, f"{name} {scale}: {'time is up' if path is None else 'done'}")
        return all(_runner.result_file(name, scale, folder).exists() for name, scale in queue)


def note(folder: Path, text: str) -> None:
    """A line with the time in the queue's log."""
    with open(folder / "queue.log", "a", encoding="utf-8") as log:
        log.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} {text}\n")
