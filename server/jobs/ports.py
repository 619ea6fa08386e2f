"""What the jobs need of others: someone who does the work, a place for files, errands after the end."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

from server.jobs.record import Json, Outcome, Record

OnProgress = Callable[[int, int], None]
"""Told how many parts are done, and how many there are in all. Cheap, and called on the event loop."""


class Runner(Protocol):
    """Does the work of one attempt: fetches the inputs, has a worker make the result, puts that into the store."""

    async def run(self, record: Record, attempt: int, on_progress: OnProgress) -> Outcome:
        """Make the result of `record`, below `paths.output_path(record.id, attempt, …)`.

        When its task is cancelled, the worker is killed before it returns. Raises InvalidRequestError for what can
        never work: no further attempt is made. Any other ServiceError is tried again.
        """


class Store(Protocol):
    """Files by path: `jobs/<id>/in/…` and `jobs/<id>/out/<attempt>/…`. All raise StoreUnavailableError."""

    async def put_file(self, path: str, source: Path) -> None:
        """Store the file `source`, whole or not at all. Replaces what was there."""

    async def get_to_file(self, path: str, target: Path) -> None:
        """Write a file to `target`. Raises FileNotFoundError."""

    def open_range(self, path: str, offset: int, length: int) -> AsyncIterator[bytes]:
        """The bytes of a file from `offset`, in chunks of at most 1 MiB. Raises FileNotFoundError."""

    async def exists(self, path: str) -> bool:
        """Whether there is a file at `path`."""

    async def delete_prefix(self, prefix: str) -> None:
        """Delete all files below `prefix`, which ends with `/`. None is no error."""

    def list_paths(self, prefix: str) -> AsyncIterator[str]:
        """The paths of all files below `prefix`, in any order."""


class Errand(Protocol):
    """Something to be done once a job has ended, again and again until it is done: a webhook, an upload."""

    name: str
    """A short word; part of the engine's name for it."""

    def wanted(self, record: Record) -> bool:
        """Whether it is to be done for this job."""

    async def run(self, record: Record) -> Json:
        """Do it, and return what is to be added to the facts of the result (often nothing).

        Raises a RetryableError where it shall be tried again later, any other ServiceError where that is no use.
        """

    async def withdraw(self, record: Record) -> None:
        """Take back what was given out, when the result is removed. Called again where it raises a RetryableError."""
