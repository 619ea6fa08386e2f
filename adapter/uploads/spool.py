"""Keeps the one large file of a form on the disk while it arrives."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeVar

from adapter.errors import MalformedBodyError, PayloadTooLargeError, SpoolError
from adapter.uploads.budget import UploadBudget

T = TypeVar("T")

Judge = Callable[[str, bytes], None]
"""Raises for a file that is not wanted, by its Content-Type (empty where there is none) and its first bytes."""

HEAD_BYTES = 16
"""The first bytes that are judged by; fewer where the file is shorter."""

_CHUNK = 1024 * 1024
_NO_ROOM = "There is no room for the upload now. Try again later."


@dataclass(frozen=True)
class SpoolLimits:
    """Where files are kept while they arrive, and how much of them."""

    folder: Path
    budget: UploadBudget
    """Of the disk, for all that arrive at a time."""
    max_bytes: int
    """Of one file."""


class Spool:
    """A file without a name: nothing of it is left when the context ends, nor when the process is killed.

    Reading and writing take a thread, because a disk that is behind makes them wait.
    """

    def __init__(self, limits: SpoolLimits, names: Collection[str], judge: Judge) -> None:
        """`names`: the form's fields that the file may come as."""
        self.names = names
        self.max_bytes = limits.max_bytes
        self.size = 0
        self.arrived = False
        """Whether the form has brought the file, perhaps an empty one."""
        self._folder = limits.folder
        self._reservation = limits.budget.reserve()
        self._judge = judge
        self._content_type = ""
        self._head: bytes | None = b""  # None once it was judged.
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._file: IO[bytes] | None = None

    async def __aenter__(self) -> Self:
        self._reservation.__enter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()  # The last of it: it has no name.
        self._reservation.__exit__(kind, error, trace)

    def begin(self, content_type: str) -> None:
        """Begins the file; raises MalformedBodyError for a second one."""
        if self.arrived:
            message = f"The form has more than one {' or '.join(self.names)}."
            raise MalformedBodyError(message)
        self.arrived, self._content_type = True, content_type

    def add(self, data: bytes) -> None:
        """Takes the next bytes; `flush` soon follows.

        Raises:
            PayloadTooLargeError: The file is over its limit.
            OverloadedError: The uploads in flight fill the disk's budget.
        """
        self.size += len(data)
        if self.size > self.max_bytes:
            message = f"The file is too large: at most {self.max_bytes} bytes."
            raise PayloadTooLargeError(message)
        self._reservation.grow(len(data))
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._head is not None:
            self._head = (self._head + data)[:HEAD_BYTES]
            if len(self._head) == HEAD_BYTES:
                self._pass_judgement(self._head)

    def end(self) -> None:
        """Ends the file, which may be shorter than what it is judged by."""
        if self._head is not None:
            self._pass_judgement(self._head)

    async def flush(self, *, whole: bool = False) -> None:
        """Writes what has gathered, where it is enough to be worth it, or `whole`. Raises SpoolError."""
        if self._pending and (whole or self._pending_bytes >= _CHUNK):
            data, self._pending, self._pending_bytes = b"".join(self._pending), [], 0
            await self._run(lambda: self._open().write(data))

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yields the whole file from its beginning, up to 1 MiB at a time. Raises SpoolError."""
        await self.flush(whole=True)
        await self._run(lambda: self._open().seek(0))
        while chunk := await self._run(lambda: self._open().read(_CHUNK)):
            yield chunk

    async def digest(self) -> bytes:
        """The SHA-256 of the whole file. Raises SpoolError."""
        hasher = hashlib.sha256()
        async for chunk in self.chunks():
            await asyncio.to_thread(hasher.update, chunk)
        return hasher.digest()

    def _pass_judgement(self, head: bytes) -> None:
        self._head = None
        self._judge(self._content_type, head)

    def _open(self) -> IO[bytes]:
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            # Buffered, though in whole chunks: its lock lets nobody close it while a thread that was left alone writes.
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=_CHUNK)  # noqa: SIM115 - closed with us.
        return self._file

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            raise SpoolError(_NO_ROOM) from error
