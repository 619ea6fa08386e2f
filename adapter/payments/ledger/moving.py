"""The transitions of a claim: each one conditional update, with its journal entries in the same transaction."""

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from adapter.payments.errors import PaymentInProgressError, PaymentSpentError
from adapter.payments.ledger.claim import PAID, Claim, State, StoredResult, facts_columns, read_claim, result_columns
from adapter.payments.ledger.journal import book_delivery, book_settlement
from adapter.payments.ledger.schema import claim_keys, claims
from adapter.payments.ledger.taking import idempotency_name
from adapter.payments.payment import PaymentFacts, Settlement

# Made once: to build a statement of 30 columns takes longer than to run it.
_MOVE = (
    update(claims)
    .where(
        claims.c.id == bindparam("known_id"),
        claims.c.fence == bindparam("known_fence"),
        claims.c.state == bindparam("known_state"),
    )
    .returning(claims)
)
_SETTLE = (
    update(claims)
    .where(claims.c.id == bindparam("known_id"), claims.c.state.in_([State.SETTLING.value, State.UNKNOWN.value]))
    .returning(claims)
)
_DELIVER = (
    update(claims).where(claims.c.id == bindparam("known_id"), claims.c.state == State.SETTLED.value).returning(claims)
)
_OWNERS = select(claim_keys.c.key, claim_keys.c.claim).where(claim_keys.c.key.in_(bindparam("wanted", expanding=True)))


class IdempotencyTakenError(Exception):
    """Another credential has brought the same idempotency key to `verified` first."""


def move(connection: Connection, claim: Claim, to: State, now: float, **values: object) -> Claim:
    """Move `claim` on, if it is still as its holder knows it.

    Raises PaymentInProgressError where the claim has been taken over: a holder that wakes late changes nothing.
    """
    known = {"known_id": claim.id, "known_fence": claim.fence, "known_state": claim.state.value}
    row = connection.execute(_MOVE, known | {"state": to.value, "changed_at": now} | values).mappings().one_or_none()
    if row is None:
        raise _taken_over()
    return read_claim(row)


def verify(connection: Connection, claim: Claim, facts: PaymentFacts, now: float) -> Claim:
    """claimed → verified: the facts are true now, so all their keys lead here.

    Raises PaymentSpentError and IdempotencyTakenError where one of them leads elsewhere, PaymentInProgressError.
    """
    idempotency = idempotency_name(facts)
    wanted = {*facts.keys, *([idempotency] if idempotency else [])}
    found = connection.execute(_OWNERS, {"wanted": sorted(wanted)})
    owners: dict[str, str] = {row.key: row.claim for row in found}
    foreign = {key for key, owner in owners.items() if owner != claim.id}
    if foreign - {idempotency}:
        raise PaymentSpentError("payment_spent", "This payment has been used with another credential.")
    if foreign:
        raise IdempotencyTakenError
    if missing := wanted - owners.keys():
        connection.execute(insert(claim_keys), [{"key": key, "claim": claim.id} for key in sorted(missing)])
    return move(connection, claim, State.VERIFIED, now, verified_at=now, **facts_columns(facts))


def keep(connection: Connection, claim: Claim, result: StoredResult, now: float) -> Claim:
    """verified → worked; a claim that was worked before gets its result anew, because the first one is lost."""
    if claim.state is State.VERIFIED:
        return move(connection, claim, State.WORKED, now, **result_columns(result))
    known = claim.result.path if claim.result else None
    statement = (
        update(claims)
        .where(claims.c.id == claim.id, claims.c.result_path.is_not_distinct_from(known))
        .values(result_columns(result))
        .returning(claims)
    )
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        raise PaymentInProgressError("payment_in_progress", "Another request has made this result again.")
    return read_claim(row)


def settle(connection: Connection, claim: Claim, settlement: Settlement, now: float) -> Claim:
    """settling or unknown → settled, whoever holds it: what the chain has told is true for every holder."""
    values = {
        "known_id": claim.id,
        "state": State.SETTLED.value,
        "transaction": settlement.transaction,
        "settled_at": settlement.settled_at,
        "lease_until": 0.0,
        "changed_at": now,
    }
    row = connection.execute(_SETTLE, values).mappings().one_or_none()
    if row is None:
        return _paid(connection, claim)
    settled = read_claim(row)
    book_settlement(connection, settled, now)
    return settled


def deliver(connection: Connection, claim: Claim, now: float) -> Claim:
    """settled → delivered; a claim that is delivered already stays as it is."""
    values = {"known_id": claim.id, "state": State.DELIVERED.value, "delivered_at": now, "changed_at": now}
    row = connection.execute(_DELIVER, values).mappings().one_or_none()
    if row is None:
        return _paid(connection, claim)
    delivered = read_claim(row)
    book_delivery(connection, delivered, now)
    return delivered


def forget(connection: Connection, claim: Claim, now: float) -> None:
    """claimed → nothing: an invalid credential leaves no trace. One that was released before is released again."""
    if claim.verified:
        move(connection, claim, State.RELEASED, now, lease_until=0.0)
    elif not discard(connection, claim):
        raise _taken_over()


def discard(connection: Connection, claim: Claim) -> bool:
    """claimed → nothing, whatever it was before: its credential has not been used. False where it is another's now."""
    mine = (claims.c.id == claim.id, claims.c.fence == claim.fence, claims.c.state == State.CLAIMED.value)
    return connection.execute(delete(claims).where(*mine)).rowcount == 1


def _paid(connection: Connection, claim: Claim) -> Claim:
    row = connection.execute(select(claims).where(claims.c.id == claim.id)).mappings().one_or_none()
    if row is None or row["state"] not in PAID:
        raise _taken_over()
    return read_claim(row)


def _taken_over() -> PaymentInProgressError:
    return PaymentInProgressError("payment_in_progress", "Another request has taken over this payment.")
