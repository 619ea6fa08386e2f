"""Counts the work in flight, so that stopping loses none of it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from adapter import metrics
from adapter.errors import ShuttingDownError


class Lifecycle:
    """Whether the adapter takes new work, and how much is in flight."""

    def __init__(self) -> None:
        self.draining = False
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def work(self) -> Iterator[None]:
        """Counts one piece of work.

        Raises:
            ShuttingDownError: The adapter is draining.
        """
        if self.draining:
            message = "The service is shutting down. Try again later."
            raise ShuttingDownError(message)
        self._in_flight += 1
        metrics.IN_FLIGHT.inc()
        self._idle.clear()
        try:
            yield
        finally:
            self._in_flight -= 1
            metrics.IN_FLIGHT.dec()
            if not self._in_flight:
                self._idle.set()

    async def drain(self, timeout_s: float) -> int:
        """Refuses new work and waits for what is in flight; returns how much is left after `timeout_s`."""
        self.draining = True
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            return self._in_flight
        return 0
