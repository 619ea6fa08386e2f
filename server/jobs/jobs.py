"""The one door to the jobs: submit, look, watch, cancel, delete."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from server.errors import (
    JobFailedError,
    JobNotFinishedError,
    ResultGoneError,
    RetryableError,
    ShuttingDownError,
    StoreUnavailableError,
)
from server.jobs.aftermath import Aftermath
from server.jobs.attempts import Attempts
from server.jobs.book import Book
from server.jobs.census import Census
from server.jobs.database import Database
from server.jobs.engine import Engine, Work, log_bug
from server.jobs.fence import Fence
from server.jobs.keeping import Keeping
from server.jobs.lookout import Lookout
from server.jobs.paths import input_path
from server.jobs.ports import Errand, Runner, Store
from server.jobs.record import Order, Record, State
from server.jobs.servers import Servers
from server.jobs.settings import JobSettings, cron
from server.jobs.sweeper import Sweeper

_log = logging.getLogger(__name__)


class Jobs:
    """Jobs of this server and of all that share its database. One a process.

    Everything raises StoreUnavailableError where the database does not answer; no accepted job is lost by that.
    """

    def __init__(
        self,
        settings: JobSettings,
        store: Store,
        runner: Runner,
        errands: Sequence[Errand] = (),
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`wall`: seconds since 1970. Raises ValueError where the settings name no database."""
        server, periods = str(uuid4()), settings.periods
        self._server = server
        self._settings = settings
        self._store = store
        self._database = Database(settings.url)
        self._book = Book(self._database, settings.retention, wall)
        self._servers = Servers(self._database, server, periods)
        slots = {kind.value: count for kind, count in settings.slots.items()}
        self._engine = Engine(settings.url, server, slots, periods.queue)
        keeping = Keeping(self._database, settings.retention)
        self._aftermath = Aftermath(
            self._book, keeping, store=store, engine=self._engine, errands=errands, waits_s=periods.errand
        )
        fence = Fence(self._database, settings.retention, wall)
        self._attempts = Attempts(
            fence, store=store, runner=runner, settings=settings, server=server, ended=self._ended
        )
        self._lookout = Lookout(self._book, fence, self._attempts, periods.poll)
        self.sweeper = Sweeper(
            self._book, keeping, self._aftermath, engine=self._engine, store=store, periods=periods, wall=wall
        )
        self._census = Census(self._database, periods.census)
        self._loops: list[asyncio.Task[None]] = []
        self._closing = False

    async def start(self) -> None:
        """Make the tables where they are missing, take part in the work, and look after other servers' jobs."""
        await self._database.start()
        await self._servers.beat()
        chores = {"sweep": self.sweeper.sweep, "strays": self.sweeper.sweep_strays}
        periods = self._settings.periods
        work = Work(self._attempts.make, self._aftermath.run_errand, chores)
        await self._engine.start(work, {"sweep": cron(periods.sweep), "strays": cron(periods.strays)})
        loops = (self._lookout.run(), self._look_after_servers(), self._census.run())
        self._loops = [asyncio.create_task(loop) for loop in loops]
        for task in self._loops:
            task.add_done_callback(log_bug)

    async def close(self) -> None:
        """Hand running jobs back, without using up an attempt, and leave. Other servers take them at once."""
        self._closing = True
        await self._attempts.stop()
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self._engine.close()
        with suppress(StoreUnavailableError):  # Then the others see it by the beat that stands still.
            await self._servers.leave()
        await self._database.close()

    async def submit(self, order: Order, files: Mapping[str, Path]) -> Record:
        """Accept a job with its files by name; durable when it returns. `files` stay the caller's.

        The same id, owner and digest again is the same job, as it stands. Raises JobConflictError for the same id with
        anything else, ShuttingDownError.
        """
        if self._closing:
            raise ShuttingDownError("The service is shutting down.")
        record = await self._book.same(order)
        if record is None:
            for name, source in files.items():
                await self._store.put_file(input_path(order.id, order.digest, name), source)
            record = await self._book.enter(order)
        if record.attempt == 0 and not record.state.ended:  # Also where an earlier call came no further than this.
            await self._engine.enqueue(order.kind.value, order.id)
        return record

    async def get(self, job: str, owner: str) -> Record:
        """How a job stands. Raises JobNotFoundError, also for what is no id and for somebody else's job."""
        return await self._book.get(job, owner)

    async def finished(self, job: str, owner: str) -> Record:
        """A job whose result can be downloaded: `result` is set and available.

        Raises JobNotFoundError, JobNotFinishedError, JobFailedError (failed or cancelled), ResultGoneError.
        """
        record = await self._book.get(job, owner)
        if not record.state.ended:
            raise JobNotFinishedError("The job is not finished yet.")
        if record.result is None:
            cancelled = record.state is State.CANCELLED
            message = "The job was cancelled." if cancelled or not record.failure else record.failure.message
            raise JobFailedError(message)
        if not record.result.available:
            raise ResultGoneError("The result was removed.")
        return record

    async def watch(self, job: str, owner: str) -> AsyncIterator[Record]:
        """How a job stands now, and again with every change, until it has ended. Raises as `get`."""
        async for record in self._lookout.watch(await self._book.get(job, owner)):
            yield record

    async def cancel(self, job: str, owner: str) -> Record:
        """End a job that is queued or running, and kill its worker; one that has ended stays as it is."""
        record, ended_now = await self._book.cancel(job, owner)
        if ended_now:
            await self._call_off(job)
            await self._aftermath.of(job)
        return record

    async def delete(self, job: str, owner: str) -> None:
        """Cancel a job where it is at work, and forget it: afterwards it is not found, and its files go."""
        record = await self._book.delete(job, owner)
        await self._call_off(job)
        with suppress(RetryableError):  # The sweep does it.
            await self._aftermath.remove(record)

    async def confirm_download(self, job: str, owner: str, offset: int, length: int) -> None:
        """Note which bytes of the result have arrived; once they are all, from the first without a gap, it is gone.

        Raises as `get`; for a job without a result it does nothing.
        """
        await self._book.confirm(job, owner, offset, length)

    async def _call_off(self, job: str) -> None:
        self._attempts.break_off(job)
        self._lookout.look()
        with suppress(StoreUnavailableError):  # When its turn comes, it is seen to have ended.
            await self._engine.cancel(job)

    async def _ended(self, job: str) -> None:
        self._lookout.look()
        await self._aftermath.of(job)

    async def _look_after_servers(self) -> None:
        away = False
        while True:
            try:
                await self._look_after_servers_once()
                away = False
            except StoreUnavailableError as error:
                if not away:
                    _log.warning("no server is looked after until it does: %s", error)
                away = True
            await asyncio.sleep(self._settings.periods.beat)

    async def _look_after_servers_once(self) -> None:
        known = await self._servers.beat()
        if not known:
            _log.warning("this server was held for dead; what it had at work begins again")
            self._attempts.surrender()
        living = await self._servers.living()
        await self._engine.recover(living | {self._server} if known else living - {self._server})
