"""Which servers live: each beats in the database, and each looks whether the others do."""

import time
from collections.abc import Callable

from sqlalchemy import Connection, delete, insert, select, update

from database.presence import Sightings
from server.jobs.database import Database
from server.jobs.schema import servers
from server.jobs.settings import Periods


class Servers:
    """Raises StoreUnavailableError where the database does not answer."""

    def __init__(
        self, database: Database, me: str, periods: Periods, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._me = me
        self._sightings = Sightings(periods.dead, monotonic)

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
        beats = {str(row.id): int(row.beats) for row in rows}
        dead = self._sightings.look(beats) - {self._me}
        for server in dead:
            await self._remove(server, beats=beats[server])
        return beats.keys() - dead

    async def _remove(self, server: str, beats: int | None) -> None:
        which = servers.c.id == server
        statement = delete(servers).where(which if beats is None else which & (servers.c.beats == beats))
        await self._database.run(lambda connection: connection.execute(statement))
