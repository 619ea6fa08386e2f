"""The book of jobs, as callers use it: entered once, looked up, ended by wish."""

from collections.abc import Callable, Collection

from sqlalchemy import Connection, insert, select, update

from server.errors import JobConflictError, JobNotFoundError
from server.jobs.clock import now_s
from server.jobs.database import Database
from server.jobs.record import Order, Record, State
from server.jobs.rows import UNENDED, new_row, read_record, visible_to
from server.jobs.schema import jobs
from server.jobs.settings import Retention

_BATCH = 500  # ids in one statement; SQLite takes 32,766.


class Book:
    """Raises StoreUnavailableError where the database does not answer."""

    def __init__(self, database: Database, retention: Retention, wall: Callable[[], float]) -> None:
        self._database = database
        self._retention = retention
        self._wall = wall

    async def enter(self, order: Order) -> Record:
        """The job of `order`, entered now where it is not yet. Raises JobConflictError."""

        def work(connection: Connection) -> Record:
            found = self._same(connection, order)
            if found:
                return found
            connection.execute(insert(jobs).values(**new_row(order, self._wall(), now_s(connection))))
            return self._read(connection, order.id, order.owner)

        return await self._database.run(work)

    async def same(self, order: Order) -> Record | None:
        """The job that `order` is already. Raises JobConflictError where another request has its id."""
        return await self._database.run(lambda connection: self._same(connection, order))

    async def get(self, job: str, owner: str) -> Record:
        """Raises JobNotFoundError."""
        return await self._database.run(lambda connection: self._read(connection, job, owner))

    async def find(self, ids: Collection[str]) -> dict[str, Record]:
        """Those of `ids` that exist still, whoever owns them."""
        wanted = list(ids)

        def work(connection: Connection) -> dict[str, Record]:
            found = {}
            for start in range(0, len(wanted), _BATCH):
                which = jobs.c.id.in_(wanted[start : start + _BATCH]) & jobs.c.deleted.is_(False)
                for row in connection.execute(select(jobs).where(which)).mappings():
                    found[row["id"]] = read_record(row, self._retention)
            return found

        return await self._database.run(work)

    async def cancel(self, job: str, owner: str) -> tuple[Record, bool]:
        """End a job that has not ended; as it stands then, and whether that was just now. Raises JobNotFoundError."""

        def work(connection: Connection) -> tuple[Record, bool]:
            ended = self._end(connection, job, owner)
            return self._read(connection, job, owner), ended

        return await self._database.run(work)

    async def delete(self, job: str, owner: str) -> Record:
        """End a job and hide it from everybody; as it was. Raises JobNotFoundError."""

        def work(connection: Connection) -> Record:
            record = self._read(connection, job, owner)
            self._end(connection, job, owner)
            hidden = {"deleted": True, "gone_s": now_s(connection)}
            connection.execute(update(jobs).where(visible_to(job, owner)).values(**hidden))
            return record

        return await self._database.run(work)

    async def confirm(self, job: str, owner: str, offset: int, length: int) -> None:
        """Note that bytes of the result have arrived; the last of them removes it. Raises JobNotFoundError."""

        def work(connection: Connection) -> None:
            record = self._read(connection, job, owner, lock=True)
            if record.result is None or not record.result.available:
                return
            mine = visible_to(job, owner)
            reached = update(jobs).where(mine, jobs.c.delivered >= offset, jobs.c.delivered < offset + length)
            connection.execute(reached.values(delivered=offset + length))
            all_of_it = update(jobs).where(mine, jobs.c.delivered >= record.result.size)
            connection.execute(all_of_it.values(gone_s=now_s(connection)))

        await self._database.run(work)

    def _same(self, connection: Connection, order: Order) -> Record | None:
        row = connection.execute(select(jobs).where(jobs.c.id == order.id)).mappings().one_or_none()
        if row is None:
            return None
        if row["deleted"] or row["owner"] != order.owner or row["digest"] != order.digest:
            raise JobConflictError("Another request was submitted with this id.", {"id": order.id})
        return read_record(row, self._retention)

    def _read(self, connection: Connection, job: str, owner: str, *, lock: bool = False) -> Record:
        query = select(jobs).where(visible_to(job, owner))
        row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
        if row is None:
            raise JobNotFoundError("There is no such job.")
        return read_record(row, self._retention)

    def _end(self, connection: Connection, job: str, owner: str) -> bool:
        ended = {"state": State.CANCELLED.value, "ended": self._wall(), "ended_s": now_s(connection)}
        going_on = visible_to(job, owner) & jobs.c.state.in_(UNENDED)
        return connection.execute(update(jobs).where(going_on).values(**ended)).rowcount > 0
