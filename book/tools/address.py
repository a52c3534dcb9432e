"""Give the book its address: of the repository, and of the site where that differs from GitHub's own.

    python book/tools/address.py https://github.com/OWNER/NAME [https://SITE/]

Writes both into _config.yml and has stamp.py carry the repository's into notebooks and citation file.
"""

import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import stamp

ROOT = Path(__file__).resolve().parents[2]


def site_of(repository: str) -> str:
    """Where GitHub publishes the pages of a repository; raises ValueError for an address elsewhere."""
    where = urlsplit(repository)
    parts = where.path.strip("/").removesuffix(".git").split("/")
    if where.hostname != "github.com" or len(parts) != 2:
        raise ValueError(f"no site is known for {repository!r}; say where the pages will stand")
    owner, name = parts
    return f"https://{owner.lower()}.github.io/{name}/"


def configured(config: str, repository: str, site: str) -> str:
    """The text of _config.yml with both addresses in their places."""
    for name, address in (("url", repository), ("baseurl", site)):
        if not re.fullmatch(r"https://[\w.-]+(/[\w./~-]*)?", address):
            raise ValueError(f"{name} is {address!r}; write an address that begins with https://")
        config, count = re.subn(rf"(?m)^(  {name}: )\S+", lambda m, to=address: m[1] + to, config)
        if count != 1:
            raise ValueError(f"_config.yml has {count} lines '  {name}: ...'; it needs one")
    return config


def main(arguments: list[str]) -> int:
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    repository = arguments[0].rstrip("/").removesuffix(".git")
    path = ROOT / "_config.yml"
    try:
        site = arguments[1].rstrip("/") + "/" if len(arguments) == 2 else site_of(repository)
        text = configured(path.read_text(encoding="utf-8"), repository, site)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    path.write_text(text, encoding="utf-8")
    return stamp.main([])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
