"""Jobs that are sold: which payments lead to which job, and which one pays for it. Kept beside the ledger's tables."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    RowMapping,
    String,
    Table,
    Text,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)

from adapter.payments.charge import Charge
from adapter.payments.errors import StoreUnavailableError
from adapter.payments.ledger.claim import State
from adapter.payments.ledger.schema import claims
from database.transactions import Transactions

metadata = MetaData()

paid_jobs = Table(
    "paid_jobs",
    metadata,
    # Chosen at random, and the only thing that opens the result: a payment is seen by all on its chain.
    Column("job", String(36), primary_key=True),
    Column("operation", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("created_at", Float, nullable=False, index=True),
    # The claim that pays, and how often it had been taken when it was chosen to.
    Column("paid_by", String(32)),
    Column("paid_fence", Integer),
)

paid_job_claims = Table(
    "paid_job_claims",
    metadata,
    Column("claim", String(32), primary_key=True),
    Column("job", String(36), ForeignKey("paid_jobs.job", ondelete="CASCADE"), nullable=False),
    Index("paid_job_claims_by_job", "job"),
)

_j, _c = paid_jobs.c, paid_job_claims.c
# Claims that may still come to something.
_OPEN = [state.value for state in (State.CLAIMED, State.VERIFIED, State.WORKED, State.SETTLING, State.UNKNOWN)]


@dataclass(frozen=True)
class SoldJob:
    """A job that is sold. `amount` in millionths of a dollar."""

    id: str
    operation: str
    amount: int
    claims: tuple[str, ...]
    """Those whose credentials came with the order."""
    paid_by: str | None
    paid_fence: int | None


class SoldJobs(Transactions):
    """The jobs that are sold, in the ledger's database. All methods raise StoreUnavailableError."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives Unix seconds. Raises ValueError where `url` names neither SQLite nor PostgreSQL."""
        super().__init__(url, "ledger", metadata)
        self.clock = clock

    def _unavailable(self, *, busy: bool) -> StoreUnavailableError:
        reason = "ledger_busy" if busy else "ledger_unavailable"
        return StoreUnavailableError(reason, "The payment ledger does not answer.")

    async def find(self, job: str) -> SoldJob | None:
        """A job by its id."""
        return await self.run(lambda connection: _read(connection, job))

    async def find_for(self, claim: str) -> SoldJob | None:
        """The job that a claim leads to."""

        def work(connection: Connection) -> SoldJob | None:
            found = connection.execute(select(_c.job).where(_c.claim == claim)).scalar_one_or_none()
            return None if found is None else _read(connection, found)

        return await self.run(work)

    async def assign(self, claim: str, fence: int, charge: Charge, *, is_paid: bool) -> SoldJob:
        """The job that a claim leads to, from now on if it led to none; with `is_paid`, it has paid already."""
        new = str(uuid.uuid4())

        def work(connection: Connection) -> SoldJob:
            found = connection.execute(select(_c.job).where(_c.claim == claim)).scalar_one_or_none()
            if found is None:
                payer = (claim, fence) if is_paid else (None, None)
                self._insert(connection, new, (charge.operation, charge.amount), payer)
                connection.execute(insert(paid_job_claims).values(claim=claim, job=new))
            return _expect(connection, found or new)

        return await self.run(work)

    async def join(self, claim: str, job: str) -> SoldJob:
        """Have a claim lead to a job that another has ordered before."""

        def work(connection: Connection) -> SoldJob:
            if connection.execute(select(_c.job).where(_c.claim == claim)).first() is None:
                connection.execute(insert(paid_job_claims).values(claim=claim, job=job))
            return _expect(connection, job)

        return await self.run(work)

    async def renew(self, claim: str, fence: int, old: SoldJob, *, is_paid: bool) -> SoldJob:
        """Another job for a claim whose `old` one has come to nothing; `is_paid` as in `assign`."""
        new = str(uuid.uuid4())

        def work(connection: Connection) -> SoldJob:
            found = str(connection.execute(select(_c.job).where(_c.claim == claim)).scalar_one())
            if found != old.id:  # Another has been faster.
                return _expect(connection, found)
            self._insert(connection, new, (old.operation, old.amount), (claim, fence) if is_paid else (None, None))
            connection.execute(update(paid_job_claims).where(_c.claim == claim).values(job=new))
            return _expect(connection, new)

        return await self.run(work)

    async def choose(self, job: str, claim: str, fence: int) -> bool:
        """Have a job be paid by a claim, and by no other; False where another is to pay."""
        free = or_(_j.paid_by.is_(None), _j.paid_by == claim)
        statement = update(paid_jobs).where(_j.job == job, free).values(paid_by=claim, paid_fence=fence)
        return await self.run(lambda connection: connection.execute(statement).rowcount == 1)

    async def reconsider(self, sold: SoldJob) -> None:
        """Have a job be paid by nobody yet, if it is as it was read: certainly nothing was, or will be, paid so."""
        same = (_j.job == sold.id, _j.paid_by == sold.paid_by, _j.paid_fence == sold.paid_fence)
        statement = update(paid_jobs).where(*same).values(paid_by=None, paid_fence=None)
        await self.run(lambda connection: connection.execute(statement))

    async def forget(self, created_before: float) -> int:
        """Remove the jobs of which nothing can come any more: how many. `created_before`: Unix seconds."""
        ordered = select(_c.claim).where(_c.job == _j.job).correlate(paid_jobs)
        concerned = or_(claims.c.id == _j.paid_by, claims.c.id.in_(ordered))
        awaited = exists().where(concerned, claims.c.state.in_(_OPEN)).correlate(paid_jobs)
        statement = delete(paid_jobs).where(_j.created_at < created_before, ~awaited)
        return await self.run(lambda connection: connection.execute(statement).rowcount)

    def _insert(
        self, connection: Connection, job: str, what: tuple[str, int], payer: tuple[str, int] | tuple[None, None]
    ) -> None:
        row = {"operation": what[0], "amount": what[1], "paid_by": payer[0], "paid_fence": payer[1]}
        connection.execute(insert(paid_jobs).values(job=job, created_at=self.clock(), **row))


def _read(connection: Connection, job: str) -> SoldJob | None:
    row: RowMapping | None = connection.execute(select(paid_jobs).where(_j.job == job)).mappings().one_or_none()
    if row is None:
        return None
    ordered = connection.execute(select(_c.claim).where(_c.job == job).order_by(_c.claim)).scalars()
    return SoldJob(row["job"], row["operation"], row["amount"], tuple(ordered), row["paid_by"], row["paid_fence"])


def _expect(connection: Connection, job: str) -> SoldJob:
    found = _read(connection, job)
    if found is None:
        raise LookupError("the job was forgotten meanwhile")
    return found
