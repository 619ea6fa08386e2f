"""A small npm package that carries a network as the real one does, and an `npm` that knows no other."""

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

from engine.models.importer import Origin
from engine.models.recipe import Recipe
from engine.models.sources import NpmSource
from tests.support.networks import convolution

CHUNK_BYTES = 100
ENTRY = "/models/tiny"


def network_bytes() -> bytes:
    return convolution().SerializeToString(deterministic=True)


def pack(path: Path, data: bytes, *, damaged_chunk: bool = False, swapped: bool = False) -> None:
    """Write the package with `data` in chunks; the faults are inside, so its own hash is right when it is pinned."""
    pieces = [data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES)]
    offsets = [(index * CHUNK_BYTES, index * CHUNK_BYTES + len(piece)) for index, piece in enumerate(pieces)]
    files = {hashlib.sha256(piece).hexdigest(): piece for piece in pieces}
    names = list(files)
    if swapped:
        names[0], names[1] = names[1], names[0]
    if damaged_chunk:
        files[names[0]] = bytes(CHUNK_BYTES)
    chunks = [{"hash": name, "offsets": place} for name, place in zip(names, offsets, strict=True)]
    listing = {ENTRY: {"chunks": chunks, "size": len(data), "mime": "application/octet-stream"}}
    with tarfile.open(path, "w:gz") as tar:
        for name, content in sorted({**files, "resources.json": json.dumps(listing).encode()}.items()):
            member = tarfile.TarInfo(f"package/dist/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def pin(package: Path, data: bytes) -> NpmSource:
    """A source that says of `package` what sources.py says of a real one."""
    return NpmSource(
        name="tiny",
        package="@example/tiny",
        version="1.2.3",
        tarball_sha256=hashlib.sha256(package.read_bytes()).hexdigest(),
        tarball_bytes=package.stat().st_size,
        entry=ENTRY,
        weights_sha256=hashlib.sha256(data).hexdigest(),
        weights_bytes=len(data),
        recipe=Recipe(8, 8, (128.0, 128.0, 128.0), (256.0, 256.0, 256.0)),
        origin=Origin("MIT", "https://example.org/tiny", "For tests."),
        in_chunks=True,
    )


@dataclass(frozen=True)
class Npm:
    """A program named npm in `folder`; it appends each command line to `calls`."""

    folder: Path
    calls: Path

    def does(self, script: str) -> None:
        """What it does from now on, in the shell, in the folder that it was called in."""
        program = self.folder / "npm"
        program.write_text(f'#!/bin/sh\necho "$@" >> {self.calls}\n{script}\n')
        program.chmod(0o755)

    def called(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []
