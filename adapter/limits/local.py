"""Counts requests by client in a moving window: exact, and bounded in memory."""

import math
import time
from array import array
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from adapter.limits.clients import Client

WINDOW_S = 60

# The most clients that are known one by one, about 30 MB of them; the others share a bucket with their neighbours.
_MAX_CLIENTS = 65_536
_SHARED_BUCKETS = 1_024


@dataclass(frozen=True)
class Standing:
    """How a client stands after a request."""

    allowed: bool
    limit: int
    remaining: int
    reset_s: int
    """Whole seconds until the oldest request that counts no longer does, 1 to 60; 0 where none counts."""


class Limiter(Protocol):
    """Allows each client so many requests a moving minute."""

    async def take(self, client: Client, limit: int | None = None) -> Standing:
        """Counts one request where it is allowed; a refused one does not count.

        `limit` is this client's own, where it has one; always the same for the same client.
        """
        ...

    async def look(self, client: Client) -> Standing:
        """How the client stands, nothing counted: `allowed` is whether one more request would be."""
        ...

    async def close(self) -> None:
        """Gives back connections."""
        ...


class LocalLimiter:
    """Counts in this process.

    Not with the memory store of `limits`: that one grows with every address, and visits all of them for each hit.
    """

    def __init__(
        self, limit: int, *, max_clients: int = _MAX_CLIENTS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limit = limit
        self._max_clients = max_clients
        self._clock = clock
        self._windows: OrderedDict[str, array[float]] = OrderedDict()  # The longest silent client first.

    @property
    def known_clients(self) -> int:
        """How many clients and shared buckets are held now."""
        return len(self._windows)

    async def take(self, client: Client, limit: int | None = None) -> Standing:
        """Counts one request."""
        return self.count(client, limit)

    async def look(self, client: Client) -> Standing:
        """Counts nothing."""
        return self.peek(client)

    def count(self, client: Client, limit: int | None = None) -> Standing:
        """Counts one request, at once."""
        now, limit = self._clock(), limit or self.limit
        self._forget_silent(now)
        name = self._bucket(client)
        times = self._windows.get(name) or array("d")
        _forget_old(times, now)
        allowed = len(times) < limit
        if allowed:
            times.append(now)
            self._windows[name] = times
            self._windows.move_to_end(name)
        return _describe(times, now, limit, allowed=allowed)

    def peek(self, client: Client) -> Standing:
        """How the client stands, at once."""
        now = self._clock()
        times = array("d", self._windows.get(self._bucket(client), ()))  # What is kept is never empty.
        _forget_old(times, now)
        return _describe(times, now, self.limit, allowed=len(times) < self.limit)

    async def close(self) -> None:
        """Nothing to give back."""

    def _forget_silent(self, now: float) -> None:
        while self._windows:
            name, times = next(iter(self._windows.items()))
            if times[-1] > now - WINDOW_S:
                return
            del self._windows[name]

    def _bucket(self, client: Client) -> str:
        if client.name in self._windows or len(self._windows) < self._max_clients:
            return client.name
        return f"shared {hash(client.neighbourhood) % _SHARED_BUCKETS}"


def _forget_old(times: "array[float]", now: float) -> None:
    while times and times[0] <= now - WINDOW_S:
        del times[0]


def _describe(times: "array[float]", now: float, limit: int, *, allowed: bool) -> Standing:
    reset_s = math.ceil(times[0] + WINDOW_S - now) if times else 0
    return Standing(allowed, limit, max(0, limit - len(times)), reset_s)
