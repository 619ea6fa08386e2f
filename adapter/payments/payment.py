"""A payment as the gate and the ledger see it, whatever rail it came over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True)
class PaymentFacts:
    """What is known of a payment, and kept in the ledger. Nothing here can be used to pay.

    Addresses are lower-case hex with 0x, 20 bytes. `keys` are the canonical names under which the payment can be spent
    only once, the first being its name in the ledger: for x402 `x402:<chain id>:<token>:<payer>:<nonce>`; for MPP the
    challenge's id and, as soon as it is known, the transaction's hash.
    """

    rail: str
    """`x402` or `mpp`."""
    network: str
    """CAIP-2 name of the chain, for example `eip155:8453`."""
    token: str
    payer: str
    recipient: str
    amount: int
    """In the token's base units."""
    keys: tuple[str, ...]
    expires_at: int | None
    """Unix time in seconds from which the chain refuses it; None where the money has moved already (MPP push)."""
    evidence: Mapping[str, str] = field(default_factory=dict)
    """What the rail needs to find the payment on its chain again: a nonce, a transaction's hash, a block number."""
    idempotency_key: str | None = None
    """The payer's own name for the request (x402 `payment-identifier`, `Idempotency-Key`), scoped to the payer."""
    proof: str = ""
    """Hex SHA-256 of what proves the payer's consent (signature, signed transaction): nonces and hashes are public once
    they are on the chain, so a replay must bring the same proof. Empty where the keys themselves are secret."""


@dataclass(frozen=True)
class Payment:
    """A credential that was read: its facts, and the rail's own form of it, which is never stored, logged or shown."""

    facts: PaymentFacts
    credential: object = field(repr=False)


@dataclass(frozen=True)
class Settlement:
    """The money has arrived. `transaction`: 0x and 64 hex digits."""

    transaction: str
    settled_at: int
    """Unix time in seconds."""


class Verdict(Enum):
    """What the chain says of a payment that is not settled."""

    OPEN = "open"  # It has not happened, and still may.
    VOID = "void"  # It has not happened, and never can: expired, reverted, or its nonce went elsewhere.


Outcome = Settlement | Verdict
