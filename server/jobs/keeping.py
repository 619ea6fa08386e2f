"""The book of jobs, as those use it who clear up after them."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from server.jobs.clock import advance, now_s
from server.jobs.database import Database
from server.jobs.record import Json, Record, State
from server.jobs.rows import UNENDED, read_record
from server.jobs.schema import jobs, strays
from server.jobs.settings import Retention

_BATCH = 200  # jobs in one round; the next round takes more.


@dataclass(frozen=True)
class Waiting:
    """A job that has not ended."""

    id: str
    kind: str


class Keeping:
    """Raises StoreUnavailableError where the database does not answer."""

    def __init__(self, database: Database, retention: Retention) -> None:
        self._database = database
        self._retention = retention

    async def advance(self, wall: float, period_s: float) -> None:
        """Move the service clock on."""
        await self._database.run(lambda connection: advance(connection, wall, period_s))

    async def expire(self) -> None:
        """Remove the results that nobody has fetched in time."""

        def work(connection: Connection) -> None:
            now = now_s(connection)
            old = jobs.c.ended_s <= now - self._retention.result.total_seconds()
            ready = (jobs.c.state == State.SUCCEEDED.value) & jobs.c.gone_s.is_(None)
            connection.execute(update(jobs).where(ready, old).values(gone_s=now))

        await self._database.run(work)

    async def untidy(self) -> list[Record]:
        """Jobs that have ended, and after which nobody has cleared up yet."""
        return await self._read(jobs.c.ended_s.is_not(None) & jobs.c.tidy.is_(False) & jobs.c.deleted.is_(False))

    async def tidied(self, job: str) -> None:
        """Note that somebody has."""
        await self._set(job, tidy=True)

    async def spent(self) -> list[Record]:
        """Jobs whose result was removed so long ago that nobody reads its files any more."""

        def work(connection: Connection) -> list[Record]:
            old = jobs.c.gone_s <= now_s(connection) - self._retention.files.total_seconds()
            return self._select(connection, old & jobs.c.files.is_(True))

        return await self._database.run(work)

    async def emptied(self, job: str) -> None:
        """Note that a job has no files any more."""
        await self._set(job, files=False)

    async def forget(self) -> None:
        """Delete the jobs that ended so long ago that nobody asks for them any more, and that have no files."""

        def work(connection: Connection) -> None:
            old = jobs.c.ended_s <= now_s(connection) - self._retention.record.total_seconds()
            empty = jobs.c.files.is_(False) | ((jobs.c.state != State.SUCCEEDED.value) & jobs.c.tidy.is_(True))
            connection.execute(delete(jobs).where(old, empty))

        await self._database.run(work)

    async def waiting(self, older_s: float) -> list[Waiting]:
        """Jobs that have not ended, and were accepted at least `older_s` ago."""

        def work(connection: Connection) -> list[Waiting]:
            which = jobs.c.state.in_(UNENDED) & (jobs.c.created_s <= now_s(connection) - older_s)
            query = select(jobs.c.id, jobs.c.kind).where(which).order_by(jobs.c.created_s)
            return [Waiting(row.id, row.kind) for row in connection.execute(query)]

        return await self._database.run(work)

    async def add_facts(self, job: str, facts: Json) -> bool:
        """Add to the facts of a result; False where it is gone."""

        def work(connection: Connection) -> bool:
            there = (jobs.c.id == job) & (jobs.c.state == State.SUCCEEDED.value) & jobs.c.gone_s.is_(None)
            result = connection.execute(select(jobs.c.result).where(there).with_for_update()).scalar_one_or_none()
            if result is None:
                return False
            wider = {**result, "facts": {**result["facts"], **facts}}
            connection.execute(update(jobs).where(jobs.c.id == job).values(result=wider))
            return True

        return await self._database.run(work)

    async def stray(self, prefixes: Collection[str]) -> list[str]:
        """Those of `prefixes`, which belong to no job, that were seen long ago already. The others are noted."""

        def work(connection: Connection) -> list[str]:
            now = now_s(connection)
            known = {str(row.prefix): float(row.seen_s) for row in connection.execute(select(strays))}
            connection.execute(delete(strays).where(strays.c.prefix.in_([*(known.keys() - set(prefixes))])))
            new = [{"prefix": prefix, "seen_s": now} for prefix in sorted(set(prefixes) - known.keys())]
            if new:
                connection.execute(insert(strays), new)
            before = now - self._retention.files.total_seconds()
            return [prefix for prefix in prefixes if known.get(prefix, now) <= before]

        return await self._database.run(work)

    async def _read(self, which: ColumnElement[bool]) -> list[Record]:
        return await self._database.run(lambda connection: self._select(connection, which))

    def _select(self, connection: Connection, which: ColumnElement[bool]) -> list[Record]:
        query = select(jobs).where(which).order_by(jobs.c.ended_s).limit(_BATCH)
        return [read_record(row, self._retention) for row in connection.execute(query).mappings()]

    async def _set(self, job: str, **values: bool) -> None:
        statement = update(jobs).where(jobs.c.id == job).values(**values)
        await self._database.run(lambda connection: connection.execute(statement))
