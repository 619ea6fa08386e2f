"""One thread that paints, and the requests that wait for it.

Triton's own thread only hands requests over: so the supervisor's question is answered while a picture is painted.
"""

import os
import queue
import threading
import time
import traceback
from collections.abc import Callable
from typing import Protocol


class Job(Protocol):
    """One request."""

    def run(self, on_step: Callable[[], None]) -> None:
        """Answer it, whatever becomes of it; call `on_step` after each step."""
        ...


class Painter:
    """Runs one job after the other."""

    def __init__(self, max_waiting: int, stall_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`stall_s`: how long one step may take."""
        self._waiting: queue.Queue[Job | None] = queue.Queue(max_waiting)
        self._stall_s = stall_s
        self._clock = clock
        self._moved: float | None = None
        self._thread = threading.Thread(target=self._work, name="painter", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> bool:
        """Take the job; False where too many wait."""
        try:
            self._waiting.put_nowait(job)
        except queue.Full:
            return False
        return True

    def stalled(self) -> bool:
        """Whether a job under way has not moved for too long."""
        moved = self._moved
        return moved is not None and self._clock() - moved > self._stall_s

    def close(self) -> None:
        """Let what waits be answered, and end."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._waiting.get()) is not None:
            ended = False
            self._step()
            try:
                job.run(self._step)
                ended = True
            finally:
                # Without this thread every request would wait for ever; without the process the supervisor comes.
                if not ended:
                    traceback.print_exc()
                    os._exit(1)
            self._moved = None

    def _step(self) -> None:
        self._moved = self._clock()
