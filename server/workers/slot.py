"""One place in the pool: a worker process, and the Pebble pool that keeps exactly it."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar, TypeVarTuple

from pebble import ProcessExpired, ProcessPool

from server import metrics
from server.errors import ProcessingFailedError, WorkerLostError

logger = logging.getLogger(__name__)
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

CONTEXT = get_context("forkserver")

# None of a worker's own limits ends it so: somebody, or the kernel in need of memory, killed it, or (255) the fork
# server, which all workers follow.
KILLED = {-signal.SIGKILL, 255}


class Slot:
    """A worker process that is replaced when it dies.

    One Pebble pool a worker, and not one for all: in Pebble 5.2 the death of an idle worker breaks its whole pool
    (`BrokenProcessPool`), a worker killed while it holds the channel's lock stalls every other for 60 s, and only
    so is it known which process is gone.
    """

    def __init__(self, initializer: Callable[..., None], initargs: tuple[object, ...]) -> None:
        self._initializer = initializer
        self._initargs = initargs
        self._pool: ProcessPool | None = None
        self.pid = 0

    async def start(self) -> None:
        """Start the worker and wait until it answers. Raises `BrokenProcessPool` when it dies first."""
        self._pool = ProcessPool(max_workers=1, initializer=self._initializer, initargs=self._initargs, context=CONTEXT)
        self.pid = await asyncio.wrap_future(self._pool.schedule(os.getpid))

    async def stop(self) -> None:
        """Kill the worker, whatever it does; when this returns it is gone."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(_stop, pool)

    async def run(self, function: Callable[[*Ts], T], *args: *Ts) -> T:
        """Run `function` in the worker; cancelling kills the worker.

        Raises `ProcessingFailedError` when the worker dies or goes over its limits, `WorkerLostError` when it is
        killed from outside, and what `function` raises.
        """
        try:
            return await self._submit(function, *args)
        except BrokenProcessPool:
            # The worker had died while it was idle: this task has not begun, and deserves a live one.
            logger.warning("worker %d died while idle", self.pid)
            metrics.WORKER_DEATHS.labels("idle").inc()
            await self.stop()
        try:
            await self.start()
            return await self._submit(function, *args)
        except BrokenProcessPool as error:
            raise ProcessingFailedError("The file could not be processed.") from error

    async def _submit(self, function: Callable[[*Ts], T], *args: *Ts) -> T:
        if self._pool is None or not self._pool.active:
            raise BrokenProcessPool("no live worker")
        try:
            result: T = await asyncio.wrap_future(self._pool.schedule(function, args=args))
        except ProcessExpired as error:
            logger.warning("worker %d died, exit code %s", self.pid, error.exitcode)
            metrics.WORKER_DEATHS.labels("killed" if error.exitcode in KILLED else "crashed").inc()
            if error.exitcode in KILLED:
                raise WorkerLostError("The service had to give the work up.") from error
            raise ProcessingFailedError("The file could not be processed.") from error
        except MemoryError as error:
            logger.warning("worker %d ran out of memory", self.pid)
            metrics.WORKER_DEATHS.labels("memory").inc()
            raise ProcessingFailedError("The file needs more memory than it may use.") from error
        return result


def _stop(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call] # Pebble annotates everything but this.
    pool.join()
