"""Run an answer to an exercise against its checks, in this process: for answers that one trusts."""

from exercises import Exercise

# What every student notebook begins with, and every check may use.
IMPORTS = """\
import jax
import jax.numpy as jnp
import numpy as np

import ntk_helpers

jax.config.update("jax_enable_x64", True)"""


def failures(exercise: Exercise, answer: str) -> dict[str, list[str]]:
    """What each check that failed said: `answer` is a source text, checks are `public` and `hidden`."""
    namespace: dict = {}
    exec(compile(IMPORTS, "imports", "exec"), namespace)
    exec(compile(exercise.cell("setup"), f"{exercise.name}:setup", "exec"), namespace)
    exec(compile(answer, f"{exercise.name}:answer", "exec"), namespace)
    return {
        kind: [said for check in exercise.code[kind] if (said := failure(check, namespace))]
        for kind in ("public", "hidden")
    }


def failure(check: str, namespace: dict) -> str:
    """What the check says of the names in `namespace`, or nothing."""
    try:
        exec(compile(check, "check", "exec"), dict(namespace))
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0][:300]
    return ""
