"""Fill the claim boxes of the notebooks from the ledger, so that both say the same.

A chapter writes the anchor, the title and a source line for each claim:

    <a id="clm-7-1"></a>
    > **Claim 7.1 (Equation (10) of paper S).**
    >
    > *[S-Eq10](../book/claims.md#claim-S-Eq10)*

`filled` puts the statement of book/claims.yml before each source line, and the place in the paper into it.
stamp.py does so for all notebooks. Whatever else stands below the title is replaced: a box holds what the
ledger holds, and filling twice changes nothing.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ext"))

from ledger import Claim, load

_BOX = re.compile(r"(?m)^> \*\*Claim (?P<number>\d+\.\d+)\b.*(?:\n>.*)*")
_TITLE = re.compile(r"> \*\*Claim \d+\.\d+(?: \(.+\))?\.\*\*")
_SOURCE = re.compile(r"> \*\[(?P<id>[\w-]+)\]\(\.\./book/claims\.md#claim-(?P<target>[\w-]+)\).*\*")
_ITEM = re.compile(r"\||[-*+] |\d+[.)] ")


def read_claims(path: Path) -> dict[str, Claim]:
    """The claims of the ledger at `path`, by id."""
    return {claim.id: claim for claim in load(path).claims}


def filled(markdown: str, claims: Mapping[str, Claim]) -> str:
    """The cell with the statements of `claims` (by id) in its claim boxes; ValueError names a bad box."""
    return _BOX.sub(lambda box: _filled_box(box[0], box["number"], claims), markdown)


def _filled_box(box: str, number: str, claims: Mapping[str, Claim]) -> str:
    title, *lines = box.split("\n")
    sources = [source for line in lines if (source := _SOURCE.fullmatch(line))]
    if not sources:
        raise ValueError(f"Claim {number}: it has no source line, > *[ID](../book/claims.md#claim-ID)*")
    if not _TITLE.fullmatch(title):
        raise ValueError(
            f"Claim {number}: its first line must be the title alone, > **Claim {number} (Title).**"
        )
    filled = [title]
    for source in sources:
        id = source["id"]
        if id not in claims or source["target"] != id:
            raise ValueError(f"Claim {number}: the source line of {id} names no claim of the ledger twice")
        filled += [">", *(f"> {line}".rstrip() for line in quotable(claims[id].statement))]
        filled += [">", f"> *[{id}](../book/claims.md#claim-{id}), {claims[id].origin}*"]
    return "\n".join(filled)


def quotable(statement: str) -> list[str]:
    """The lines of a statement for a quotation, in which a formula must not run over the end of a line."""
    lines: list[str] = []
    for block in re.split(r"\n\s*\n", statement.strip()):
        lines += [""] if lines else []
        start = len(lines)
        for line in map(str.strip, block.split("\n")):
            if len(lines) == start or _ITEM.match(line):
                lines.append(line)
            else:
                lines[-1] += f" {line}"
    return lines
