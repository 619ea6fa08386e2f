"""What became of a payment, asked without its credential: it has been paid for, it may yet be, or it never was."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from adapter.payments.charge import Charge
from adapter.payments.errors import PaymentInProgressError
from adapter.payments.ledger import Claim, Ledger, State
from adapter.payments.ledger.claim import HELD
from adapter.payments.limits import GateLimits
from adapter.payments.payment import Payment
from adapter.payments.rail import Rail


class Standing(Enum):
    """How a claim stands for those who do not hold it."""

    PAID = "paid"  # The money is here.
    HELD = "held"  # Somebody is at it.
    UNKNOWN = "unknown"  # It may be here: nobody is to pay anew.
    VOID = "void"  # It is not, and does not come unless its credential does.


@dataclass(frozen=True)
class Known:
    """What is known of a claim. `receipt`: the response headers that prove the settlement; empty before it."""

    standing: Standing
    receipt: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Inquiry:
    """Answers from the ledger. Raises StoreUnavailableError."""

    rails: Mapping[str, Rail]
    ledger: Ledger
    limits: GateLimits

    async def recognise(self, payment: Payment, charge: Charge) -> str | None:
        """The id of the claim that `payment` was verified for with the same charge, whoever holds it now.

        Raises PaymentRequiredError, PaymentSpentError, RailUnavailableError where only the payer's name for the request
        leads there, and `payment` is not good.
        """
        claim = await self.ledger.recall(payment.facts, charge)
        if claim is None:
            return None
        if claim.facts.keys[0] != payment.facts.keys[0]:
            await self.rails[payment.facts.rail].verify(payment, charge)
        return claim.id

    async def look(self, claim_id: str) -> Known:
        """How a claim stands. One that nobody is at and that nothing was broadcast for is given up: it is VOID then.

        After VOID, who held it can have nothing broadcast, however late it wakes.
        """
        claim = await self.ledger.find(claim_id)
        if claim is None or claim.state is State.RELEASED:
            return Known(Standing.VOID)
        if claim.settlement is not None:
            return Known(Standing.PAID, self._receipt(claim))
        if claim.state is State.UNKNOWN:
            return Known(Standing.UNKNOWN)
        if claim.state in HELD and claim.lease_until > self.ledger.clock():
            return Known(Standing.HELD)
        if claim.state is State.SETTLING:
            return Known(Standing.UNKNOWN)
        return Known(Standing.VOID if await self._give_up(claim) else Standing.HELD)

    async def deliver(self, claim_id: str) -> None:
        """Book the delivery of a claim that is settled; any other stays as it is."""
        claim = await self.ledger.find(claim_id)
        if claim is not None and claim.state is State.SETTLED:
            await self.ledger.delivered(claim)

    async def _give_up(self, claim: Claim) -> bool:
        """Release a claim that was left before its settlement; False where somebody has come back for it."""
        taken = await self.ledger.retake(claim, self.limits.lease_s)
        if taken is None:
            return False
        try:
            await self.ledger.release(taken)
        except PaymentInProgressError:
            return False
        return True

    def _receipt(self, claim: Claim) -> Mapping[str, str]:
        rail = self.rails.get(claim.facts.rail)
        if rail is None or claim.settlement is None:  # Taken out of the configuration: paid it is all the same.
            return {}
        return rail.receipt(Payment(claim.facts, None), claim.settlement)
