"""Which servers live: each beats in the database, and each looks whether the others do."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from server.jobs.database import Database
from server.jobs.schema import servers
from server.jobs.settings import Periods


@dataclass(frozen=True)
class _Sight:
    beats: int
    since: float  # on this process's monotonic clock: no clock of a machine, and no two clocks, are compared


class Servers:
    """Raises StoreUnavailableError where the database does not answer."""

    def __init__(
        self, database: Database, me: str, periods: Periods, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._me = me
        self._periods = periods
        self._monotonic = monotonic
        self._seen: dict[str, _Sight] = {}
        self._looked = monotonic()

    async def beat(self) -> bool:
        """Say that this server lives; False where it had been declared dead, or was not known yet."""

        def work(connection: Connection) -> bool:
            mine = update(servers).where(servers.c.id == self._me).values(beats=servers.c.beats + 1)
            if connection.execute(mine).rowcount:
                return True
            connection.execute(insert(servers).values(id=self._me, beats=0))
            return False

        return await self._database.run(work)

    async def leave(self) -> None:
        """Say that this server stops: its jobs can be taken at once."""
        await self._remove(self._me, beats=None)

    async def living(self) -> set[str]:
        """The servers that live, after striking off those whose beat has stood still for too long."""
        rows = await self._database.run(lambda connection: connection.execute(select(servers)).all())
        now = self._monotonic()
        if now - self._looked > self._periods.dead / 2:
            self._seen.clear()  # Nobody looked for a while: who stood still in that time is not known.
        self._looked = now
        beats = {str(row.id): int(row.beats) for row in rows}
        seen = self._seen
        self._seen = {
            server: seen[server] if server in seen and seen[server].beats == count else _Sight(count, now)
            for server, count in beats.items()
        }
        dead = [s for s, sight in self._seen.items() if now - sight.since >= self._periods.dead and s != self._me]
        for server in dead:
            await self._remove(server, beats=beats[server])
            del self._seen[server]
        return beats.keys() - set(dead)

    async def _remove(self, server: str, beats: int | None) -> None:
        which = servers.c.id == server
        statement = delete(servers).where(which if beats is None else which & (servers.c.beats == beats))
        await self._database.run(lambda connection: connection.execute(statement))
