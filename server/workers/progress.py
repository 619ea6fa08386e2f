"""How far a worker is: a tiny file that it overwrites and its server reads. Nothing fills up, and nobody waits."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.video.task import OnProgress

_RECORD = struct.Struct("<II")  # done, total; written and read as one


@contextmanager
def reporting(file: Path) -> Iterator[OnProgress]:
    """In the worker: what to tell the progress to, until the end of the block."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def report(done: int, total: int) -> None:
        os.pwrite(descriptor, _RECORD.pack(done, total), 0)

    try:
        yield report
    finally:
        os.close(descriptor)


def read_progress(file: Path) -> tuple[int, int] | None:
    """In the server: how much is done, and of how much; None before the worker has told."""
    try:
        record = file.read_bytes()
    except FileNotFoundError:
        return None
    return _RECORD.unpack(record) if len(record) == _RECORD.size else None
