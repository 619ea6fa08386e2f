"""How many jobs there are, in the metrics: of all servers, as the database has them."""

import asyncio
from contextlib import suppress

from sqlalchemy import Connection, func, select

from server import metrics
from server.errors import StoreUnavailableError
from server.jobs.clock import now_s
from server.jobs.database import Database
from server.jobs.record import Kind, State
from server.jobs.schema import jobs


class Census:
    """Counts jobs again and again."""

    def __init__(self, database: Database, period_s: float) -> None:
        self._database = database
        self._period_s = period_s

    async def run(self) -> None:
        """Count, until cancelled."""
        while True:
            with suppress(StoreUnavailableError):  # What was counted last stays.
                await self.count()
            await asyncio.sleep(self._period_s)

    async def count(self) -> None:
        """Count once. Raises StoreUnavailableError."""
        counted, waiting_s = await self._database.run(_count)
        for kind in Kind:
            metrics.JOBS_OLDEST_S.labels(kind.value).set(waiting_s.get(kind.value, 0.0))
            for state in State:
                metrics.JOBS.labels(kind.value, state.value).set(counted.get((kind.value, state.value), 0))


def _count(connection: Connection) -> tuple[dict[tuple[str, str], int], dict[str, float]]:
    c, now = jobs.c, now_s(connection)
    counts = select(c.kind, c.state, func.count()).where(c.deleted.is_(False)).group_by(c.kind, c.state)
    oldest = select(c.kind, func.min(c.created_s)).where(c.state == State.QUEUED.value).group_by(c.kind)
    counted = {(str(kind), str(state)): int(number) for kind, state, number in connection.execute(counts)}
    return counted, {str(kind): max(0.0, now - created) for kind, created in connection.execute(oldest)}
