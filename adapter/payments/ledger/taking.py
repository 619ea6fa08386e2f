"""Who may take a claim: the rules by which any key of a payment leads to one claim, and one holder at a time."""

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from adapter.payments.errors import (
    OutcomeUnknownError,
    PaymentInProgressError,
    PaymentSpentError,
    RequestMismatchError,
)
from adapter.payments.ledger.claim import HELD, Claim, State, facts_columns, read_claim, result_columns
from adapter.payments.ledger.schema import claim_keys, claims
from adapter.payments.payment import PaymentFacts

# Made once: to build a statement of 30 columns takes longer than to run it.
_FIND = (
    select(claims)
    .where(claims.c.id.in_(select(claim_keys.c.claim).where(claim_keys.c.key.in_(bindparam("wanted", expanding=True)))))
    .with_for_update()
)
_INSERT = insert(claims).returning(claims)
_INSERT_KEY = insert(claim_keys)
_RETAKE = (
    update(claims)
    .where(claims.c.id == bindparam("known_id"), claims.c.fence == bindparam("known_fence"))
    .returning(claims)
)

_RETAKEN = {
    State.CLAIMED: State.CLAIMED,
    State.VERIFIED: State.CLAIMED,  # Verified long ago: funds may have gone since.
    State.RELEASED: State.CLAIMED,
    State.WORKED: State.WORKED,
    State.SETTLING: State.SETTLING,
    State.UNKNOWN: State.SETTLING,
}
"""Where a claim stands once it is taken over. Paid ones are not taken: who has the credential may read the result."""


@dataclass(frozen=True)
class Taker:
    """Who asks for a claim, and for how long. Times are Unix seconds."""

    owner: str
    now: float
    lease_s: float


def idempotency_name(facts: PaymentFacts) -> str | None:
    """The key under which the payer's own name for the request is kept: one payer's names cannot meet another's."""
    if facts.idempotency_key is None:
        return None
    scoped = "\n".join((facts.rail, facts.network, facts.payer, facts.idempotency_key))
    return f"idempotency:{hashlib.sha256(scoped.encode()).hexdigest()}"


def take(connection: Connection, facts: PaymentFacts, operation: str, digest: bytes, taker: Taker) -> Claim:
    """Return the one claim that the payment leads to, now held by `taker` unless it is paid already.

    It may be the claim of another credential with the same idempotency key; its name tells. Raises
    RequestMismatchError, PaymentSpentError, PaymentInProgressError, OutcomeUnknownError.
    """
    found = _find(connection, facts.keys)
    if found is None:
        known = _follow_idempotency(connection, facts, digest, taker)
        return known or _insert(connection, facts, operation, digest, taker)
    claim = read_claim(found)
    if not claim.verified:
        if claim.lease_until > taker.now:
            raise _in_progress()
        return _retake(connection, claim, taker, operation=operation, digest=digest, **facts_columns(facts))
    if not _same_credential(claim, facts):
        raise PaymentSpentError("payment_spent", "This payment has been used with another credential.")
    if claim.digest != digest:
        raise RequestMismatchError("request_mismatch", "This payment was first used for another request.")
    if claim.state not in _RETAKEN:
        return claim
    if claim.state in HELD and claim.lease_until > taker.now:
        raise _in_progress()
    return _retake(connection, claim, taker)


def _same_credential(claim: Claim, facts: PaymentFacts) -> bool:
    """Whether `facts` are of the credential that holds `claim`; once nothing came of that one, another may follow."""
    if claim.facts.keys[0] != facts.keys[0]:
        return False
    return claim.state is State.RELEASED or _is_very(claim, facts)


def _is_very(claim: Claim, facts: PaymentFacts) -> bool:
    return claim.facts.proof == facts.proof and set(facts.keys) <= set(claim.facts.keys)


def recall(connection: Connection, facts: PaymentFacts, digest: bytes) -> Claim | None:
    """The claim for `digest` that a credential, or its payer's name for the request, was verified for; takes nothing.

    What it finds by the name may be another credential's: whether that is the same payer's is to be verified.
    """
    found = _find(connection, facts.keys)
    if found is None:
        name = idempotency_name(facts)
        found = None if name is None else _find(connection, (name,))
        claim = None if found is None else read_claim(found)
    else:
        claim = read_claim(found)
        claim = claim if _is_very(claim, facts) else None
    return claim if claim is not None and claim.verified and claim.digest == digest else None


def retake(connection: Connection, claim_id: str, fence: int, taker: Taker) -> Claim | None:
    """Take a claim that nobody holds any more, as it was when it was read with `fence`; None if it has changed."""
    row = connection.execute(select(claims).where(claims.c.id == claim_id).with_for_update()).mappings().one_or_none()
    if row is None or row["fence"] != fence or (row["state"] in HELD and row["lease_until"] > taker.now):
        return None
    claim = read_claim(row)
    return _retake(connection, claim, taker) if claim.state in _RETAKEN else None


def _follow_idempotency(connection: Connection, facts: PaymentFacts, digest: bytes, taker: Taker) -> Claim | None:
    key = idempotency_name(facts)
    found = None if key is None else _find(connection, (key,))
    if found is None:
        return None
    claim = read_claim(found)
    if claim.digest != digest:
        raise RequestMismatchError("idempotency_mismatch", "This idempotency key was first used for another request.")
    if claim.state in _RETAKEN:
        if claim.state in HELD and claim.lease_until > taker.now:
            raise _in_progress()
        if claim.state in (State.SETTLING, State.UNKNOWN):
            raise OutcomeUnknownError("outcome_unknown", "The first payment of this request is not decided yet.")
        # Nothing was paid under this key and nobody is at it: it goes to the new credential. Should the old one come
        # back, it begins at the beginning, where it meets the new one.
        released = {"state": State.RELEASED.value, "fence": claim.fence + 1, "lease_until": 0.0}
        connection.execute(_RETAKE, {"known_id": claim.id, "known_fence": claim.fence} | released)
        connection.execute(delete(claim_keys).where(claim_keys.c.key == key))
        return None
    return claim


def _insert(connection: Connection, facts: PaymentFacts, operation: str, digest: bytes, taker: Taker) -> Claim:
    row: dict[str, object] = {
        "id": secrets.token_hex(16),
        **facts_columns(facts),
        "operation": operation,
        "digest": digest,
        "state": State.CLAIMED.value,
        "owner": taker.owner,
        "fence": 1,
        "lease_until": taker.now + taker.lease_s,
        "created_at": taker.now,
        "changed_at": taker.now,
        "checked_at": taker.now,
    }
    stored = connection.execute(_INSERT, row).mappings().one()
    # Only the name: the rest of the keys are believed, and written, once the credential is verified.
    connection.execute(_INSERT_KEY, {"key": facts.keys[0], "claim": row["id"]})
    return read_claim(stored)


def _retake(connection: Connection, claim: Claim, taker: Taker, **bound: object) -> Claim:
    values: dict[str, object] = {
        "state": _RETAKEN[claim.state].value,
        "owner": taker.owner,
        "fence": claim.fence + 1,
        "lease_until": taker.now + taker.lease_s,
        "changed_at": taker.now,
    }
    if values["state"] == State.CLAIMED:  # It begins anew; what an earlier holder has stored is not looked at again.
        values |= result_columns(None)
    which = {"known_id": claim.id, "known_fence": claim.fence}
    row = connection.execute(_RETAKE, which | values | bound).mappings().one_or_none()
    if row is None:
        raise _in_progress()
    return read_claim(row)


def _find(connection: Connection, keys: tuple[str, ...]) -> RowMapping | None:
    rows = connection.execute(_FIND, {"wanted": keys}).mappings().all()
    # The keys of one credential can lead to two claims only if one of them is not its own: it is spent either way.
    if len(rows) > 1:
        raise PaymentSpentError("payment_spent", "This payment has been used with another credential.")
    return rows[0] if rows else None


def _in_progress() -> PaymentInProgressError:
    return PaymentInProgressError("payment_in_progress", "Another request with this payment is being worked on.")
