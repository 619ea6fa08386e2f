"""What comes after a job's end: errands, and files that nobody needs any more."""

import logging
from collections.abc import Sequence

from server.errors import RetryableError, ServiceError, StoreUnavailableError
from server.jobs.book import Book
from server.jobs.engine import Engine
from server.jobs.keeping import Keeping
from server.jobs.paths import inputs_prefix, job_prefix, output_prefix, outputs_prefix
from server.jobs.ports import Errand, Store
from server.jobs.record import Record

_log = logging.getLogger(__name__)


class Aftermath:
    """Whatever of it does not succeed now, a sweep does later."""

    def __init__(
        self,
        book: Book,
        keeping: Keeping,
        *,
        store: Store,
        engine: Engine,
        errands: Sequence[Errand],
        waits_s: Sequence[float],
    ) -> None:
        """`waits_s`: before each next try of an errand."""
        self._book = book
        self._keeping = keeping
        self._store = store
        self._engine = engine
        self._errands = {errand.name: errand for errand in errands}
        self._waits_s = waits_s

    async def of(self, job: str) -> None:
        """Clear up after a job that has ended. Never fails."""
        try:
            record = (await self._book.find([job])).get(job)
            if record and record.state.ended:
                await self.clear_up(record)
        except StoreUnavailableError:
            _log.warning("job %s: cleared up later, the store does not answer", job)

    async def clear_up(self, record: Record) -> None:
        """Send the errands, and delete the files that are not the result. Raises StoreUnavailableError."""
        for name, errand in self._errands.items():
            if errand.wanted(record):
                await self._engine.send(record.id, name)
        if record.result is None:
            await self._store.delete_prefix(job_prefix(record.id))
        else:
            await self._store.delete_prefix(inputs_prefix(record.id))
            await self._delete_other_outputs(record.id, record.result.path)
        await self._keeping.tidied(record.id)

    async def run_errand(self, job: str, name: str, nth: int) -> float | None:
        """Try an errand for the nth time; seconds until the next try, or None where there is none."""
        errand = self._errands.get(name)
        try:
            record = (await self._book.find([job])).get(job)
            if errand is None or record is None:
                return None
            facts = await errand.run(record)
            if facts and not await self._keeping.add_facts(job, facts):
                await errand.withdraw(record)
        except RetryableError as error:
            _log.warning("job %s, errand %s, try %d: %s", job, name, nth, error)
            return self._waits_s[nth - 1] if nth <= len(self._waits_s) else None
        except ServiceError as error:
            _log.warning("job %s, errand %s given up: %s", job, name, error)
        return None

    async def remove(self, record: Record) -> None:
        """Delete all files of a job, and what its errands gave out. Raises a RetryableError."""
        for errand in self._errands.values():
            await errand.withdraw(record)
        await self._store.delete_prefix(job_prefix(record.id))
        await self._keeping.emptied(record.id)

    async def _delete_other_outputs(self, job: str, kept: str) -> None:
        start = len(outputs_prefix(job))
        attempts = {path[start:].partition("/")[0] async for path in self._store.list_paths(outputs_prefix(job))}
        for attempt in attempts - {kept[start:].partition("/")[0]}:
            await self._store.delete_prefix(output_prefix(job, attempt))
