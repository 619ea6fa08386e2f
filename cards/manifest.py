"""Lists of files with their hashes, in the form that `sha256sum --check` reads: one line a file, hash and path."""

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from cards.errors import CardError
from cards.files import sha256_of

_LINE = re.compile(r"(?P<hash>[0-9a-f]{64})  (?P<path>[^\0\n]+)")

Hashes = dict[str, str]


def hash_files(root: Path, files: Iterable[Path]) -> Hashes:
    """The hash of each of `files`, by its path below `root`."""
    return {path.relative_to(root).as_posix(): sha256_of(path) for path in sorted(files)}


def write_manifest(path: Path, hashes: Hashes) -> None:
    """Write `hashes` as `path`; the same files give the same bytes."""
    path.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items())), encoding="utf-8")


def read_manifest(path: Path) -> Hashes:
    """Read what `write_manifest` wrote.

    Raises:
        CardError: the file is not there, or a line is none of a manifest.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise CardError(f"{path} is missing: nothing says what the files should be.") from exc
    except UnicodeDecodeError as exc:
        raise CardError(f"{path} is not text: {exc}") from exc
    hashes = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None or not is_inside(match["path"]):
            raise CardError(f"{path}:{number} is not a hash and a path below the folder.")
        hashes[match["path"]] = match["hash"]
    return hashes


def is_inside(path: str) -> bool:
    """Whether `path` is a plain relative one that leaves no folder."""
    parts = PurePosixPath(path)
    return not parts.is_absolute() and ".." not in parts.parts and parts.as_posix() == path and path != "."


def first_difference(root: Path, manifest: Path, files: Iterable[Path]) -> str | None:
    """A sentence that names the first of `files` below `root` that is not what `manifest` says, or is not there.

    Raises:
        CardError: see `read_manifest`.
    """
    expected, found = read_manifest(manifest), {path.relative_to(root).as_posix(): path for path in files}
    for name in sorted(found.keys() - expected.keys()):
        return f"{found[name]} is not in {manifest}, so nothing says what it should be."
    for name, digest in sorted(expected.items()):
        if name not in found:
            return f"{root / name} is not there, and {manifest} names it."
        if (actual := sha256_of(found[name])) != digest:
            return f"{found[name]} is not what {manifest} says: sha256 {actual} instead of {digest}."
    return None
