"""A claim: one credential, what it buys, and how far that has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping

from adapter.payments.payment import PaymentFacts, Settlement


class State(StrEnum):
    """How far a claim has come.."""

    CLAIMED = "claimed"  # Somebody holds it; the credential is not verified yet.
    VERIFIED = "verified"  # It is good, and the work may begin.
    WORKED = "worked"  # The result is stored.
    SETTLING = "settling"  # From here on the money may move.
    UNKNOWN = "unknown"  # It may have moved; the chain is asked until it tells.
    SETTLED = "settled"  # It has moved.
    DELIVERED = "delivered"  # And the payer has the result.
    RELEASED = "released"  # It has not moved, and nobody works on it: the same request may claim it again.


HELD = (State.CLAIMED, State.VERIFIED, State.WORKED, State.SETTLING)
"""States in which a claim belongs to one holder while the lease lasts."""

PAID = (State.SETTLED, State.DELIVERED)


@dataclass(frozen=True)
class StoredResult:
    """A result in the store. `size` in bytes; `headers` are the answer's, beside the type and the size."""

    path: str
    content_type: str
    size: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """One row of the ledger as it was read. `fence` is the number of times it has been taken so far."""

    id: str
    fence: int
    state: State
    facts: PaymentFacts
    operation: str
    digest: bytes
    lease_until: float
    verified: bool
    """Whether it ever was: until then what the credential says counts for nothing."""
    result: StoredResult | None
    settlement: Settlement | None


def read_claim(row: RowMapping | Mapping[str, Any]) -> Claim:
    """Make a claim of a row of `claims`."""
    return Claim(
        id=row["id"],
        fence=row["fence"],
        state=State(row["state"]),
        facts=PaymentFacts(
            rail=row["rail"],
            network=row["network"],
            token=row["token"],
            payer=row["payer"],
            recipient=row["recipient"],
            amount=row["amount"],
            keys=tuple(row["keys"]),
            expires_at=row["expires_at"],
            evidence=row["evidence"],
            idempotency_key=row["idempotency_key"],
            proof=row["proof"],
        ),
        operation=row["operation"],
        digest=bytes(row["digest"]),
        lease_until=row["lease_until"],
        verified=row["verified_at"] is not None,
        result=_read_result(row),
        settlement=None if row["transaction"] is None else Settlement(row["transaction"], row["settled_at"]),
    )


def facts_columns(facts: PaymentFacts) -> dict[str, object]:
    """The columns that hold the facts."""
    return {
        "name": facts.keys[0],
        "rail": facts.rail,
        "network": facts.network,
        "token": facts.token,
        "payer": facts.payer,
        "recipient": facts.recipient,
        "amount": facts.amount,
        "keys": list(facts.keys),
        "expires_at": facts.expires_at,
        "evidence": dict(facts.evidence),
        "idempotency_key": facts.idempotency_key,
        "proof": facts.proof,
    }


def result_columns(result: StoredResult | None) -> dict[str, object]:
    """The columns that hold a result, or its absence."""
    return {
        "result_path": result.path if result else None,
        "result_type": result.content_type if result else None,
        "result_size": result.size if result else None,
        "result_headers": dict(result.headers) if result else None,
    }


def _read_result(row: RowMapping | Mapping[str, Any]) -> StoredResult | None:
    if row["result_path"] is None:
        return None
    return StoredResult(row["result_path"], row["result_type"], row["result_size"], row["result_headers"])
