"""Done from time to time, by one server at a time: what has expired goes, and what was left lying is picked up."""

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from server.errors import RetryableError
from server.jobs.aftermath import Aftermath
from server.jobs.book import Book
from server.jobs.engine import Engine
from server.jobs.keeping import Keeping
from server.jobs.paths import JOBS, outputs_prefix
from server.jobs.ports import Store
from server.jobs.record import Record
from server.jobs.settings import Periods

_log = logging.getLogger(__name__)

_RUNS_KEPT = timedelta(hours=1)  # what the engine knows of a run that has ended; nothing here asks for it.
_RUNS_AT_ONCE = 1000


class Sweeper:
    """Each part goes on where another fails, and is done again with the next sweep."""

    def __init__(
        self,
        book: Book,
        keeping: Keeping,
        aftermath: Aftermath,
        *,
        engine: Engine,
        store: Store,
        periods: Periods,
        wall: Callable[[], float],
    ) -> None:
        self._book = book
        self._keeping = keeping
        self._aftermath = aftermath
        self._engine = engine
        self._store = store
        self._periods = periods
        self._wall = wall

    async def sweep(self) -> None:
        """Move the service clock; let results expire, delete files, forget jobs, enqueue what is in no queue."""
        for part in (self._expire, self._tidy, self._empty, self._enqueue, self._forget):
            try:
                await part()
            except RetryableError as error:
                _log.warning("a part of the sweep is put off: %s", error)

    async def sweep_strays(self) -> None:
        """Delete files that belong to no job, or to an attempt that came to nothing: on the second sight."""
        try:
            for prefix in await self._keeping.stray(sorted(await self._strays())):
                await self._store.delete_prefix(prefix)
        except RetryableError as error:
            _log.warning("the sweep of strays is put off: %s", error)

    async def _expire(self) -> None:
        await self._keeping.advance(self._wall(), self._periods.sweep)
        await self._keeping.expire()

    async def _tidy(self) -> None:
        for record in await self._keeping.untidy():
            await _one(self._aftermath.clear_up(record), record)

    async def _empty(self) -> None:
        for record in await self._keeping.spent():
            await _one(self._aftermath.remove(record), record)

    async def _enqueue(self) -> None:
        waiting = {job.id: job.kind for job in await self._keeping.waiting(self._periods.sweep)}
        if waiting:
            for job in await self._engine.missing(waiting):
                await self._engine.renew(waiting[job], job)

    async def _forget(self) -> None:
        await self._keeping.forget()
        await self._engine.forget(datetime.now(UTC) - _RUNS_KEPT, _RUNS_AT_ONCE)

    async def _strays(self) -> set[str]:
        """Folders of files, below a job's, whose job or attempt is not there or has come to nothing."""
        folders: dict[str, set[str]] = {}
        async for path in self._store.list_paths(JOBS):
            job, _, rest = path.removeprefix(JOBS).partition("/")
            kind, _, rest = rest.partition("/")
            folder = f"{JOBS}{job}/{kind}/" + (rest.partition("/")[0] + "/" if kind == "out" else "")
            folders.setdefault(job, set()).add(folder)
        strays: set[str] = set()
        records = await self._book.find(folders)
        for job, found in folders.items():
            record = records.get(job)
            if record is None:
                strays |= found
            elif record.state.ended:
                kept = record.result.path if record.result else outputs_prefix(job)
                strays |= {folder for folder in found if not kept.startswith(folder)}
        return strays


async def _one(work: Awaitable[None], record: Record) -> None:
    """One that cannot be done now does not stand in the others' way."""
    try:
        await work
    except RetryableError as error:
        _log.warning("job %s is cleared up later: %s", record.id, error)
