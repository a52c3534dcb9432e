"""Write into colab.txt the versions that Colab has today of the packages listed there under "what Colab has".

python tests/environments/colab_now.py [FILE]       FILE: a list of versions, not the one Google publishes
"""

import re
import sys
import urllib.request
from pathlib import Path

PUBLISHED = "https://raw.githubusercontent.com/googlecolab/backend-info/main/pip-freeze.txt"
ENVIRONMENT = Path(__file__).with_name("colab.txt")


def renewed(environment: str, published: str) -> str:
    """The environment with the published versions; raises ValueError for a package that Colab lacks."""
    now = dict(re.findall(r"(?m)^([\w.-]+)==(\S+)$", published))
    start = environment.index("# what Colab has")
    stop = environment.index("\n\n", start)
    lines = []
    for line in environment[start:stop].split("\n"):
        name = line.partition("==")[0]
        if "==" in line and name not in now:
            raise ValueError(f"Colab's list has no {name}: see what the notebooks import instead")
        lines.append(f"{name}=={now[name]}" if "==" in line else line)
    return environment[:start] + "\n".join(lines) + environment[stop:]


def main(arguments: list[str]) -> int:
    if arguments:
        published = Path(arguments[0]).read_text(encoding="utf-8")
    else:
        with urllib.request.urlopen(PUBLISHED, timeout=60) as answer:
            published = answer.read().decode()
    ENVIRONMENT.write_text(renewed(ENVIRONMENT.read_text(encoding="utf-8"), published), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
