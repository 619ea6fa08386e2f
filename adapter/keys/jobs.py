"""Counts jobs: when they are accepted, once for each, and less again, once, where one ends without a result."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from adapter.keys.key import Key
from adapter.keys.schema import api_key_jobs
from adapter.keys.store import KeyStore, count_one, give_one_back

_j = api_key_jobs.c


@dataclass(frozen=True)
class CountedJob:
    """A job that was counted and may still be given back."""

    id: str
    key_id: str
    counted_at: float
    """Unix seconds."""


class JobCounts:
    """The jobs of all keys. All methods raise KeysUnavailableError when the database does not answer."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self.clock = store.clock

    async def count(self, key: Key, job_id: str) -> bool | None:
        """Counts a job, unless it was counted before: whether it is the first time; None where the quota is used up."""
        month, now = self._store.month().name, self._store.clock()

        def work(connection: Connection) -> bool | None:
            if connection.execute(select(_j.job).where(_j.job == job_id)).first() is not None:
                return False
            if count_one(connection, key, month) is None:
                return None
            row = {"job": job_id, "key": key.id, "month": month, "counted_at": now, "open": True}
            connection.execute(insert(api_key_jobs).values(row))
            return True

        return await self._store.run(work)

    async def count_again(self, key: Key, job_id: str) -> bool:
        """Counts a job that is at work under the id of one that has ended; False where the quota is used up.

        That is no retry: the service had forgotten the first. One that has not ended is counted no second time.
        """
        month, now = self._store.month().name, self._store.clock()

        def work(connection: Connection) -> bool:
            ended = (_j.job == job_id, _j.open.is_(False))
            if connection.execute(select(_j.job).where(*ended)).first() is None:
                return True
            if count_one(connection, key, month) is None:
                return False
            connection.execute(update(api_key_jobs).where(*ended).values(open=True, month=month, counted_at=now))
            return True

        return await self._store.run(work)

    async def give_back(self, job_id: str) -> None:
        """Counts a job less, once; whoever sees its end may call. A retry of its submission counts no second time."""
        closing = update(api_key_jobs).where(_j.job == job_id, _j.open).values(open=False)

        def work(connection: Connection) -> None:
            row = connection.execute(closing.returning(_j.key, _j.month)).first()
            if row is not None:
                give_one_back(connection, row.key, row.month)

        await self._store.run(work)

    async def close(self, job_id: str) -> None:
        """Notes that a job has its result: it stays counted."""
        statement = update(api_key_jobs).where(_j.job == job_id, _j.open).values(open=False)
        await self._store.run(lambda connection: connection.execute(statement))

    async def forget(self, job_id: str) -> None:
        """Counts a job less that was never accepted: its id is free again."""

        def work(connection: Connection) -> None:
            row = connection.execute(
                delete(api_key_jobs).where(_j.job == job_id, _j.open).returning(_j.key, _j.month)
            ).first()
            if row is not None:
                give_one_back(connection, row.key, row.month)

        await self._store.run(work)

    async def list_open(self, counted_before: float, limit: int) -> Sequence[CountedJob]:
        """Jobs that may still be given back, the oldest first. `counted_before`: Unix seconds."""
        statement = (
            select(_j.job, _j.key, _j.counted_at)
            .where(_j.open, _j.counted_at < counted_before)
            .order_by(_j.counted_at, _j.job)
            .limit(limit)
        )

        def work(connection: Connection) -> Sequence[CountedJob]:
            return [CountedJob(row.job, row.key, row.counted_at) for row in connection.execute(statement)]

        return await self._store.run(work)

    async def forget_closed(self, counted_before: float) -> None:
        """Removes what is of no more use: jobs that ended, and were counted before `counted_before`, Unix seconds."""
        statement = delete(api_key_jobs).where(_j.open.is_(False), _j.counted_at < counted_before)
        await self._store.run(lambda connection: connection.execute(statement))
