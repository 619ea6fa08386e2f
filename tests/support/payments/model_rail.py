"""Rails over the model chain: one that is settled after the work, and one whose payers have paid before they ask."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from adapter.payments.charge import Charge
from adapter.payments.errors import (
    MalformedPaymentError,
    OutcomeUnknownError,
    PaymentRequiredError,
    PaymentSpentError,
    RailUnavailableError,
)
from adapter.payments.payment import Outcome, Payment, PaymentFacts, Settlement, Verdict
from adapter.payments.rail import Challenge, Headers
from tests.support.payments.model_chain import ModelChain, Transfer

RECIPIENT = "0xshop"
PRICE = 50_000


@dataclass(frozen=True)
class Credential:
    """What a payer sends. `good`: whether its signature is right."""

    transfer: Transfer
    good: bool = True
    idempotency_key: str | None = None


@dataclass
class Faults:
    """What goes wrong at a rail next. `settle`: refused, lost_before or lost_after."""

    down: bool = False
    settle: str = ""


async def _no_step(_name: str) -> None:
    return


class ModelRail:
    """As x402: the payer signs, we broadcast."""

    name = "x402"
    margin_s = 10.0
    asks_life = True
    prepaid = False

    def __init__(self, chain: ModelChain, step: Callable[[str], Awaitable[None]] = _no_step) -> None:
        """`step` is awaited at each point where a process may die or wait."""
        self.chain = chain
        self.faults = Faults()
        self.settled: list[str] = []
        self.verified: list[str] = []
        self._step = step

    async def challenge(self, charge: Charge, refusal: tuple[str, str] | None = None) -> Challenge:
        return Challenge([("X-Price", f"{self.name} {charge.amount} {refusal and refusal[0]}")])

    async def parse(self, headers: Headers, charge: Charge) -> Payment | None:
        found = [value for name, value in headers if name == self.name]
        if len(found) > 1:
            raise MalformedPaymentError("duplicate_payment", "Twice.")
        return self.payment(Credential(Transfer("0xpayer", RECIPIENT, charge.amount, found[0]))) if found else None

    def payment(self, credential: Credential) -> Payment:
        """The payment that `credential` stands for, as `parse` reads it."""
        transfer = credential.transfer
        keys: tuple[str, ...] = (f"{self.name}:1:0xusd:{transfer.payer}:{transfer.nonce}",)
        if self.prepaid:
            keys = (f"{self.name}:1:{transfer.memo}", f"{self.name}:1:{transfer.transaction}")
        facts = PaymentFacts(
            rail=self.name,
            network="eip155:1",
            token="0xusd",  # noqa: S106
            payer=transfer.payer,
            recipient=transfer.recipient,
            amount=transfer.amount,
            keys=keys,
            expires_at=transfer.valid_before,
            evidence={"nonce": transfer.nonce},
            idempotency_key=credential.idempotency_key,
            proof=f"{transfer.nonce} {credential.good}",
        )
        return Payment(facts, credential)

    async def verify(self, payment: Payment, charge: Charge) -> PaymentFacts:
        await self._ask("verify")
        credential = _credential(payment)
        self.verified.append(credential.transfer.nonce)
        if not credential.good or credential.transfer.amount != charge.amount:
            raise PaymentRequiredError("invalid_signature", "The signature is wrong.")
        if isinstance(self._outcome(payment.facts), Settlement) or credential.transfer.nonce in self.chain.mined:
            raise PaymentSpentError("nonce_used", "The nonce is used.")
        if self.chain.balances.get(credential.transfer.payer, 0) < charge.amount:
            raise PaymentRequiredError("insufficient_funds", "The payer has too little.")
        await self._step("verified by the rail")
        return replace(payment.facts, evidence={**payment.facts.evidence, "seen": "yes"})

    async def settle(self, payment: Payment, charge: Charge) -> Settlement:
        fault, self.faults.settle = self.faults.settle, ""
        await self._step("before the broadcast")
        if fault == "refused":
            raise PaymentRequiredError("refused", "The node refuses the transaction.")
        if fault == "lost_before" or self.faults.down:
            raise OutcomeUnknownError("timeout", "No answer.")
        transfer = _credential(payment).transfer
        if transfer.nonce not in self.chain.mined:
            self.chain.send(transfer)
        if fault == "lost_after":
            raise OutcomeUnknownError("timeout", "No answer.")
        await self._step("after the broadcast")
        self.chain.mine()
        await self._step("after the block")
        outcome = self._outcome(payment.facts)
        if not isinstance(outcome, Settlement):
            raise PaymentRequiredError("reverted", "The transaction reverted.")
        self.settled.append(transfer.nonce)
        return outcome

    async def look_up(self, facts: PaymentFacts) -> Outcome:
        await self._ask("look up")
        return self._outcome(facts)

    def receipt(self, payment: Payment, settlement: Settlement) -> Mapping[str, str]:
        return {"X-Receipt": settlement.transaction}

    async def close(self) -> None:
        return

    async def _ask(self, what: str) -> None:
        await self._step(what)
        if self.faults.down:
            raise RailUnavailableError("node_down", "The node does not answer.")

    def _outcome(self, facts: PaymentFacts) -> Outcome:
        mined = self.chain.mined.get(facts.evidence["nonce"])
        if mined is not None:
            ours = mined.recipient == RECIPIENT and mined.amount == facts.amount
            return Settlement(mined.transaction, int(self.chain.now)) if ours else Verdict.VOID
        expired = facts.expires_at is not None and self.chain.now >= facts.expires_at
        return Verdict.VOID if expired else Verdict.OPEN


class PrepaidRail(ModelRail):
    """As MPP push: the transfer is on the chain, its memo the challenge; settling is only looking."""

    name = "mpp"
    margin_s = 4.0
    asks_life = False
    prepaid = True

    async def verify(self, payment: Payment, charge: Charge) -> PaymentFacts:
        await self._ask("verify")
        self.verified.append(_credential(payment).transfer.nonce)
        if _credential(payment).good and isinstance(self._outcome(payment.facts), Settlement):
            return payment.facts
        raise PaymentSpentError("foreign_memo", "The transfer is not this challenge's.")

    async def settle(self, payment: Payment, charge: Charge) -> Settlement:
        await self._ask("settle")
        self.faults.settle = ""
        outcome = self._outcome(payment.facts)
        if not isinstance(outcome, Settlement):
            raise OutcomeUnknownError("not_found", "The transfer is not there.")
        self.settled.append(_credential(payment).transfer.nonce)
        return outcome


def _credential(payment: Payment) -> Credential:
    assert isinstance(payment.credential, Credential)
    return payment.credential
