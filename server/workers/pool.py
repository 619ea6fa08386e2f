"""The pool of worker processes, seen from the event loop."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import forkserver
from typing import TypeVar, TypeVarTuple

from server import metrics
from server.errors import DeadlineExceededError, ProcessingFailedError, ServiceError, WorkerLostError
from server.workers.slot import CONTEXT, Slot
from telemetry.request import carry, origin

logger = logging.getLogger(__name__)
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

RESTART_PAUSE_S = 1.0


class WorkerPool:
    """Runs functions in a fixed number of worker processes. A worker that dies costs one request, no more."""

    def __init__(
        self,
        size: int,
        initializer: Callable[..., None],
        *initargs: object,
        preload: tuple[str, ...] = (),
        name: str = "calls",
    ) -> None:
        """`initializer(*initargs)` runs first in every worker; `preload` names modules that all workers share.

        `name`: of the pool, in the metrics.
        """
        self._slots = [Slot(initializer, initargs) for _ in range(size)]
        self._preload = preload
        metrics.WORKERS.labels(name).set(size)
        self._busy, self._waiting = metrics.WORKERS_BUSY.labels(name), metrics.QUEUE.labels(name)
        # Last in, first out: an idle pool lets most workers sleep, and their memory be paged out.
        self._free: asyncio.LifoQueue[Slot] = asyncio.LifoQueue()
        self._stops: set[asyncio.Task[None]] = set()
        self._revivals: set[asyncio.Task[None]] = set()

    @property
    def size(self) -> int:
        """How many workers there are."""
        return len(self._slots)

    @property
    def pids(self) -> set[int]:
        """Process ids of the workers."""
        return {slot.pid for slot in self._slots}

    async def start(self) -> None:
        """Start every worker. Call it from the main thread: the fork server dies with the thread that made it."""
        CONTEXT.set_forkserver_preload(list(self._preload))
        forkserver.ensure_running()
        await asyncio.gather(*(slot.start() for slot in self._slots))
        for slot in self._slots:
            self._free.put_nowait(slot)

    async def close(self) -> None:
        """Kill every worker; when this returns all are gone."""
        for task in self._revivals:
            task.cancel()
        await asyncio.gather(*self._revivals, return_exceptions=True)
        await asyncio.gather(*self._stops, *(slot.stop() for slot in self._slots))

    async def run(self, function: Callable[[*Ts], T], *args: *Ts, timeout_s: float) -> T:
        """Wait for a free worker and run `function(*args)` in it, `timeout_s` in all.

        Cancelling, and the end of the time, drop the task from the queue or kill its worker. When this returns or
        raises, no worker touches the task any more.

        Raises `DeadlineExceededError` when the time is up, `ProcessingFailedError` when the worker dies or goes
        over its limits, `WorkerLostError` when it is killed from outside, and what `function` raises.
        """
        try:
            async with asyncio.timeout(timeout_s) as limit:
                with self._waiting.track_inprogress():
                    slot = await self._free.get()
                with self._busy.track_inprogress():
                    return await self._run_in(slot, function, *args)
        except TimeoutError:
            if not limit.expired():
                raise
            raise DeadlineExceededError("The deadline passed before the result was ready.") from None

    async def _run_in(self, slot: Slot, function: Callable[[*Ts], T], *args: *Ts) -> T:
        reusable = False
        try:
            result = await slot.run(carry, origin(), function, *args)
            reusable = True
        except ServiceError as error:
            reusable = not isinstance(error, ProcessingFailedError | WorkerLostError)
            raise
        finally:
            if reusable:
                self._free.put_nowait(slot)
            else:
                await self._retire(slot)
        return result

    async def _retire(self, slot: Slot) -> None:
        """Kill the worker of `slot`, then, without waiting for it, start another."""
        stopping = _background(slot.stop(), self._stops)
        _background(self._revive(slot, stopping), self._revivals)
        await asyncio.shield(stopping)

    async def _revive(self, slot: Slot, stopping: asyncio.Task[None]) -> None:
        await asyncio.shield(stopping)
        while True:
            try:
                await slot.start()
            except (BrokenProcessPool, OSError):
                logger.exception("a worker could not be started; trying again")
                await slot.stop()
                await asyncio.sleep(RESTART_PAUSE_S)
            else:
                self._free.put_nowait(slot)
                return


def _background(work: Coroutine[None, None, None], tasks: set[asyncio.Task[None]]) -> asyncio.Task[None]:
    """Run `work`, kept alive by its place in `tasks` until it is done."""
    task = asyncio.create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task
