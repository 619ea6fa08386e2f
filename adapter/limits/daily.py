"""The operator's gift to visitors: so many pictures a day for all of them together, and so many for each."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from limits import RateLimitItemPerDay
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError
from redis.asyncio import BlockingConnectionPool

from adapter import metrics
from adapter.limits.clients import Client
from adapter.limits.shared import ANSWER_S, open_redis

logger = logging.getLogger(__name__)

T = TypeVar("T")

_ALL = "all"


@dataclass(frozen=True)
class Allowance:
    """What is left of a day, which begins at midnight UTC."""

    per_day: int
    """Pictures for all visitors together."""
    left: int
    """Of those."""
    per_client: int
    left_for_client: int
    """At most `left`."""


class DailyBudget:
    """Counts what is given away. Only takers are remembered: no more of them than there are pictures in a day."""

    def __init__(self, url: str, per_day: int, per_client: int) -> None:
        """`url`: memory://, or redis:// for all replicas together."""
        self._pool: BlockingConnectionPool | None = None
        storage: Storage = MemoryStorage()
        if url != "memory://":
            storage, self._pool = open_redis(url)
        self._windows = FixedWindowRateLimiter(storage)
        self._day = RateLimitItemPerDay(per_day, namespace="clearcanvas-free")
        self._client = RateLimitItemPerDay(per_client, namespace="clearcanvas-free-client")

    async def look(self, client: Client) -> Allowance:
        """What is left; nothing while the counters do not answer."""
        left, own = await _ask(self._look(client), (0, 0))
        return Allowance(self._day.amount, left, self._client.amount, min(left, own))

    async def take(self, client: Client) -> bool:
        """Takes one picture for `client`, if there is one; what fails afterwards stays counted."""
        taken = await _ask(self._take(client), unknown=False)
        metrics.RATE_LIMITED.labels("free", "allowed" if taken else "refused").inc()
        return taken

    async def close(self) -> None:
        """Closes the connections to Redis."""
        if self._pool is not None:
            await self._pool.aclose()

    async def _look(self, client: Client) -> tuple[int, int]:
        today = _today()
        day = await self._windows.get_window_stats(self._day, today, _ALL)
        own = await self._windows.get_window_stats(self._client, today, client.name)
        return day.remaining, own.remaining

    async def _take(self, client: Client) -> bool:
        today = _today()
        if min(await self._look(client)) == 0:
            return False
        own = await self._windows.hit(self._client, today, client.name)
        return own and await self._windows.hit(self._day, today, _ALL)


async def _ask(question: Coroutine[None, None, T], unknown: T) -> T:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await question
    except (StorageError, TimeoutError) as error:
        logger.warning("nothing is given away: its counters do not answer (%s)", type(error).__name__)
        return unknown


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
