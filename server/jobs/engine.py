"""DBOS: what was enqueued runs, and begins again elsewhere when its server dies. The only place that knows it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID
from dbos._error import DBOSAwaitedWorkflowCancelledError
from sqlalchemy.exc import SQLAlchemyError

from server.errors import StoreUnavailableError

T = TypeVar("T")

_log = logging.getLogger(__name__)
_dbos_log = logging.getLogger("dbos")

ERRANDS = "errands"
"""The queue of what is done after a job's end."""

_VERSION = "1"  # of the workflows below, not of the program: every server may take up every job.
_CONNECTIONS = 8  # of one server to PostgreSQL; a call takes milliseconds.
_PATIENCE_S = 10.0  # DBOS waits for a database without end; a caller does not.
# A server that was paused amid a transaction loses it: its locks would keep its jobs from all others.
_PAUSE_S = 5.0
_RUNNABLE = ("PENDING", "ENQUEUED", "DELAYED")
_THREADS = 4


@dataclass(frozen=True)
class Work:
    """What the engine calls, on the event loop that started it. Each may be called again after a crash."""

    attempt: Callable[[str], Awaitable[float | None]]
    """Makes an attempt of a job; seconds until the next, or None where it has ended."""
    errand: Callable[[str, str, int], Awaitable[float | None]]
    """Runs an errand of a job, by name, for the nth time; as `attempt`."""
    chores: Mapping[str, Callable[[], Awaitable[None]]]
    """What is done from time to time, by name."""


def log_bug(done: Future[Any] | asyncio.Task[Any]) -> None:
    """Say what ended something that nobody awaits."""
    if not done.cancelled() and (error := done.exception()):
        _log.error("a part of the jobs ended by a bug", exc_info=error)


class Engine:
    """One a process: DBOS has one instance. Raises StoreUnavailableError where the database does not answer."""

    def __init__(self, url: str, server: str, queues: Mapping[str, int], polling_s: float) -> None:
        """`queues`: how many of each run at once in this server. `server` names it in the database."""
        self._config: DBOSConfig = {
            "name": "clearcanvas",
            "system_database_url": url,
            "application_version": _VERSION,
            "executor_id": server,
            "serializer": DBOSPortableJSONSerializer(),
            "sys_db_pool_size": _CONNECTIONS,
            "sys_db_idle_transaction_timeout_sec": _PAUSE_S,
            "use_listen_notify": False,  # Nothing here sends or waits for a message.
            "enable_otlp": False,
            "log_level": "ERROR",
            "scheduler_polling_interval_sec": 5.0,
        }
        self._queues = queues
        self._polling_s = polling_s
        self._threads = ThreadPoolExecutor(_THREADS, "engine")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._job: Callable[[str], Coroutine[Any, Any, None]] | None = None
        self._errand: Callable[[str, str], Coroutine[Any, Any, None]] | None = None

    async def start(self, work: Work, crons: Mapping[str, str]) -> None:
        """Take part in the work. `crons`: when each of the chores is done, with seconds."""
        self._loop = asyncio.get_running_loop()
        _dbos_log.addFilter(_no_cancellation)
        await self._loop.run_in_executor(self._threads, self._launch, work, crons)

    async def close(self) -> None:
        """Take part no longer. What runs is cancelled, and stays to be taken up."""
        # What a queue hands out at this moment finds no event loop: DBOS calls that an error, the others take it up.
        _dbos_log.setLevel(logging.CRITICAL)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, partial(DBOS.destroy, destroy_registry=True))
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def enqueue(self, queue: str, job: str) -> None:
        """Let a job be attempted, by whichever server has room. Twice is once."""
        await self._call(partial(self._enqueue, queue, job, self._job, job))

    async def send(self, job: str, errand: str) -> None:
        """Let an errand be run. Twice is once."""
        await self._call(partial(self._enqueue, ERRANDS, f"{job}:{errand}", self._errand, job, errand))

    async def cancel(self, job: str) -> None:
        """Let a job that waits not be attempted any more."""
        await self._call(partial(DBOS.cancel_workflow, job))

    async def recover(self, living: Collection[str]) -> None:
        """Enqueue anew what runs at servers that are not `living`."""

        def work() -> None:
            running = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
            dead = {str(status.executor_id) for status in running} - set(living)
            if dead:
                DBOS._recover_pending_workflows(sorted(dead))

        await self._call(work)

    async def missing(self, jobs: Collection[str]) -> set[str]:
        """Those of `jobs` that neither run nor wait here."""

        def work() -> set[str]:
            status = list(_RUNNABLE)
            found = DBOS.list_workflows(workflow_ids=list(jobs), status=status, load_input=False, load_output=False)
            return set(jobs) - {each.workflow_id for each in found}

        return await self._call(work)

    async def renew(self, queue: str, job: str) -> None:
        """Enqueue a job whose run has ended although the job has not."""
        await self._call(partial(DBOS.delete_workflows, [job]))
        await self.enqueue(queue, job)

    async def forget(self, before: datetime, limit: int) -> int:
        """Delete what is known of at most `limit` runs that ended before; how many that were."""

        def work() -> int:
            ended = DBOS.list_workflows(
                status=["SUCCESS", "ERROR", "CANCELLED"],
                end_time=before.isoformat(),
                limit=limit,
                load_input=False,
                load_output=False,
            )
            DBOS.delete_workflows([each.workflow_id for each in ended])
            return len(ended)

        return await self._call(work)

    def _launch(self, work: Work, crons: Mapping[str, str]) -> None:
        DBOS(config=self._config)
        _dbos_log.handlers.clear()  # It has a format of its own; what it says goes where everything goes.
        _dbos_log.propagate = True
        attempt = DBOS.step(name="attempt")(self._here(work.attempt))
        errand = DBOS.step(name="errand")(self._here(work.errand))

        @DBOS.workflow(name="job", max_recovery_attempts=None)
        async def run_job(job: str) -> None:
            while (wait_s := await attempt(job)) is not None:
                await DBOS.sleep_async(wait_s)

        @DBOS.workflow(name="errand", max_recovery_attempts=None)
        async def run_errand(job: str, name: str) -> None:
            tries = 1
            while (wait_s := await errand(job, name, tries)) is not None:
                await DBOS.sleep_async(wait_s)
                tries += 1

        chores = {name: DBOS.step(name=name)(self._here(chore)) for name, chore in work.chores.items()}

        @DBOS.workflow(name="chore", max_recovery_attempts=None)
        async def run_chore(_scheduled: datetime, name: str) -> None:
            await chores[name]()

        self._job, self._errand = run_job, run_errand
        DBOS.launch()
        for queue, slots in self._queues.items():
            DBOS.register_queue(
                queue,
                worker_concurrency=slots,
                polling_interval_sec=self._polling_s,
                on_conflict="always_update",
            )
        DBOS.register_queue(ERRANDS, polling_interval_sec=self._polling_s, on_conflict="always_update")
        DBOS.apply_schedules(
            [
                {"schedule_name": name, "workflow_fn": run_chore, "schedule": cron, "context": name}
                for name, cron in crons.items()
            ]
        )

    def _here(self, function: Callable[..., Awaitable[T]]) -> Callable[..., Coroutine[Any, Any, T]]:
        """`function` for DBOS's event loop, running on ours."""

        loop = self._loop
        if loop is None:
            raise RuntimeError("the engine is not started")

        async def call(*arguments: object) -> T:
            async def run() -> T:
                return await function(*arguments)

            future = asyncio.run_coroutine_threadsafe(run(), loop)
            future.add_done_callback(log_bug)
            return await asyncio.wrap_future(future)

        return call

    def _enqueue(self, queue: str, name: str, function: Callable[..., Any] | None, *arguments: str) -> None:
        if function is None:
            raise RuntimeError("the engine is not started")
        with SetWorkflowID(name):
            DBOS.enqueue_workflow(queue, function, *arguments)

    async def _call(self, work: Callable[[], T]) -> T:
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await asyncio.shield(future)
        except (TimeoutError, SQLAlchemyError) as error:
            raise StoreUnavailableError("The store of jobs does not answer.") from error


def _no_cancellation(record: logging.LogRecord) -> bool:
    """Somebody's wish to cancel a job is no error; DBOS logs it as one, with its traceback."""
    return not (record.exc_info and isinstance(record.exc_info[1], DBOSAwaitedWorkflowCancelledError))
