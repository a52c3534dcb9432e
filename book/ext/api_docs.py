"""Turns the package's docstrings, which are plain text with numpydoc sections, into what autodoc reads.

An indented block is a formula or a program and is shown as it stands. `name` is code. Signs that
reStructuredText would take for markup are escaped.
"""

import re


def plain_to_rst(lines: list[str]) -> list[str]:
    """The lines of a docstring with its formulas as literal blocks and its signs escaped."""
    result, literal, section = [], False, False
    for before, line, after in zip(["", *lines], lines, [*lines[1:], ""], strict=False):
        if line.strip() and not line.startswith(" "):
            literal, section = False, section or set(after.strip()) == {"-"}
            if set(after.strip()) == {"-"}:
                section = line.strip() not in ("Notes",)
        if line.startswith("    ") and not before.strip() and not literal and not section:
            result += ["::", ""]
            literal = True
        name, _, meaning = line.partition(" : ")
        if section and meaning and not line.startswith(" "):
            # napoleon takes what follows the colon on this line alone for a type
            result += [_escaped(name), "    " + _escaped(meaning)]
        else:
            result.append(line if literal else _escaped(line))
    return result


def _escaped(line: str) -> str:
    bullet = re.match(r"\s*\* ", line)
    start = bullet.end() if bullet else 0
    parts = re.split(r"(`[^`]+`)", line[start:])
    return line[:start] + "".join(
        f"`{part}`" if number % 2 else re.sub(r"([*|]|(?<=\w)_(?!\w))", r"\\\1", part)
        for number, part in enumerate(parts)
    )


def _process(app, what, name, obj, options, lines):
    lines[:] = plain_to_rst(lines)


def setup(app):
    """Before napoleon, which works at the usual priority."""
    app.connect("autodoc-process-docstring", _process, priority=400)
    return {"parallel_read_safe": True}
