"""Where results lie, put together from the settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from server.jobs.ports import Errand, Store
from server.jobs.record import Json, Kind, Record
from server.jobs.store import JobStore
from server.jobs.uploads.errand import LINK, UploadErrand
from server.jobs.uploads.spool import SpoolErrand, SpoolingStore


@dataclass(frozen=True)
class Places:
    """The store of jobs, and how results reach callers without us."""

    store: Store
    errands: Sequence[Errand] = ()
    spooling: SpoolingStore | None = None
    upload_errand: UploadErrand | None = None

    async def start(self) -> None:
        """Finish what a server before this one left undone."""
        if self.spooling is not None:
            await self.spooling.bring_all()

    async def upload(self, job: str, kind: Kind, file: Path, content_type: str) -> Json:
        """Try to upload a result that is in the store already: the facts to add to it. Raises nothing."""
        if self.upload_errand is None or kind is not Kind.VIDEO:
            return {}
        return await self.upload_errand.try_first(job, file, content_type)

    async def link(self, record: Record) -> str:
        """Where the result of `record` can be fetched from without us; empty where it cannot. Raises nothing."""
        result = record.result
        if result is None or not result.available:
            return ""
        if LINK in result.facts:
            return str(result.facts[LINK])
        if self.spooling is None:
            return ""
        seconds = (result.expires - datetime.now(UTC)).total_seconds()
        return await self.spooling.link(result.path, seconds) or ""


def open_places(store_url: str, spool: Path, cloudinary_url: str | None, scratch: Path) -> Places:
    """`spool`: folder that outlives the process, for results that a remote store does not take at once.

    `cloudinary_url`: the account that videos are uploaded to, None for no uploads. Call it before the environment is
    scrubbed: a remote store's keys are there. Raises ValueError, which shows no secret.
    """
    given = JobStore(store_url)
    spooling = SpoolingStore(given, spool) if given.remote else None
    store: Store = spooling or given
    errands: list[Errand] = [SpoolErrand(spooling)] if spooling else []
    upload = _open_upload(cloudinary_url, store, scratch) if cloudinary_url else None
    return Places(store, [*errands, *([upload] if upload else [])], spooling, upload)


def _open_upload(url: str, store: Store, scratch: Path) -> UploadErrand:
    try:
        from server.jobs.uploads.cloudinary_account import CloudinaryAccount  # noqa: PLC0415 - an optional extra.
    except ImportError as error:
        message = "uploads to Cloudinary need its SDK: pip install 'clearcanvas[cloudinary]'"
        raise ValueError(message) from error
    return UploadErrand(CloudinaryAccount(url), store, scratch)
