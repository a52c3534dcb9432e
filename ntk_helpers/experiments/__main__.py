"""The command line: `python -m ntk_helpers.experiments NAME --scale quick|paper`, `--list`, or `--queue`."""

import argparse
import sys
from pathlib import Path

from ntk_helpers.experiments import find, names, run
from ntk_helpers.experiments._queue import work_off
from ntk_helpers.training import cores_as_devices

UNFINISHED, INTERRUPTED = 3, 130


def main(arguments: list[str] | None = None) -> int:
    """Run one experiment; the exit status is 0 when done, 2 for a wrong call, 3 or 130 if it is to go on."""
    parser = argparse.ArgumentParser(prog="python -m ntk_helpers.experiments", description=__doc__)
    parser.add_argument("name", nargs="?", help="the experiment; --list shows them all")
    parser.add_argument("--list", action="store_true", help="list the experiments and their scales")
    parser.add_argument("--queue", action="store_true", help="work off the long runs that are missing")
    parser.add_argument("--scale", default="quick", help="quick (the default, minutes) or paper")
    parser.add_argument(
        "--folder", type=Path, default=Path("notebooks/results"), help="where results are kept"
    )
    parser.add_argument("--fresh", action="store_true", help="forget what an interrupted run has finished")
    parser.add_argument("--download", action="store_true", help="download data sets that are not here")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no slice after this long")
    options = parser.parse_args(arguments)
    if options.list:
        for name in names():
            experiment = find(name)
            print(f"{name} ({', '.join(experiment.scales)}): {experiment.summary}")
        return 0
    if options.name is None and not options.queue:
        parser.error("name an experiment, or use --list or --queue")
    try:
        if options.queue:
            return 0 if work_off(folder=options.folder, minutes=options.minutes) else UNFINISHED
        path = run(
            options.name,
            find(options.name),
            options.scale,
            folder=options.folder,
            fresh=options.fresh,
            download=options.download,
            minutes=options.minutes,
        )
    except (ValueError, ImportError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the same command goes on after the last finished slice", file=sys.stderr)
        return INTERRUPTED
    if path is None:
        print("time is up; the same command goes on from here", file=sys.stderr)
        return UNFINISHED
    return 0


if __name__ == "__main__":
    cores_as_devices()
    sys.exit(main())
