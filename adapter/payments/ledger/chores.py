"""What is done beside the requests: who leads, which outcomes are unknown, what has been kept long enough."""

from collections.abc import Callable

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, update

from adapter.payments.ledger.claim import Claim, State, read_claim, result_columns
from adapter.payments.ledger.database import Database
from adapter.payments.ledger.schema import claim_keys, claims, leases

_BATCH = 200  # Claims looked at in one round; the longest unseen come first.


class Chores:
    """The part of the ledger that the reconciler and the sweeper use. Raises StoreUnavailableError."""

    def __init__(self, database: Database, owner: str, clock: Callable[[], float]) -> None:
        self._database = database
        self._owner = owner
        self._clock = clock

    async def lead(self, name: str, lease_s: float) -> bool:
        """Whether this process is the one that does `name`, for the next `lease_s`."""
        now = self._clock()

        def work(connection: Connection) -> bool:
            free = or_(leases.c.owner == self._owner, leases.c.lease_until <= now)
            values = {"owner": self._owner, "lease_until": now + lease_s}
            taken = connection.execute(update(leases).where(leases.c.name == name, free).values(values))
            if taken.rowcount:
                return True
            if connection.execute(select(leases.c.name).where(leases.c.name == name)).first():
                return False
            connection.execute(insert(leases).values(name=name, **values))
            return True

        return await self._database.run(work)

    async def undecided(self) -> list[Claim]:
        """Claims whose money may have moved, and that nobody is at: those longest unseen, at most 200."""
        now = self._clock()
        orphaned = and_(claims.c.state == State.SETTLING.value, claims.c.lease_until <= now)
        which = or_(claims.c.state == State.UNKNOWN.value, orphaned)
        return await self._read(which)

    async def seen(self, claim: Claim) -> None:
        """Put `claim` at the end of the round."""
        statement = update(claims).where(claims.c.id == claim.id).values(checked_at=self._clock())
        await self._database.run(lambda connection: connection.execute(statement))

    async def dead(self) -> list[Claim]:
        """Claims before any broadcast that nobody is at and that can never be paid any more, at most 200."""
        now = self._clock()
        early = claims.c.state.in_([State.CLAIMED.value, State.VERIFIED.value, State.WORKED.value])
        return await self._read(
            and_(early, claims.c.lease_until <= now, or_(claims.c.verified_at.is_(None), claims.c.expires_at <= now))
        )

    async def stale(self, delivered_before: float, settled_before: float) -> list[Claim]:
        """Claims whose results are kept no longer: delivered, released, or never fetched; at most 200."""
        which = or_(
            and_(claims.c.state == State.DELIVERED.value, claims.c.delivered_at <= delivered_before),
            and_(
                claims.c.state.in_([State.SETTLED.value, State.WORKED.value]),
                claims.c.lease_until <= self._clock(),
                claims.c.changed_at <= settled_before,
            ),
            claims.c.state == State.RELEASED.value,
        )
        return await self._read(and_(which, claims.c.result_path.is_not(None)))

    async def drop_result(self, claim: Claim) -> None:
        """Note that the result of `claim` is gone; the payer's name for the request is free again."""
        path = claim.result.path if claim.result else None

        def work(connection: Connection) -> None:
            same = (claims.c.id == claim.id, claims.c.result_path == path)
            connection.execute(update(claims).where(*same).values(result_columns(None)))
            named = (claim_keys.c.claim == claim.id, claim_keys.c.key.startswith("idempotency:", autoescape=True))
            connection.execute(delete(claim_keys).where(*named))

        await self._database.run(work)

    async def forget_released(self, expired_before: float) -> int:
        """Delete claims that were released and that the chain refuses since `expired_before`; how many."""
        which = and_(
            claims.c.state == State.RELEASED.value,
            claims.c.expires_at <= expired_before,
            claims.c.result_path.is_(None),
        )
        return await self._database.run(lambda connection: connection.execute(delete(claims).where(which)).rowcount)

    async def _read(self, which: ColumnElement[bool]) -> list[Claim]:
        statement = select(claims).where(which).order_by(claims.c.checked_at).limit(_BATCH)
        return await self._database.run(
            lambda connection: [read_claim(row) for row in connection.execute(statement).mappings()]
        )
