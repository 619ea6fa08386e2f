"""What was done to a name and what was refused."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from server.lifecycle.ports import Entry
from server.routing.database import RoutingDatabase
from server.routing.schema import changes

MOST = 100  # that are read


@dataclass(frozen=True)
class Change:
    """One of them. `time`: seconds since 1970. `subject`: versions, with shares where there are several."""

    time: float
    kind: str
    subject: str
    done: bool
    text: str


class Journal:
    """Raises `StoreUnavailableError` where the database does not answer."""

    def __init__(self, database: RoutingDatabase, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now

    def entry(self, name: str, kind: str, subject: str, *, done: bool, text: str) -> Entry:
        """What writes down that something was done to `name`, or refused: a part of a transaction."""
        row = insert(changes).values(time=self._now(), name=name, kind=kind, subject=subject, done=done, text=text)

        def write(connection: Connection) -> None:
            connection.execute(row)

        return write

    async def write(self, entry: Entry) -> None:
        """Write it down in a transaction of its own."""
        await self._database.run(entry)

    async def read(self, name: str) -> Sequence[Change]:
        """The newest, the newest first."""
        wanted = select(changes).where(changes.c.name == name).order_by(changes.c.id.desc()).limit(MOST)
        rows = await self._database.run(lambda connection: connection.execute(wanted).all())
        return [Change(row.time, row.kind, row.subject, row.done, row.text) for row in rows]
