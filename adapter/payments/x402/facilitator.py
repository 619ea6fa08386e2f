"""Who verifies and settles: this process (`local`) or somebody else's service (`remote`)."""

from dataclasses import dataclass
from typing import Protocol

from x402.schemas import PaymentPayload, PaymentRequirements


@dataclass(frozen=True)
class Attempt:
    """What came of trying to settle."""

    transaction: str = ""
    """Where our own transfer was seen in a mined transaction of this attempt, its hash."""
    reason: str = ""
    """A machine code; empty where `transaction` is set."""
    final: bool = False
    """Certainly nothing was moved by this attempt, and nothing of it still can be."""


class Facilitator(Protocol):
    """Verifies and settles payments of version 2."""

    async def start(self) -> None:
        """Do now what would delay the first payment. Raises ValueError where it serves another network or scheme."""
        ...

    async def verify(self, payload: PaymentPayload, requirements: PaymentRequirements) -> str:
        """Return why the payment is refused, as a machine code; empty where it is good.

        Raises RailUnavailableError.
        """
        ...

    async def settle(self, payload: PaymentPayload, requirements: PaymentRequirements) -> Attempt:
        """Try to settle. Raises nothing that is to do with the payment or the network: an `Attempt` says it."""
        ...

    async def close(self) -> None:
        """Give back connections and threads."""
        ...
