"""A remote store with a local folder beside it, for results that it does not take just now."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from server.errors import StoreUnavailableError
from server.jobs.paths import JOBS
from server.jobs.record import Json, Record
from server.jobs.store import JobStore

logger = logging.getLogger(__name__)

_START_S = 10.0  # A server starts also while its store is down; what waits has its errands too.


class SpoolingStore:
    """`remote`, except that no finished work is thrown away because it does not answer: results wait in `folder`.

    They are served from there until they are brought over. Other servers do not see this one's folder: to them such
    a result is one that cannot be read now.
    """

    def __init__(self, remote: JobStore, folder: Path) -> None:
        """`folder` outlives the process. Raises ValueError where it cannot be made."""
        self._remote = remote
        self._folder = folder
        self._spool = JobStore(folder.absolute().as_uri())

    async def put_file(self, path: str, source: Path) -> None:
        """Store the file `source`, whole or not at all; a result that the remote store does not take, here."""
        try:
            await self._remote.put_file(path, source)
        except StoreUnavailableError:
            if not _is_result(path):
                raise  # Its job is not accepted yet: the caller hears of it.
            logger.warning("%s waits in the local folder until the store takes it", path)
            await self._spool.put_file(path, source)

    async def get_to_file(self, path: str, target: Path) -> None:
        """Write a file to `target`. Raises FileNotFoundError, StoreUnavailableError."""
        try:
            await self._spool.get_to_file(path, target)
        except FileNotFoundError:
            await self._remote.get_to_file(path, target)

    async def open_range(self, path: str, offset: int, length: int) -> AsyncIterator[bytes]:
        """The bytes of a file from `offset`; also while it is brought over. Raises as JobStore's."""
        position, end = offset, offset + length
        try:
            async for chunk in self._spool.open_range(path, offset, length):
                yield chunk
                position += len(chunk)
        except FileNotFoundError:
            async for chunk in self._remote.open_range(path, position, end - position):
                yield chunk

    async def exists(self, path: str) -> bool:
        """Whether there is a file at `path`. Raises StoreUnavailableError."""
        return self.holds(path) or await self._remote.exists(path)

    async def delete_prefix(self, prefix: str) -> None:
        """Delete all files below `prefix`, here and there. Raises StoreUnavailableError."""
        await self._spool.delete_prefix(prefix)
        await self._remote.delete_prefix(prefix)

    async def list_paths(self, prefix: str) -> AsyncIterator[str]:
        """The paths of all files below `prefix`, here and there. Raises StoreUnavailableError."""
        for store in (self._spool, self._remote):
            async for path in store.list_paths(prefix):
                yield path

    def holds(self, path: str) -> bool:
        """Whether a file waits here."""
        return (self._folder / path).is_file()

    async def bring(self, path: str) -> None:
        """Have the remote store take a file that waits; none is no error. Raises StoreUnavailableError."""
        if self.holds(path):
            await self._remote.put_file(path, self._folder / path)
            await self._spool.delete_prefix(path.rpartition("/")[0] + "/")

    async def bring_all(self) -> None:
        """Have the remote store take what waits, as far as it soon does: what a server left that stopped meanwhile."""
        try:
            async with asyncio.timeout(_START_S):
                async for path in self._spool.list_paths(JOBS):
                    await self.bring(path)
        except (StoreUnavailableError, TimeoutError):
            logger.warning("results wait in the local folder still")

    async def link(self, path: str, seconds: float) -> str | None:
        """Where a file can be fetched from without us, for so long; None while it cannot."""
        try:
            if self.holds(path) or not await self._remote.exists(path):
                return None
            return await self._remote.link(path, seconds)
        except StoreUnavailableError:
            return None  # Whoever asks for the bytes hears of it.


class SpoolErrand:
    """Brings the result of a job to the remote store, where that did not take it at first."""

    name = "store"

    def __init__(self, store: SpoolingStore) -> None:
        self._store = store

    def wanted(self, record: Record) -> bool:
        """Whether the result waits here."""
        return record.result is not None and self._store.holds(record.result.path)

    async def run(self, record: Record) -> Json:
        """Bring it over. Raises StoreUnavailableError, also where it waits in another server's folder."""
        if record.result is not None:
            await self._store.bring(record.result.path)
            if not await self._store.exists(record.result.path):
                raise StoreUnavailableError("The result waits in another server's folder.")
        return {}

    async def withdraw(self, record: Record) -> None:
        """Nothing was given out: both places are emptied with the job's files."""


def _is_result(path: str) -> bool:
    return path.split("/")[2:3] == ["out"]
