"""One paid request on its way: what it has bought, what it may do next, and what becomes of it when it ends."""

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace

from adapter.payments.charge import Charge
from adapter.payments.errors import (
    OutcomeUnknownError,
    PaymentError,
    PaymentInProgressError,
    PaymentRequiredError,
    PaymentSpentError,
    ResultExpiredError,
)
from adapter.payments.finishing import Finishing
from adapter.payments.ledger import Claim, Ledger, State, StoredResult
from adapter.payments.ledger.claim import HELD
from adapter.payments.ledger.moving import IdempotencyTakenError
from adapter.payments.limits import GateLimits
from adapter.payments.payment import Payment, Settlement, Verdict
from adapter.payments.rail import Rail
from adapter.payments.results import ResultInfo, ResultStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Desk:
    """What every ticket works with. `held`: ids and fences of the claims whose leases are renewed."""

    rails: Mapping[str, Rail]
    ledger: Ledger
    results: ResultStore
    limits: GateLimits
    finishing: Finishing
    held: set[tuple[str, int]]
    checkpoint: Callable[[str], None]


class Ticket:
    """Made by `Gate.open`. In order: work and `keep` unless `result` is there, `settle`, `read`, `delivered`."""

    def __init__(self, desk: Desk, payment: Payment, charge: Charge) -> None:
        self.result: ResultInfo | None = None
        """What an earlier request has made for this payment; None where the work is still to be done."""
        self.work_deadline_s = desk.limits.work_s
        """Seconds that the work may take from the moment the ticket was opened."""
        self._desk = desk
        self._payment = payment
        self._charge = charge
        self._rail = desk.rails[payment.facts.rail]
        self._claim: Claim | None = None
        self._resumed = False  # An earlier attempt may have broadcast.
        self._settling: asyncio.Task[Settlement] | None = None

    @property
    def holder(self) -> tuple[str, int]:
        """The id and the fence of the claim."""
        claim = self._held_claim()
        return claim.id, claim.fence

    @property
    def state(self) -> State:
        """How far the claim has come."""
        return self._held_claim().state

    def is_late(self) -> bool:
        """Whether the payment has not been settled, and is too near its end for the chain to take it."""
        claim, expires_at = self._held_claim(), self._payment.facts.expires_at
        if expires_at is None or claim.state not in (State.VERIFIED, State.WORKED):
            return False
        return self._desk.ledger.clock() + self._rail.margin_s >= expires_at

    async def enter(self) -> None:
        """Claim and verify. Called by the gate, to its end also when the client goes away."""
        try:
            await self._enter()
        except IdempotencyTakenError:
            # Another credential has bought the same meanwhile: this one is not spent, and holds nothing.
            await self._discard()
            try:
                await self._enter()
            except IdempotencyTakenError as error:
                message = "Another request of the same name is being worked on."
                raise PaymentInProgressError("payment_in_progress", message) from error

    async def _enter(self) -> None:
        desk = self._desk
        claim = await desk.ledger.take(self._payment.facts, self._charge, desk.limits.lease_s)
        own = claim.facts.keys[0] == self._payment.facts.keys[0]
        if not own:  # The payer's own name for the request led here: the first payment has bought it.
            await self._rail.verify(self._payment, self._charge)
        self._hold(claim)
        if own and claim.state is State.CLAIMED:
            desk.checkpoint("claimed")
            await self._verify_held(claim)
        elif own:
            self._payment = replace(self._payment, facts=claim.facts)
        self._resumed = claim.state is State.SETTLING
        await self._find_result()

    async def _verify_held(self, claim: Claim) -> None:
        try:
            await self._verify(claim)
        except (PaymentRequiredError, PaymentSpentError):
            # Who has taken over meanwhile may have had the money moved, or be about to: then nobody is to pay anew.
            await self._desk.ledger.forget(claim)
            await self._let_go(claim)
            raise

    async def _verify(self, claim: Claim) -> None:
        self._limit_work()
        facts = await self._rail.verify(self._payment, self._charge)
        self._payment = replace(self._payment, facts=facts)
        self._limit_work()
        self._hold(await self._desk.ledger.verified(claim, facts))
        self._desk.checkpoint("verified")

    def _limit_work(self) -> None:
        """Refuse what expires before the work can be done and settled."""
        expires_at = self._payment.facts.expires_at
        if expires_at is None:
            return
        left_s = expires_at - self._desk.ledger.clock() - self._rail.margin_s
        if left_s < self._desk.limits.work_s + (self._charge.work_s if self._rail.asks_life else 0):
            raise PaymentRequiredError("payment_expires_too_soon", "This payment expires before the work can be done.")

    async def _find_result(self) -> None:
        claim = self._held_claim()
        stored = claim.result
        if stored is not None and await self._desk.results.has(stored):
            self.result = ResultInfo(stored.content_type, stored.size, stored.headers)
        elif claim.state is State.DELIVERED:
            raise ResultExpiredError(
                "result_expired", "The result of this payment was delivered and is kept no longer."
            )

    async def keep(self, info: ResultInfo, chunks: AsyncIterable[bytes]) -> None:
        """Store the finished result, streaming; nobody sees it before it is paid for.

        Raises StoreUnavailableError, PaymentInProgressError; ValueError where `chunks` are not `info.size` bytes.
        """
        claim = self._held_claim()
        stored = await self._desk.results.put(claim, info, chunks)
        await self._desk.finishing.run(self._kept(claim, stored))
        self.result = info
        self._desk.checkpoint("worked")

    async def _kept(self, claim: Claim, stored: StoredResult) -> None:
        self._hold(await self._desk.ledger.keep(claim, stored))

    async def settle(self) -> Settlement:
        """Take the money, unless it was taken before. Goes on to its end when this call is cancelled.

        Raises PaymentRequiredError where it certainly did not move; OutcomeUnknownError, StoreUnavailableError and
        PaymentInProgressError where the same request should come again.
        """
        settlement = self._held_claim().settlement
        if settlement is not None:
            return settlement
        if self._settling is None:
            self._settling = self._desk.finishing.start(self._settle())
        return await asyncio.shield(self._settling)

    async def _settle(self) -> Settlement:
        desk, claim = self._desk, self._held_claim()
        if claim.state is State.WORKED:
            claim = await desk.ledger.settling(claim)
            self._hold(claim)
        desk.checkpoint("settling")
        settlement = await self._look_up(claim) if self._resumed else None
        if settlement is None:
            settlement = await self._take_money(claim)
        self._hold(await desk.ledger.settled(claim, settlement))
        desk.checkpoint("settled")
        return settlement

    async def _look_up(self, claim: Claim) -> Settlement | None:
        """What became of an earlier attempt; None where it may still be tried. Raises PaymentRequiredError."""
        outcome = await self._rail.look_up(claim.facts)
        if isinstance(outcome, Settlement):
            return outcome
        if outcome is Verdict.VOID:
            self._hold(await self._desk.ledger.release(claim))
            raise PaymentRequiredError("payment_void", "This payment has not moved any money, and never can.")
        return None

    async def _take_money(self, claim: Claim) -> Settlement:
        try:
            async with asyncio.timeout(self._desk.limits.settle_s):
                return await self._rail.settle(self._payment, self._charge)
        except TimeoutError as error:
            raise _unknown() from error
        except (PaymentRequiredError, PaymentSpentError) as error:
            if self._resumed:  # It speaks of this attempt alone; an earlier one may still be mined.
                raise _unknown() from error
            self._hold(await self._desk.ledger.release(claim))
            raise

    def receipt(self) -> Mapping[str, str]:
        """The response headers that prove the settlement."""
        return self._rail.receipt(self._payment, self._settlement())

    async def read(self) -> AsyncIterator[bytes]:
        """The bytes of the result, in pieces. Raises StoreUnavailableError before the first."""
        self._settlement()
        stored = self._held_claim().result
        if stored is None:
            raise RuntimeError("read() before keep()")
        async for chunk in self._desk.results.read(stored):
            yield chunk

    async def delivered(self) -> None:
        """Note that the payer has the result. Raises StoreUnavailableError."""
        claim = self._held_claim()
        if claim.state is State.SETTLED:
            self._hold(await self._desk.finishing.run(self._desk.ledger.delivered(claim)))
            self._desk.checkpoint("delivered")

    async def leave(self) -> None:
        """Give back what is not paid for. Called by the gate, however the request has ended."""
        if self._settling is not None and not self._settling.done():
            self._desk.finishing.start(self._leave_after(self._settling))
            return
        claim, ledger = self._claim, self._desk.ledger
        if claim is None:
            return
        try:
            match claim.state:
                case State.CLAIMED:
                    await ledger.forget(claim)
                case State.VERIFIED:
                    await ledger.release(claim)
                case State.WORKED:
                    await ledger.put_down(claim)
                case State.SETTLING:
                    await ledger.unknown(claim)
                case _:
                    pass
            if claim.state in (State.CLAIMED, State.VERIFIED, State.RELEASED) and claim.verified:
                await self._desk.results.delete(claim)
        except PaymentError as error:  # The lease runs out, and whoever comes next takes over.
            _log.warning("claim %s was left as it is: %s", claim.id, error.reason)
        finally:
            self._desk.held.discard((claim.id, claim.fence))

    async def _leave_after(self, settling: asyncio.Task[Settlement]) -> None:
        await asyncio.wait({settling})
        await self.leave()

    async def _discard(self) -> None:
        claim = self._held_claim()
        await self._desk.ledger.discard(claim)
        await self._let_go(claim)

    async def _let_go(self, claim: Claim) -> None:
        self._desk.held.discard((claim.id, claim.fence))
        self._claim = None
        if claim.verified:  # Else it never had a result.
            await self._desk.results.delete(claim)

    def _hold(self, claim: Claim) -> None:
        self._claim = claim
        if claim.state in HELD:
            self._desk.held.add((claim.id, claim.fence))
        else:
            self._desk.held.discard((claim.id, claim.fence))

    def _held_claim(self) -> Claim:
        if self._claim is None:
            raise RuntimeError("the ticket is not open")
        return self._claim

    def _settlement(self) -> Settlement:
        settlement = self._held_claim().settlement
        if settlement is None:
            raise RuntimeError("the result is withheld until it is paid for")
        return settlement


def _unknown() -> OutcomeUnknownError:
    return OutcomeUnknownError(
        "outcome_unknown", "The outcome of the payment is not known yet; send the same request again.", 2
    )
