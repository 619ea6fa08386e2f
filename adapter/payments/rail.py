"""What a way to pay must offer. There are two: `adapter.payments.x402` and `adapter.payments.mpp`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from adapter.payments.charge import Charge
from adapter.payments.payment import Outcome, Payment, PaymentFacts, Settlement

Headers = Sequence[tuple[str, str]]
"""Header fields of a request or a response, in order; names in any case, the same name possibly more than once."""


@dataclass(frozen=True)
class Challenge:
    """A rail's part of a 402: response headers, and the body where the rail wants one."""

    headers: Headers
    body: bytes = field(default=b"", repr=False)
    content_type: str = ""


class Rail(Protocol):
    """One way to pay. Every method may be called from many requests at once, and none blocks the event loop."""

    name: str
    margin_s: float
    """Seconds before a payment's expiry at which its settlement must have begun, so that the chain still takes it."""
    asks_life: bool
    """Whether an offer says how long its payment is to live; else the payer's client chooses."""

    async def challenge(self, charge: Charge, refusal: tuple[str, str] | None = None) -> Challenge:
        """Offer to be paid for `charge`; `refusal` is (reason, message) of a credential that was just refused."""
        ...

    async def parse(self, headers: Headers, charge: Charge) -> Payment | None:
        """Read the credential in `headers`; None where there is none of this rail. Only the form is looked at.

        Nothing that time or a new configuration changes is judged here: the payer who comes back with a credential that
        was settled long ago must reach its claim. Raises MalformedPaymentError, also where the header comes twice.
        """
        ...

    async def verify(self, payment: Payment, charge: Charge) -> PaymentFacts:
        """Check that a fresh payment can pay for `charge`, changing nothing; return the facts as now known.

        First without the chain: amount, token, recipient, route, signature, dates. Then funds and the chain's state.
        Raises PaymentRequiredError, PaymentSpentError, RailUnavailableError.
        """
        ...

    async def settle(self, payment: Payment, charge: Charge) -> Settlement:
        """Take the money. Calling it again for the same payment never takes it twice.

        Raises PaymentRequiredError only where certainly nothing has moved and nothing of this attempt still can; else
        OutcomeUnknownError.
        """
        ...

    async def look_up(self, facts: PaymentFacts) -> Outcome:
        """Ask the chain what became of a payment. A used nonce proves nothing: our own Transfer event does.

        Raises RailUnavailableError.
        """
        ...

    def receipt(self, payment: Payment, settlement: Settlement) -> Mapping[str, str]:
        """Return the response headers that prove the settlement to this client, in its version of the protocol.

        The credential may be None: then they are made from what the ledger keeps.
        """
        ...

    async def close(self) -> None:
        """Give back connections and threads."""
        ...
