"""Looks at the jobs that are watched or run here, all at once, and tells those who wait for a change."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress

from server.errors import JobNotFoundError, StoreUnavailableError
from server.jobs.attempts import Attempts
from server.jobs.book import Book
from server.jobs.fence import Fence
from server.jobs.record import Record


class Lookout:
    """One question to the database a period, whatever is watched; none where nothing is."""

    def __init__(self, book: Book, fence: Fence, attempts: Attempts, period_s: float) -> None:
        self._book = book
        self._fence = fence
        self._attempts = attempts
        self._period_s = period_s
        self._watched: Counter[str] = Counter()
        self._seen: dict[str, Record | None] = {}  # the last look: None for a job that is not there
        self._soon = asyncio.Event()
        self._looked = asyncio.Condition()

    def look(self) -> None:
        """Look now: something was changed here."""
        self._soon.set()

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            with suppress(StoreUnavailableError):  # What runs, runs on; who watches, waits.
                await self._once()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._period_s):
                    await self._soon.wait()
            self._soon.clear()

    async def watch(self, first: Record) -> AsyncIterator[Record]:
        """A job as it stands, and again with every change, until it has ended. Raises JobNotFoundError."""
        last = first
        self._watched[last.id] += 1
        try:
            yield last
            while not last.state.ended:
                last = await self._change(last)
                yield last
        finally:
            self._watched[last.id] -= 1
            self._watched += Counter()  # Drops what nobody watches any more.

    async def _change(self, last: Record) -> Record:
        async with self._looked:
            while True:
                now = self._seen.get(last.id, last)
                if now is None:
                    raise JobNotFoundError("There is no such job.")
                if now != last:
                    return now
                await self._looked.wait()

    async def _once(self) -> None:
        running = self._attempts.running()
        ids = set(self._watched) | {job for job, _ in running}
        if not ids:
            return
        progress = {key: parts for key, parts in running.items() if parts is not None}
        if progress:
            await self._fence.report(progress)
        found = await self._book.find(ids)
        self._attempts.compare(running, found)
        async with self._looked:
            self._seen = {job: found.get(job) for job in ids}
            self._looked.notify_all()
