"""The MPP rail: reads, checks and settles charges in pathUSD on Tempo."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import mpp

from adapter.payments.chain import Chain, Receipt
from adapter.payments.charge import Charge
from adapter.payments.errors import (
    OutcomeUnknownError,
    PaymentRequiredError,
    PaymentSpentError,
    RailUnavailableError,
)
from adapter.payments.mpp.config import MppConfig
from adapter.payments.mpp.credential import MppCredential, read_credential, read_idempotency_key
from adapter.payments.mpp.funds import check_funds
from adapter.payments.mpp.outcome import find_transfer, look_up
from adapter.payments.mpp.problems import CONTENT_TYPE, describe_problem
from adapter.payments.mpp.pull import Broadcaster
from adapter.payments.mpp.terms import Terms, expiry, write_header
from adapter.payments.mpp.transaction import TempoTransaction
from adapter.payments.payment import Outcome, Payment, PaymentFacts, Settlement, Verdict
from adapter.payments.rail import Challenge, Headers

_log = logging.getLogger(__name__)
_RECEIPT_POLL_S = 0.25


class MppRail:
    """Pays with `Authorization: Payment`, method tempo, intent charge. Close it when done."""

    name = "mpp"
    margin_s = 4.0  # The node's pool wants 3 s of life, and the request to it takes its time.
    asks_life = False

    def __init__(self, config: MppConfig) -> None:
        self._config = config
        self._terms = Terms(config)
        self._chain = Chain(config.rpc_url)
        self._broadcaster = Broadcaster(config)
        self._chain_is_ours = False

    async def start(self) -> None:
        """Look whether the node serves our network. Raises ValueError where it serves another.

        A node that is down does not hinder the start: then the first payment asks.
        """
        with suppress(RailUnavailableError):
            if not await self._is_our_chain():
                raise ValueError(f"rpc_url serves another chain than {self._config.network}")

    async def challenge(self, charge: Charge, refusal: tuple[str, str] | None = None) -> Challenge:
        """Offer to be paid for `charge`."""
        challenge = await self._terms.issue(charge)
        reason, message = refusal or ("payment_required", "Payment is required.")
        return Challenge(
            headers=(("WWW-Authenticate", write_header(challenge)),),
            body=describe_problem(reason, message, challenge.id),
            content_type=CONTENT_TYPE,
        )

    async def parse(self, headers: Headers, charge: Charge) -> Payment | None:
        """Read the credential's form. Its keys are the challenge, which can be paid once, and the transaction."""
        credential = read_credential(headers)
        if credential is None:
            return None
        chain_id = self._config.tempo.chain_id
        evidence = {"challenge": credential.challenge_id, "transaction": credential.hash}
        consent = credential.hash
        if credential.transaction is not None:
            evidence["valid_before"] = str(credential.transaction.valid_before)
            consent = credential.transaction.raw
        facts = PaymentFacts(
            rail=self.name,
            network=self._config.tempo.caip2,
            token=self._config.tempo.token,
            payer=credential.payer,
            recipient=self._config.recipient.lower(),
            amount=charge.amount,
            keys=(f"mpp:{chain_id}:{credential.challenge_id}", f"tempo:{chain_id}:{credential.hash[2:]}"),
            expires_at=None if credential.transaction is None else credential.transaction.valid_before,
            evidence=evidence,
            idempotency_key=read_idempotency_key(headers),
            proof=hashlib.sha256(consent.encode()).hexdigest(),
        )
        return Payment(facts, credential)

    async def verify(self, payment: Payment, charge: Charge) -> PaymentFacts:
        """Check challenge, route, body, signature and dates, then funds (pull) or the transfer itself (push)."""
        credential = _credential(payment)
        challenge = self._terms.recognise(credential)
        if not await self._is_our_chain():
            raise RailUnavailableError("chain_unavailable", "The payment network cannot be used now.")
        if credential.transaction is None:
            return await self._verify_push(payment.facts, challenge, charge)
        await self._terms.match(challenge, charge)
        payer = await self._broadcaster.check(credential, challenge, credential.transaction)
        facts = replace(
            payment.facts, payer=payer, expires_at=min(credential.transaction.valid_before, int(expiry(challenge)))
        )
        await self._check_funds(credential.transaction, facts)
        return facts

    async def settle(self, payment: Payment, charge: Charge) -> Settlement:
        """Broadcast (pull). A pushed payment has moved already: its settlement is read from the chain."""
        credential = _credential(payment)
        refused = None
        if credential.transaction is not None:
            try:
                sent_at = await self._broadcaster.send(credential, self._terms.recognise(credential))
                return Settlement(credential.hash, sent_at)
            except PaymentRequiredError as error:
                refused = error
            except OutcomeUnknownError:
                _log.info("asking the chain what became of a broadcast")
        try:
            outcome = await self.look_up(payment.facts)
        except RailUnavailableError:
            outcome = Verdict.OPEN
        if isinstance(outcome, Settlement):
            return outcome
        if outcome is Verdict.VOID:
            raise PaymentRequiredError(
                "verification_failed", "The transaction was reverted or has expired: nothing was paid."
            )
        raise refused or OutcomeUnknownError(
            "settlement_unknown", "The payment's outcome is not known yet. Send the same request again."
        )

    async def look_up(self, facts: PaymentFacts) -> Outcome:
        """Ask for the transaction's receipt, and in it for our own transfer."""
        return await look_up(self._chain, facts, self._config.realm)

    def receipt(self, payment: Payment, settlement: Settlement) -> Mapping[str, str]:
        """Return Payment-Receipt, made from the settlement alone: the same bytes every time."""
        settled_at = datetime.fromtimestamp(settlement.settled_at, UTC)
        return {"Payment-Receipt": mpp.Receipt.success(settlement.transaction, settled_at).to_payment_receipt()}

    async def close(self) -> None:
        """Close the connections to the node."""
        await self._broadcaster.close()
        await self._chain.close()

    async def _is_our_chain(self) -> bool:
        self._chain_is_ours = self._chain_is_ours or await self._chain.chain_id() == self._config.tempo.chain_id
        return self._chain_is_ours

    async def _verify_push(self, facts: PaymentFacts, challenge: mpp.Challenge, charge: Charge) -> PaymentFacts:
        """Refuse with 402 only what has certainly moved nothing: the payer of the rest has paid for something."""
        try:
            await self._terms.match(challenge, charge)
        except PaymentRequiredError as error:
            raise PaymentSpentError(error.reason, error.message) from None
        if time.time() > expiry(challenge) + self._config.redeem_s:
            raise PaymentSpentError("payment_expired", "This payment was made too long ago.")
        receipt = await self._await_receipt(facts.evidence["transaction"])
        if not receipt.succeeded:
            raise PaymentRequiredError("verification_failed", "The transaction was reverted: nothing was paid.")
        transfer = find_transfer(receipt, facts, self._config.realm)
        if transfer is None:
            raise PaymentSpentError("verification_failed", "The transaction does not pay for this challenge.")
        return replace(facts, payer=transfer.sender)

    async def _await_receipt(self, transaction: str) -> Receipt:
        deadline = time.monotonic() + self._config.receipt_wait_s
        while (receipt := await self._chain.receipt(transaction)) is None:
            if time.monotonic() >= deadline:
                raise RailUnavailableError("transaction_not_found", "The transaction is not on the chain yet.")
            await asyncio.sleep(_RECEIPT_POLL_S)
        return receipt

    async def _check_funds(self, transaction: TempoTransaction, facts: PaymentFacts) -> None:
        try:
            await check_funds(self._chain, transaction, facts.payer, facts.token, facts.amount)
        except PaymentRequiredError:
            # Unless its balance is short because the payer has sent this very transaction already.
            with suppress(RailUnavailableError):
                if isinstance(await self.look_up(facts), Settlement):
                    return
            raise


def _credential(payment: Payment) -> MppCredential:
    if not isinstance(payment.credential, MppCredential):
        raise TypeError("the payment is not of this rail")
    return payment.credential
