"""The one door to the jobs: submit, look, watch, cancel, delete."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from server.jobs.ports import Errand, Runner, Store
from server.jobs.record import Order, Record
from server.jobs.settings import JobSettings


class Jobs:
    """Jobs of this server and of all that share its database. Everything raises StoreUnavailableError where the
    database does not answer; a job that was accepted is not lost by that."""

    def __init__(self, settings: JobSettings, store: Store, runner: Runner, errands: Sequence[Errand] = ()) -> None:
        """Raises ValueError where the settings name no database."""

    async def start(self) -> None:
        """Make the tables where they are missing, take part in the work, and look after other servers' jobs."""
        raise NotImplementedError

    async def close(self) -> None:
        """Hand running jobs back, without using up an attempt, and leave. Other servers take them at once."""
        raise NotImplementedError

    async def submit(self, order: Order, files: Mapping[str, Path]) -> Record:
        """Accept a job with its files by name; durable when it returns. `files` stay the caller's.

        The same id, owner and digest again is the same job, as it stands. Raises JobConflictError for the same id with
        anything else, ShuttingDownError.
        """
        raise NotImplementedError

    async def get(self, job: str, owner: str) -> Record:
        """How a job stands. Raises JobNotFoundError, also for what is no id and for somebody else's job."""
        raise NotImplementedError

    async def finished(self, job: str, owner: str) -> Record:
        """A job whose result can be downloaded: `result` is set and available.

        Raises JobNotFoundError, JobNotFinishedError, JobFailedError (failed or cancelled), ResultGoneError.
        """
        raise NotImplementedError

    def watch(self, job: str, owner: str) -> AsyncIterator[Record]:
        """How a job stands now, and again with every change, until it has ended. Raises as `get`."""
        raise NotImplementedError

    async def cancel(self, job: str, owner: str) -> Record:
        """End a job that is queued or running, and kill its worker; one that has ended stays as it is."""
        raise NotImplementedError

    async def delete(self, job: str, owner: str) -> None:
        """Cancel a job where it is at work, and forget it: afterwards it is not found, and its files go."""
        raise NotImplementedError

    async def confirm_download(self, job: str, owner: str, offset: int, length: int) -> None:
        """Note which bytes of the result have arrived; once they are all, from the first without a gap, it is gone.

        Raises as `get`; for a job without a result it does nothing.
        """
        raise NotImplementedError
