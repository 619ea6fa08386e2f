"""Makes attempts: has the work done, keeps what came of it, and gives up what is no longer this server's."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeVar

from server import metrics
from server.errors import (
    DeadlineExceededError,
    InvalidRequestError,
    RetryableError,
    ServiceError,
    StoreUnavailableError,
)
from server.jobs.fence import ATTEMPTS, Fence
from server.jobs.paths import output_prefix
from server.jobs.ports import Runner, Store
from server.jobs.record import Failure, Outcome, Record
from server.jobs.settings import JobSettings
from telemetry.request import request_id
from telemetry.traces import span

T = TypeVar("T")

_log = logging.getLogger(__name__)

_BROKEN = Failure("PROCESSING_FAILED", "The work failed for a reason of the service's own.")


class Ending(Enum):
    """Why an attempt is broken off."""

    ENDED = auto()  # the job has ended otherwise: by wish
    TAKEN = auto()  # another server makes it
    STOPPED = auto()  # this server stops
    LATE = auto()  # its time is up


@dataclass
class _Running:
    record: Record
    work: asyncio.Task[Outcome]
    ending: Ending | None = None
    progress: tuple[int, int] | None = None  # that is not noted yet

    def break_off(self, ending: Ending) -> None:
        """The first reason counts."""
        self.ending = self.ending or ending
        self.work.cancel()


class Attempts:
    """The attempts of this server. `ended` is awaited after a job has ended here."""

    def __init__(
        self,
        fence: Fence,
        *,
        store: Store,
        runner: Runner,
        settings: JobSettings,
        server: str,
        ended: Callable[[str], Awaitable[None]],
    ) -> None:
        self._fence = fence
        self._store = store
        self._runner = runner
        self._settings = settings
        self._server = server
        self._ended = ended
        self._running: dict[tuple[str, int], _Running] = {}
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def make(self, job: str) -> float | None:
        """Make the next attempt of a job; seconds to wait before the one after it, or None where the job has ended.

        Raises CancelledError where the job is to be attempted elsewhere.
        """
        if self._stopping:
            raise asyncio.CancelledError
        record = await self._insist(lambda: self._fence.begin(job, self._server))
        if record is None:
            await self._ended(job)
            return None
        running = _Running(record, asyncio.create_task(self._work(record)))
        key = (job, record.attempt)
        self._running[key] = running
        self._idle.clear()
        if self._stopping:
            running.break_off(Ending.STOPPED)
        try:
            return await self._see_through(running)
        finally:
            running.work.cancel()
            del self._running[key]
            if not self._running:
                self._idle.set()

    def running(self) -> dict[tuple[str, int], tuple[int, int] | None]:
        """Jobs and attempts that are made here, each with progress that was not taken yet."""
        taken = {key: each.progress for key, each in self._running.items()}
        for each in self._running.values():
            each.progress = None
        return taken

    def compare(self, asked: Collection[tuple[str, int]], records: Mapping[str, Record]) -> None:
        """Break off those attempts of `asked` that are no longer this server's, as `records` shows it."""
        for job, attempt in asked:
            running, now = self._running.get((job, attempt)), records.get(job)
            if running is None:
                continue
            if now is None or now.state.ended:
                running.break_off(Ending.ENDED)
            elif now.attempt != attempt:
                running.break_off(Ending.TAKEN)

    def break_off(self, job: str) -> None:
        """Kill a job that was ended by wish."""
        for (running_job, _), running in self._running.items():
            if running_job == job:
                running.break_off(Ending.ENDED)

    def surrender(self) -> None:
        """Kill everything: this server was declared dead, so others make it."""
        for running in self._running.values():
            running.break_off(Ending.TAKEN)

    async def stop(self) -> None:
        """Kill everything and hand it back. Nothing new begins."""
        self._stopping = True
        for running in self._running.values():
            running.break_off(Ending.STOPPED)
        await self._idle.wait()

    async def _work(self, record: Record) -> Outcome:
        def note(done: int, total: int) -> None:
            running = self._running.get((record.id, record.attempt))
            if running:
                running.progress = done, total

        request_id.set(record.id)  # In the logs, a job is a request of its own.
        with span(f"job {record.kind.value}", job=record.id, attempt=record.attempt):
            return await self._runner.run(record, record.attempt, note)

    async def _see_through(self, running: _Running) -> float | None:
        record, work = running.record, running.work
        limit = self._settings.timeout_s[record.kind]
        late = asyncio.get_running_loop().call_later(limit, running.break_off, Ending.LATE)
        try:
            await asyncio.wait({work})
        finally:
            late.cancel()
        if not work.cancelled():
            error = work.exception()
            if error is not None:
                return await self._judge(record, error)
            await self._keep(record, work.result())
            return None
        if running.ending is Ending.STOPPED:
            with suppress(StoreUnavailableError):  # Then it counts; the job is taken up all the same.
                await self._fence.hand_back(record.id, record.attempt)
            raise asyncio.CancelledError
        if running.ending in (Ending.ENDED, Ending.TAKEN):
            await self._give_up(record)
            return None
        return await self._judge(record, DeadlineExceededError("The work took too long."))

    async def _keep(self, record: Record, outcome: Outcome) -> None:
        kept = await self._insist(lambda: self._fence.succeed(record.id, record.attempt, outcome))
        metrics.JOB_ATTEMPTS.labels(record.kind.value, "ok").inc()
        await self._close(record, counted=kept)

    async def _judge(self, record: Record, error: BaseException) -> float | None:
        if isinstance(error, ServiceError):
            failure = Failure(error.reason, error.message)
            _log.warning("job %s, attempt %d: %s: %s", record.id, record.attempt, failure.reason, failure.message)
        else:
            failure = _BROKEN
            _log.error("job %s, attempt %d", record.id, record.attempt, exc_info=error)
        metrics.JOB_ATTEMPTS.labels(record.kind.value, failure.reason).inc()
        periods, counted = self._settings.periods, False
        if isinstance(error, InvalidRequestError):
            counted = await self._insist(lambda: self._fence.fail(record.id, record.attempt, failure))
        elif isinstance(error, StoreUnavailableError):  # No fault of the job's, however long it lasts.
            if await self._insist(lambda: self._fence.hand_back(record.id, record.attempt)):
                return periods.later[0]
        else:
            tries = await self._insist(lambda: self._fence.put_back(record.id, record.attempt, failure))
            if tries is not None and tries < ATTEMPTS:
                return (periods.later if isinstance(error, RetryableError) else periods.retry)[tries - 1]
            counted = tries is not None
        await self._close(record, counted=counted)
        return None

    async def _close(self, record: Record, *, counted: bool) -> None:
        """`counted`: whether this attempt has ended the job."""
        if counted:
            await self._ended(record.id)
        else:
            await self._give_up(record)

    async def _give_up(self, record: Record) -> None:
        """Leave nothing of an attempt that no longer counts."""
        with suppress(StoreUnavailableError):  # The sweep finds it.
            await self._store.delete_prefix(output_prefix(record.id, record.attempt))
        if not await self._insist(lambda: self._fence.has_ended(record.id)):
            raise asyncio.CancelledError

    async def _insist(self, write: Callable[[], Awaitable[T]]) -> T:
        """Write, as soon as the database answers again: what was done is not thrown away for that."""
        while True:
            try:
                return await write()
            except StoreUnavailableError:
                if self._stopping:
                    raise asyncio.CancelledError from None  # It is attempted again, by whoever finds the database.
                await asyncio.sleep(self._settings.periods.poll)
