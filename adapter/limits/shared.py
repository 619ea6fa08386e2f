"""Counts requests by client in Redis, for all replicas together."""

import asyncio
import logging
import math
import time
from collections.abc import Coroutine

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError
from redis.asyncio import BlockingConnectionPool

from adapter import metrics
from adapter.limits.clients import Client
from adapter.limits.local import WINDOW_S, LocalLimiter, Standing

logger = logging.getLogger(__name__)

ANSWER_S = 2.0  # Redis takes a millisecond, and this process under load far longer; one that hangs is asked no more.
_CONNECTIONS = 16  # Each is held for a millisecond; a storm waits for one, and opens no thousands.
_PAUSE_S = 5.0  # Before a Redis that did not answer is asked again.
# What a process allows of the limit while it counts alone: there may be three replicas.
_ALONE = 3


def open_redis(url: str) -> tuple[RedisStorage, BlockingConnectionPool]:
    """Counters in Redis, and the connections to it, which whoever opens them closes."""
    pool = BlockingConnectionPool.from_url(url, max_connections=_CONNECTIONS, timeout=ANSWER_S)
    storage = RedisStorage(
        f"async+{url}",
        wrap_exceptions=True,
        implementation="redispy",
        connection_pool=pool,  # type: ignore[arg-type]  # Passed on to the client, which takes it.
    )
    return storage, pool


class SharedLimiter:
    """Counts in Redis; in this process, and stricter, while Redis does not answer."""

    def __init__(self, url: str, limit: int, namespace: str = "clearcanvas-unpaid") -> None:
        """`url`: redis://… or rediss://…; `limit`: requests a client and minute; `namespace`: what is counted."""
        storage, self._pool = open_redis(url)
        self._windows = MovingWindowRateLimiter(storage)
        self._limit, self._namespace = limit, namespace
        self._alone = LocalLimiter(max(1, limit // _ALONE))
        self._down = False
        self._ask_again_at = 0.0
        self._up = metrics.RATE_LIMIT_UP.labels(namespace.removeprefix("clearcanvas-"))
        self._up.set(1)

    async def take(self, client: Client, limit: int | None = None) -> Standing:
        """Counts one request."""
        limit = limit or self._limit
        standing = await self._ask(self._take(client, limit))
        return standing or self._alone.count(client, max(1, limit // _ALONE))

    async def look(self, client: Client) -> Standing:
        """Counts nothing."""
        return await self._ask(self._look(client)) or self._alone.peek(client)

    async def _ask(self, question: Coroutine[None, None, Standing]) -> Standing | None:
        """What Redis says; None where it does not answer."""
        if time.monotonic() < self._ask_again_at:
            question.close()
            return None
        try:
            async with asyncio.timeout(ANSWER_S):
                standing = await question
        except (StorageError, TimeoutError) as error:
            self._note_down(error)
            return None
        if self._down:
            self._down = False
            self._up.set(1)
            logger.warning("the store of the rate limit answers again")
        return standing

    async def _take(self, client: Client, limit: int) -> Standing:
        item = RateLimitItemPerMinute(limit, namespace=self._namespace)
        allowed = await self._windows.hit(item, client.name)
        return await self._describe(client, item, allowed=allowed)

    async def _look(self, client: Client) -> Standing:
        item = RateLimitItemPerMinute(self._limit, namespace=self._namespace)
        return await self._describe(client, item, allowed=await self._windows.test(item, client.name))

    async def _describe(self, client: Client, item: RateLimitItem, *, allowed: bool) -> Standing:
        stats = await self._windows.get_window_stats(item, client.name)
        reset_s = min(WINDOW_S, max(1, math.ceil(stats.reset_time - time.time())))
        return Standing(allowed, item.amount, max(0, stats.remaining), reset_s)

    def _note_down(self, error: Exception) -> None:
        self._ask_again_at = time.monotonic() + _PAUSE_S
        if not self._down:
            self._down = True
            self._up.set(0)
            logger.error(
                "the store of the rate limit does not answer (%s): each process counts alone, %d requests a minute",
                type(error).__name__,
                self._alone.limit,
            )

    async def close(self) -> None:
        """Closes the connections to Redis."""
        await self._pool.aclose()
