"""Files that come with a submit: written to the scratch disk as they come, and told apart by a digest."""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from clearcanvas.v1 import jobs_pb2

from server.errors import InvalidParameterError, InvalidVideoError, OverloadedError, PayloadTooLargeError

MAX_CHUNK_BYTES = 1024 * 1024
MIB = 1024 * 1024

_RESERVE_BYTES = 512 * MIB  # Left on the disk: the jobs' own database may lie there.
_FULL = "The service is out of disk space."


async def save_files(folder: Path, files: Mapping[str, bytes]) -> dict[str, Path]:
    """Write the files that have bytes, and return where. Raises OverloadedError where the disk is full."""
    paths = {name: folder / name for name, data in files.items() if data}
    await asyncio.to_thread(_save, {path: files[name] for name, path in paths.items()})
    return paths


async def save_chunks(requests: AsyncIterator[jobs_pb2.SubmitVideoRequest], file: Path, max_bytes: int) -> bytes:
    """Write an upload to `file`, chunk by chunk, and return its SHA-256.

    Raises InvalidParameterError for a message that is no chunk, PayloadTooLargeError, InvalidVideoError for no bytes at
    all, OverloadedError where the disk is full.
    """
    if shutil.disk_usage(file.parent).free < max_bytes + _RESERVE_BYTES:
        raise OverloadedError(_FULL)
    digest, size = hashlib.sha256(), 0
    # Buffered, for its lock: closing it waits for a write that goes on in a thread after the call was cancelled.
    with _disk_errors(), file.open("wb") as opened:
        async for request in requests:
            chunk = request.chunk
            if not 1 <= len(chunk) <= MAX_CHUNK_BYTES:
                raise InvalidParameterError("A chunk has 1 byte to 1 MiB.", {"field": "chunk"})
            size += len(chunk)
            if size > max_bytes:
                limit = max_bytes // MIB
                raise PayloadTooLargeError(f"The video is larger than {limit} MiB.", {"limit": str(max_bytes)})
            await asyncio.to_thread(_append, chunk, opened, digest)
    if not size:
        raise InvalidVideoError("The request holds no video.")
    return digest.digest()


def _append(chunk: bytes, file: BinaryIO, digest: "hashlib._Hash") -> None:
    digest.update(chunk)
    file.write(chunk)


def _save(files: Mapping[Path, bytes]) -> None:
    with _disk_errors():
        for file, data in files.items():
            file.write_bytes(data)


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OverloadedError(_FULL) from error
