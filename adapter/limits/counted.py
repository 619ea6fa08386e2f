"""A limiter whose answers are counted."""

from adapter import metrics
from adapter.limits.clients import Client
from adapter.limits.local import Limiter, Standing


class CountedLimiter:
    """Counts what another limiter allows and refuses."""

    def __init__(self, limiter: Limiter, name: str) -> None:
        """`name`: what is limited."""
        self._limiter = limiter
        self._name = name

    async def take(self, client: Client, limit: int | None = None) -> Standing:
        """Counts one request."""
        standing = await self._limiter.take(client, limit)
        metrics.RATE_LIMITED.labels(self._name, "allowed" if standing.allowed else "refused").inc()
        return standing

    async def look(self, client: Client) -> Standing:
        """How the client stands."""
        return await self._limiter.look(client)

    async def close(self) -> None:
        """Gives back connections."""
        await self._limiter.close()
