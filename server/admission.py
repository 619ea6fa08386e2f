"""Admission by memory: a permit is tried for, never queued for."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from server import metrics
from server.errors import OverloadedError, ShuttingDownError


class Admission:
    """Bounds the estimated memory of all requests in flight. For one event loop; never blocks."""

    def __init__(self, budget: int) -> None:
        """`budget`: bytes that all admitted requests together may be estimated at."""
        self._budget = budget
        metrics.MEMORY_BUDGET.set(budget)
        self._used = 0
        self._in_flight = 0
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def in_flight(self) -> int:
        """How many permits are held."""
        return self._in_flight

    @contextmanager
    def permit(self, cost: int) -> Iterator[None]:
        """Hold `cost` bytes of the budget.

        A request larger than the whole budget is admitted only while nothing else is in flight: refusing it for
        ever would be a lie, because `OverloadedError` promises that trying again helps.

        Raises `OverloadedError` beyond the budget and `ShuttingDownError` after `close`, both at once.
        """
        if self._closed:
            raise ShuttingDownError("The service is shutting down.")
        if self._in_flight and self._used + cost > self._budget:
            raise OverloadedError("The service is at its capacity.")
        self._used += cost
        self._in_flight += 1
        metrics.MEMORY.inc(cost)
        metrics.IN_FLIGHT.inc()
        self._idle.clear()
        try:
            yield
        finally:
            self._used -= cost
            self._in_flight -= 1
            metrics.MEMORY.dec(cost)
            metrics.IN_FLIGHT.dec()
            if not self._in_flight:
                self._idle.set()

    def close(self) -> None:
        """Refuse every further request; those in flight go on."""
        self._closed = True

    async def drained(self) -> None:
        """Return once nothing is in flight."""
        await self._idle.wait()
