"""The book of jobs, as attempts use it: every write holds only for the newest attempt of a job."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, case, select, update

from server.jobs.clock import now_s
from server.jobs.database import Database
from server.jobs.record import Failure, Outcome, Record, State
from server.jobs.rows import UNENDED, read_record
from server.jobs.schema import jobs
from server.jobs.settings import Retention

ATTEMPTS = 3
"""After so many a job has failed: what fails so often, or takes its server along, does so again."""

_CUT_OFF = Failure("PROCESSING_FAILED", "The work was cut off again and again.")


class Fence:
    """Raises StoreUnavailableError where the database does not answer."""

    def __init__(self, database: Database, retention: Retention, wall: Callable[[], float]) -> None:
        self._database = database
        self._retention = retention
        self._wall = wall

    async def begin(self, job: str, server: str) -> Record | None:
        """Begin the next attempt of a job, at `server`, and shut out every earlier one. None where it has ended.

        A job that has used up its attempts has failed hereby, with the last reason that is known.
        """

        def work(connection: Connection) -> Record | None:
            row = self._lock(connection, job)
            if row is None or row["state"] not in UNENDED:
                return None
            if row["tries"] >= ATTEMPTS:
                self._end(connection, row, State.FAILED, failure=row["failure"] or asdict(_CUT_OFF))
                return None
            begun = {"attempt": row["attempt"] + 1, "tries": row["tries"] + 1, "server": server}
            connection.execute(update(jobs).where(jobs.c.id == job).values(state=State.RUNNING.value, **begun))
            return self._record(connection, job)

        return await self._database.run(work)

    async def report(self, progress: Mapping[tuple[str, int], tuple[int, int]]) -> None:
        """Note how far attempts are: parts done, and parts in all. What would be less of the whole is not noted."""

        def work(connection: Connection) -> None:
            for (job, attempt), (done, total) in sorted(progress.items()):
                further = (jobs.c.total == 0) | (done * jobs.c.total >= jobs.c.done * total)
                statement = update(jobs).where(_held(job, attempt), further)
                connection.execute(statement.values(done=done, total=total))

        await self._database.run(work)

    async def succeed(self, job: str, attempt: int, outcome: Outcome) -> bool:
        """End a job with its result; False where another attempt, or a wish, was first."""
        result = asdict(outcome)
        return await self._finish(job, attempt, State.SUCCEEDED, result=result, done=_whole(), total=_whole())

    async def fail(self, job: str, attempt: int, failure: Failure) -> bool:
        """End a job without a result; False as `succeed`."""
        return await self._finish(job, attempt, State.FAILED, failure=asdict(failure))

    async def put_back(self, job: str, attempt: int, failure: Failure) -> int | None:
        """Let a job wait for its next attempt, and keep why. None as False of `succeed`.

        Returns how many attempts count so far; with `ATTEMPTS` of them the job has failed.
        """

        def work(connection: Connection) -> int | None:
            row = self._lock(connection, job)
            if row is None or not _holds(row, attempt):
                return None
            if row["tries"] >= ATTEMPTS:
                self._end(connection, row, State.FAILED, failure=asdict(failure))
            else:
                waiting = {"state": State.QUEUED.value, "failure": asdict(failure)}
                connection.execute(update(jobs).where(jobs.c.id == job).values(**waiting))
            return int(row["tries"])

        return await self._database.run(work)

    async def hand_back(self, job: str, attempt: int) -> bool:
        """Let a job wait for its next attempt as if this one had not been: its server stops. False as `succeed`."""
        values = {"state": State.QUEUED.value, "tries": jobs.c.tries - 1}
        statement = update(jobs).where(_held(job, attempt)).values(**values)
        return await self._database.run(lambda connection: connection.execute(statement).rowcount > 0)

    async def has_ended(self, job: str) -> bool:
        """Whether a job has ended, or is known no more."""
        which = (jobs.c.id == job) & jobs.c.deleted.is_(False) & jobs.c.state.in_(UNENDED)
        found = await self._database.run(lambda connection: connection.execute(select(jobs.c.id).where(which)).first())
        return found is None

    async def _finish(self, job: str, attempt: int, state: State, **values: object) -> bool:
        def work(connection: Connection) -> bool:
            row = self._lock(connection, job)
            if row is None or not _holds(row, attempt):
                return False
            self._end(connection, row, state, **values)
            return True

        return await self._database.run(work)

    def _end(self, connection: Connection, row: RowMapping, state: State, **values: object) -> None:
        ended = {"state": state.value, "ended": self._wall(), "ended_s": now_s(connection)}
        connection.execute(update(jobs).where(jobs.c.id == row["id"]).values(**ended, **values))

    def _lock(self, connection: Connection, job: str) -> RowMapping | None:
        query = select(jobs).where(jobs.c.id == job, jobs.c.deleted.is_(False)).with_for_update()
        return connection.execute(query).mappings().one_or_none()

    def _record(self, connection: Connection, job: str) -> Record:
        return read_record(connection.execute(select(jobs).where(jobs.c.id == job)).mappings().one(), self._retention)


def _holds(row: RowMapping, attempt: int) -> bool:
    return bool(row["state"] == State.RUNNING.value and row["attempt"] == attempt)


def _held(job: str, attempt: int) -> ColumnElement[bool]:
    return (jobs.c.id == job) & (jobs.c.attempt == attempt) & (jobs.c.state == State.RUNNING.value)


def _whole() -> ColumnElement[Any]:
    """All parts, where somebody has counted them; one part else."""
    return case((jobs.c.total > 0, jobs.c.total), else_=1)
