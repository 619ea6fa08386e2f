"""What the locks pin: names, versions and hashes."""

import json
import re
from pathlib import Path

from packaging.utils import canonicalize_name


def read_pins(path: Path) -> dict[tuple[str, str], set[str]]:
    """The hashes of each name and version in a lock that pip reads; a name may have a version for each Python."""
    found: dict[tuple[str, str], set[str]] = {}
    for block in re.split(r"\n(?=\S)", path.read_text(encoding="utf-8")):
        if pin := re.match(r"([a-z0-9][\w.-]*)==([^\s\\;]+)", block, re.IGNORECASE):
            found[canonicalize_name(pin[1]), pin[2]] = set(re.findall(r"--hash=(sha256:[0-9a-f]{64})", block))
    return found


def read_npm_pins(path: Path) -> dict[tuple[str, str], set[str]]:
    """The same of a package-lock.json."""
    found: dict[tuple[str, str], set[str]] = {}
    for where, package in json.loads(path.read_text(encoding="utf-8"))["packages"].items():
        if where:
            name = where.rpartition("node_modules/")[2]
            found.setdefault((name, package["version"]), set()).add(package.get("integrity", ""))
    return found
