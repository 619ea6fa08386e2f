"""The upload of finished videos: once before the job ends, and again and again where that failed."""

import asyncio
import logging
from contextlib import closing
from pathlib import Path
from typing import Protocol

from server.errors import ProcessingFailedError, ServiceError
from server.jobs.ports import Store
from server.jobs.record import Json, Kind, Record
from server.workers.workspace import Workspace

logger = logging.getLogger(__name__)

LINK = "upload_link"
"""The fact of a result that says where it was uploaded to."""

_FIRST_TRY_S = 60.0  # The job waits for it: whoever configured uploads wants links, not files.


class Account(Protocol):
    """Where videos are uploaded to: Cloudinary, or the tests' own."""

    async def upload(self, job: str, file: Path, content_type: str) -> str:
        """Upload a result and return its link; again is the same upload. Raises a ServiceError."""

    async def remove(self, job: str, content_type: str | None) -> None:
        """Remove what was uploaded of `job`; nothing is no error. Raises a ServiceError."""


class UploadErrand:
    """Uploads results of videos. Until one is there, and where it never is, our own copy is served."""

    name = "upload"

    def __init__(self, account: Account, store: Store, scratch: Path, first_try_s: float = _FIRST_TRY_S) -> None:
        """`scratch`: folder for files on their way."""
        self._account = account
        self._store = store
        self._scratch = scratch
        self._first_try_s = first_try_s

    async def try_first(self, job: str, file: Path, content_type: str) -> Json:
        """Upload a result that was just made: the facts to add to it, none where it failed. `run` goes on then."""
        try:
            async with asyncio.timeout(self._first_try_s):
                return {LINK: await self._account.upload(job, file, content_type)}
        except (ServiceError, TimeoutError) as error:
            logger.warning("job %s: its result is not uploaded yet: %s", job, type(error).__name__)
            return {}

    def wanted(self, record: Record) -> bool:
        """Whether it is a video's result that was not uploaded."""
        result = record.result
        return record.kind is Kind.VIDEO and result is not None and result.available and LINK not in result.facts

    async def run(self, record: Record) -> Json:
        """Upload the result and return its link as a fact. Raises StoreUnavailableError, ProcessingFailedError."""
        if not self.wanted(record) or record.result is None:
            return {}
        path = record.result.path
        # A room of its own: the next server sweeps it away where this one dies meanwhile.
        with closing(Workspace(self._scratch)) as room, room.folder() as folder:
            file = folder / path.rpartition("/")[2]
            try:
                await self._store.get_to_file(path, file)
            except FileNotFoundError:
                return {}  # It was fetched or has expired meanwhile.
            return {LINK: await self._account.upload(record.id, file, record.result.content_type)}

    async def withdraw(self, record: Record) -> None:
        """Remove the upload. An attempt that was stopped may have made one too. Raises StoreUnavailableError."""
        if record.kind is not Kind.VIDEO:
            return
        try:
            await self._account.remove(record.id, record.result.content_type if record.result else None)
        except ProcessingFailedError:
            logger.error("job %s: its upload cannot be removed; look for it by hand", record.id)
