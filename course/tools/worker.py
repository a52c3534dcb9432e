"""The side of the grader that runs a submission. It knows no check: it is asked for values and answers.

    python worker.py SUBMISSION.ipynb SECONDS MEGABYTES     (started by grade.py)

It executes the code cells in order, in a scratch folder, and then reads one request a line: the value of a
name, or a call of a function. So no check, and no expected answer, ever stands in a process that runs a
student's code.
"""

import base64
import io
import json
import os
import resource
import signal
import sys
from functools import partial
from pathlib import Path

CHECK_CELL = "# Check of Exercise"
LONGEST_LINE = 1 << 26


def encoded(value):
    """Numbers, text, arrays and containers of them as JSON; TypeError for anything else."""
    import numpy as np

    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, dict):
        return {"dict": [[encoded(key), encoded(item)] for key, item in value.items()]}
    if isinstance(value, list):
        return [encoded(item) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [encoded(item) for item in value]}
    if hasattr(value, "__array__"):
        array = np.asarray(value)
        if array.dtype.kind in "biufc":
            stream = io.BytesIO()
            np.save(stream, array, allow_pickle=False)
            return {"array": base64.b64encode(stream.getvalue()).decode()}
    raise TypeError(f"a {type(value).__name__} is not an answer: give numbers, text or arrays")


def decoded(value):
    import numpy as np

    if isinstance(value, list):
        return [decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "complex":
        return complex(*content)
    if kind == "dict":
        return {decoded(key): decoded(item) for key, item in content}
    if kind == "tuple":
        return tuple(decoded(item) for item in content)
    return np.load(io.BytesIO(base64.b64decode(content)), allow_pickle=False)[()]


# ---- limits

_PROCESSES = (
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.spawn",
    "pty.",
    "os.kill",
)
_FORBIDDEN = (*_PROCESSES, "socket.", "ctypes.dlopen", "os.putenv", "sys.addaudithook")
_CHANGES = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate")
_ATTRIBUTES = ("os.chmod", "os.chown", "os.utime", "os.chflags", "os.setxattr", "os.removexattr")
_FOLDERS = ("os.listdir", "os.scandir", "os.walk", "os.chdir", "glob.glob")
_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def forbid(scratch: Path, readable: list[Path]) -> None:
    """From here on: no process, no network, no file outside `scratch` but to read those below `readable`."""

    def inside(path, folders) -> bool:
        if isinstance(path, int):
            return True  # a file that is open already
        real = os.path.realpath(os.fsdecode(path))
        return any(real == str(folder) or real.startswith(f"{folder}{os.sep}") for folder in folders)

    def hook(event: str, arguments: tuple) -> None:
        if event.startswith(_FORBIDDEN):
            raise PermissionError(f"{event} is not allowed in a submission")
        if event == "open":
            path, mode, flags = arguments
            writes = (isinstance(mode, str) and set(mode) & set("wax+")) or (flags or 0) & _WRITE
            if path is not None and not inside(path, [scratch, *([] if writes else readable)]):
                raise PermissionError("a submission opens files in its own folder alone")
        paths = [path for path in arguments if isinstance(path, str | bytes)]
        if event in (*_CHANGES, *_ATTRIBUTES) and not all(inside(path, [scratch]) for path in paths):
            raise PermissionError("a submission changes files in its own folder alone")
        if event in _FOLDERS and not all(inside(path, [scratch, *readable]) for path in paths[:1]):
            raise PermissionError("a submission lists its own folder alone")

    sys.addaudithook(hook)


def limit(megabytes: int) -> None:
    size = megabytes << 20
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 24, 1 << 24))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class TooSlow(BaseException):
    """Not an Exception, so that a submission that catches those does not catch this."""


def within(seconds: float, work):
    """What work() returns; TooSlow after `seconds`."""

    def stop(*_):
        raise TooSlow(f"stopped after {seconds:g} seconds")

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return work()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


# ---- the submission


def answers(notebook: dict) -> list[str]:
    """The code cells that are the student's, without lines for IPython."""
    sources = []
    for cell in notebook.get("cells", []):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        source = source if isinstance(source, str) else "".join(source)
        if not source.startswith(CHECK_CELL):
            lines = source.split("\n")
            sources.append("\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines))
    return sources


def executed(cell: str, namespace: dict) -> None:
    exec(compile(cell, "submission", "exec"), namespace)


def requested(namespace: dict, request: dict):
    """The value of a name, or what the function of that name returns."""
    value = namespace[request["name"]]
    if "arguments" not in request:
        return value
    arguments, named = request["arguments"]
    return value(*arguments, **named)


def described(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}".splitlines()[0]


def main(path: str, seconds: float, megabytes: int) -> None:
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    # What the submission prints goes nowhere.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)

    def reply(message: dict) -> None:
        print(json.dumps(message), file=channel, flush=True)

    limit(megabytes)
    cells = answers(json.loads(Path(path).read_text(encoding="utf-8")))
    import jax
    import numpy as np
    import scipy.special

    import ntk_helpers

    jax.config.update("jax_enable_x64", True)
    jax.numpy.linalg.eigh(jax.numpy.eye(2))  # loads what jax loads late
    libraries = {Path(module.__file__).resolve().parents[1] for module in (jax, np, scipy, os)}
    own = Path(ntk_helpers.__file__).resolve().parent
    devices = [
        Path(name) for name in ("/dev/null", "/dev/urandom", "/proc/self", "/proc/cpuinfo", "/sys/fs/cgroup")
    ]
    prefixes = {Path(prefix).resolve() / "lib" for prefix in (sys.prefix, sys.base_prefix)}
    forbid(Path.cwd().resolve(), [*libraries, own, *prefixes, Path("/usr/share/zoneinfo"), *devices])

    namespace: dict = {"__name__": "__main__"}
    errors = []
    for cell in cells:
        try:
            within(seconds, partial(executed, cell, namespace))
        except BaseException as error:
            errors.append(described(error))
    reply({"errors": errors, "functions": [name for name, value in namespace.items() if callable(value)]})

    for line in iter(lambda: requests.readline(LONGEST_LINE), ""):
        request = decoded(json.loads(line))
        try:
            reply({"value": encoded(within(seconds, partial(requested, namespace, request)))})
        except BaseException as error:
            reply({"error": described(error)})


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
