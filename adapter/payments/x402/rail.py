"""The x402 way to pay: challenge, parse, verify, settle, look up, receipt."""

import asyncio
import dataclasses
import logging
import time
from collections.abc import Mapping
from typing import Any

from web3 import Web3
from x402.http.utils import encode_payment_response_header
from x402.schemas import PaymentPayload, PaymentRequirements, SettleResponse

from adapter.payments.chain import Block, Chain
from adapter.payments.charge import Charge
from adapter.payments.errors import (
    OutcomeUnknownError,
    PaymentRequiredError,
    PaymentSpentError,
    RailUnavailableError,
)
from adapter.payments.payment import Outcome, Payment, PaymentFacts, Settlement, Verdict
from adapter.payments.rail import Challenge, Headers
from adapter.payments.x402.config import X402Config
from adapter.payments.x402.credential import Authorization, Credential, read_credential
from adapter.payments.x402.facilitator import Facilitator
from adapter.payments.x402.judge import judge
from adapter.payments.x402.local import LocalFacilitator
from adapter.payments.x402.offer import Offers
from adapter.payments.x402.remote import RemoteFacilitator

# A node behind a balancer may be some blocks ahead of the one that is asked next.
_BLOCK_SLACK = 30
# An hour of Base: no payment lives longer. Only for one that was never verified, and so has no block in its facts.
_LONGEST_LIFE_BLOCKS = 1800
# Two blocks of Base beyond the expiry, and a little: then no earlier block is replaced any more.
_EXPIRY_SLACK_S = 6


_log = logging.getLogger(__name__)


class _WrongChainError(RailUnavailableError):
    """The node is another chain's: whatever it says of a payment means nothing."""


class X402Rail:
    """x402 of both versions on one network. A version 1 payment is made one of version 2 as soon as it is read."""

    name = "x402"
    margin_s = 10.0
    asks_life = True

    def __init__(self, config: X402Config) -> None:
        self._config = config
        self._offers = Offers(config)
        self._chain = Chain(config.rpc_url)
        self._facilitator: Facilitator = (
            RemoteFacilitator(config, self._chain) if config.facilitator_url else LocalFacilitator(config)
        )
        self._chain_checked = False

    async def start(self) -> None:
        """Check what is configured and warm up. A node that does not answer is no reason not to start.

        Raises ValueError where node or facilitator serve another network.
        """
        await self._facilitator.start()
        try:
            await self._check_chain()
        except _WrongChainError as error:
            raise ValueError(str(error)) from None
        except RailUnavailableError:
            _log.warning("the x402 node does not answer yet; payments will wait for it")

    async def challenge(self, charge: Charge, refusal: tuple[str, str] | None = None) -> Challenge:
        """See `Rail.challenge`."""
        return self._offers.challenge(charge, refusal)

    async def parse(self, headers: Headers, charge: Charge) -> Payment | None:
        """See `Rail.parse`."""
        return read_credential(headers, self._config.network.token)

    async def verify(self, payment: Payment, charge: Charge) -> PaymentFacts:
        """See `Rail.verify`. The facts returned say from which block on a settlement is to be looked for."""
        credential = _credential(payment)
        judge(credential, charge, self._config, now=time.time(), margin_s=self.margin_s)
        await self._check_chain()
        head, reason = await asyncio.gather(
            self._chain.head(), self._facilitator.verify(*self._request(credential, charge))
        )
        if reason:
            await self._refuse(payment.facts, reason)
        evidence = {**payment.facts.evidence, "block": str(head.number)}
        return dataclasses.replace(payment.facts, evidence=evidence)

    async def settle(self, payment: Payment, charge: Charge) -> Settlement:
        """See `Rail.settle`."""
        facts = payment.facts
        try:
            await self._check_chain()
            if await self._is_used(facts):
                return await self._conclude(facts, "authorization_used", final=False)
            attempt = await self._facilitator.settle(*self._request(_credential(payment), charge))
            if attempt.transaction:
                return Settlement(attempt.transaction, int(time.time()))
            return await self._conclude(facts, attempt.reason, final=attempt.final)
        except RailUnavailableError:
            raise _unknown() from None

    async def look_up(self, facts: PaymentFacts) -> Outcome:
        """See `Rail.look_up`."""
        await self._check_chain()
        used = await self._is_used(facts)
        head = await self._chain.head()  # Only now: the event of a use that was just seen is not beyond it.
        if used:
            return await self._find_transfer(facts, head)
        if facts.expires_at is None or head.timestamp < facts.expires_at + _EXPIRY_SLACK_S:
            return Verdict.OPEN
        # Once more, and at the very block that is too late for it: another node may have been behind.
        return Verdict.OPEN if await self._is_used(facts, at_block=head.number) else Verdict.VOID

    def receipt(self, payment: Payment, settlement: Settlement) -> Mapping[str, str]:
        """See `Rail.receipt`."""
        credential = payment.credential
        known = str(credential.version) if isinstance(credential, Credential) else payment.facts.evidence.get("version")
        version_1 = known == "1"
        network = self._config.network
        response = SettleResponse(
            success=True,
            transaction=settlement.transaction,
            network=network.name if version_1 else network.caip2,
            payer=Web3.to_checksum_address(payment.facts.payer),
        )
        return {"X-PAYMENT-RESPONSE" if version_1 else "PAYMENT-RESPONSE": encode_payment_response_header(response)}

    async def close(self) -> None:
        """See `Rail.close`. Waits for settlements in flight."""
        await self._facilitator.close()
        await self._chain.close()

    async def _check_chain(self) -> None:
        if self._chain_checked:
            return
        if (served := await self._chain.chain_id()) != self._config.network.chain_id:
            _log.error("the x402 node serves chain %d, not %d", served, self._config.network.chain_id)
            raise _WrongChainError("wrong_chain", f"The x402 node serves chain {served}.")
        self._chain_checked = True

    async def _is_used(self, facts: PaymentFacts, *, at_block: int | None = None) -> bool:
        return await self._chain.authorization_used(
            facts.token, facts.payer, facts.evidence["nonce"], at_block=at_block
        )

    async def _refuse(self, facts: PaymentFacts, reason: str) -> None:
        """Raise what fits a bad payment: one that was spent must not be answered with a new challenge."""
        if await self._is_used(facts):
            raise PaymentSpentError("authorization_used", "This authorisation was used already.")
        raise PaymentRequiredError(reason, f"The payment was refused: {reason}.")

    async def _conclude(self, facts: PaymentFacts, reason: str, *, final: bool) -> Settlement:
        """Ask the chain what an attempt that did not simply succeed has come to."""
        outcome = await self.look_up(facts)
        if isinstance(outcome, Settlement):
            return outcome
        if outcome is Verdict.VOID or final:
            raise PaymentRequiredError(reason, f"The payment could not be settled: {reason}.")
        raise _unknown()

    async def _find_transfer(self, facts: PaymentFacts, head: Block) -> Outcome:
        """Return what a used authorisation was used for: our transfer, or something else."""
        seen_at = int(facts.evidence.get("block", head.number - _LONGEST_LIFE_BLOCKS))
        use = await self._chain.authorization_use(
            facts.token,
            facts.payer,
            facts.evidence["nonce"],
            first_block=max(0, seen_at - _BLOCK_SLACK),
            last_block=head.number,
        )
        if use is None:
            # Used, says the state, but no event of it: a node whose logs are behind its state.
            raise RailUnavailableError("chain_unavailable", "The payment network does not tell yet.")
        if use.transfer is None or (use.transfer.sender, use.transfer.recipient, use.transfer.amount) != (
            facts.payer,
            facts.recipient,
            facts.amount,
        ):
            return Verdict.VOID
        return Settlement(use.transaction, await self._chain.block_timestamp(use.block))

    def _request(self, credential: Credential, charge: Charge) -> tuple[PaymentPayload, PaymentRequirements]:
        requirements = self._offers.require(charge)
        payload = {
            "signature": credential.signature,
            "authorization": _spell(credential.authorization),
        }
        return PaymentPayload(payload=payload, accepted=requirements), requirements


def _spell(authorization: Authorization) -> dict[str, Any]:
    """Return the one spelling of an authorisation that facilitators get to see, as version 2 has it."""
    return {
        "from": Web3.to_checksum_address(authorization.payer),
        "to": Web3.to_checksum_address(authorization.recipient),
        "value": str(authorization.amount),
        "validAfter": str(authorization.valid_after),
        "validBefore": str(authorization.valid_before),
        "nonce": authorization.nonce,
    }


def _credential(payment: Payment) -> Credential:
    if not isinstance(payment.credential, Credential):
        raise TypeError("a payment of another rail")
    return payment.credential


def _unknown() -> OutcomeUnknownError:
    return OutcomeUnknownError(
        "settlement_pending", "The payment's outcome is not known yet. Send the same request again; do not pay anew."
    )
