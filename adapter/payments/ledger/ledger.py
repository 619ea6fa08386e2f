"""The ledger as the gate uses it: one method for each step of a claim, each one transaction in a thread."""

import secrets
import time
from collections.abc import Callable, Collection
from functools import partial

from sqlalchemy import Connection, select, update

from adapter.payments.charge import Charge
from adapter.payments.ledger import moving
from adapter.payments.ledger.chores import Chores
from adapter.payments.ledger.claim import HELD, Claim, State, StoredResult, read_claim
from adapter.payments.ledger.database import Database
from adapter.payments.ledger.figures import Figures, read_figures
from adapter.payments.ledger.schema import claims
from adapter.payments.ledger.taking import Taker, recall, retake, take
from adapter.payments.payment import PaymentFacts, Settlement


class Ledger:
    """Keeps every claim and the journal. All methods raise StoreUnavailableError when the database does not answer."""

    def __init__(self, url: str, *, owner: str | None = None, clock: Callable[[], float] = time.time) -> None:
        """`owner` names this process among all that share the database; `clock` gives Unix seconds.

        Raises ValueError where `url` names neither SQLite nor PostgreSQL.
        """
        self.url = url
        self.owner = owner or secrets.token_hex(8)
        self.clock = clock
        self._database = Database(url)
        self.chores = Chores(self._database, self.owner, clock)

    async def start(self) -> None:
        """Make the tables where they are missing."""
        await self._database.start()

    async def close(self) -> None:
        """Give back connections and threads, after the transactions in flight."""
        await self._database.close()

    async def take(self, facts: PaymentFacts, charge: Charge, lease_s: float) -> Claim:
        """The one claim that the payment leads to, held by this process unless it is paid. See `taking.take`."""

        def work(connection: Connection) -> Claim:
            return take(connection, facts, charge.operation, charge.digest, self._taker(lease_s))

        return await self._database.run(work)

    async def recall(self, facts: PaymentFacts, charge: Charge) -> Claim | None:
        """The claim that a credential was verified for, looked at only. See `taking.recall`."""
        return await self._database.run(lambda connection: recall(connection, facts, charge.digest))

    async def find(self, claim_id: str) -> Claim | None:
        """A claim as it stands; None where it is forgotten."""
        statement = select(claims).where(claims.c.id == claim_id)

        def work(connection: Connection) -> Claim | None:
            row = connection.execute(statement).mappings().one_or_none()
            return None if row is None else read_claim(row)

        return await self._database.run(work)

    async def figures(self) -> Figures:
        """How the ledger stands, in a few numbers."""
        return await self._database.run(partial(read_figures, now=self.clock()))

    async def retake(self, claim: Claim, lease_s: float) -> Claim | None:
        """Take a claim that nobody holds any more; None if that has changed since it was read."""

        def work(connection: Connection) -> Claim | None:
            return retake(connection, claim.id, claim.fence, self._taker(lease_s))

        return await self._database.run(work)

    async def renew(self, claim_ids: Collection[str], lease_s: float) -> None:
        """Hold these claims for another `lease_s`, as far as they are still this process's."""
        mine = (claims.c.owner == self.owner, claims.c.id.in_(claim_ids), claims.c.state.in_([*HELD]))

        def work(connection: Connection) -> None:
            connection.execute(update(claims).where(*mine).values(lease_until=self.clock() + lease_s))

        await self._database.run(work)

    async def verified(self, claim: Claim, facts: PaymentFacts) -> Claim:
        """claimed → verified. Raises PaymentSpentError, PaymentInProgressError, IdempotencyTakenError."""
        return await self._database.run(partial(moving.verify, claim=claim, facts=facts, now=self.clock()))

    async def keep(self, claim: Claim, result: StoredResult) -> Claim:
        """verified → worked. Raises PaymentInProgressError."""
        return await self._database.run(partial(moving.keep, claim=claim, result=result, now=self.clock()))

    async def settling(self, claim: Claim) -> Claim:
        """worked → settling, before anything is broadcast. Raises PaymentInProgressError."""
        return await self._move(claim, State.SETTLING)

    async def unknown(self, claim: Claim) -> Claim:
        """settling → unknown, held by nobody. Raises PaymentInProgressError."""
        return await self._move(claim, State.UNKNOWN, lease_until=0.0)

    async def put_down(self, claim: Claim) -> Claim:
        """Hold a worked claim no longer: whoever comes next settles it. Raises PaymentInProgressError."""
        return await self._move(claim, claim.state, lease_until=0.0)

    async def settled(self, claim: Claim, settlement: Settlement) -> Claim:
        """settling or unknown → settled, whoever holds it, and booked. Raises PaymentInProgressError."""
        return await self._database.run(partial(moving.settle, claim=claim, settlement=settlement, now=self.clock()))

    async def delivered(self, claim: Claim) -> Claim:
        """settled → delivered, and booked. Raises PaymentInProgressError."""
        return await self._database.run(partial(moving.deliver, claim=claim, now=self.clock()))

    async def release(self, claim: Claim) -> Claim:
        """Nothing was paid and nothing is held: the same request may claim it again. Raises PaymentInProgressError."""
        return await self._move(claim, State.RELEASED, lease_until=0.0)

    async def forget(self, claim: Claim) -> None:
        """Undo the taking of a claim that is not verified. Raises PaymentInProgressError."""
        await self._database.run(partial(moving.forget, claim=claim, now=self.clock()))

    async def discard(self, claim: Claim) -> None:
        """Forget a claim that is not verified, also one that was released before."""
        await self._database.run(partial(moving.discard, claim=claim))

    async def _move(self, claim: Claim, to: State, **values: object) -> Claim:
        now = self.clock()
        return await self._database.run(lambda connection: moving.move(connection, claim, to, now, **values))

    def _taker(self, lease_s: float) -> Taker:
        return Taker(self.owner, self.clock(), lease_s)
