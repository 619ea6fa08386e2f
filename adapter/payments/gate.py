"""The gate: lets a request through once it is paid for, exactly once for each payment."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from adapter.payments.charge import Charge
from adapter.payments.errors import MalformedPaymentError
from adapter.payments.finishing import Finishing
from adapter.payments.inquiry import Inquiry, Known
from adapter.payments.ledger import Ledger
from adapter.payments.limits import GateLimits
from adapter.payments.payment import Payment
from adapter.payments.periodic import every
from adapter.payments.rail import Challenge, Headers, Rail
from adapter.payments.reconciler import Reconciler
from adapter.payments.results import ResultStore
from adapter.payments.sweeper import Sweeper
from adapter.payments.ticket import Desk, Ticket
from adapter.payments.watching import Watch

__all__ = ["Gate", "GateLimits", "Ticket"]


class Gate:
    """Claims, verifies and settles payments. Give it a started ledger; it closes neither that nor the rails."""

    def __init__(
        self,
        rails: Mapping[str, Rail],
        ledger: Ledger,
        results: ResultStore,
        limits: GateLimits,
        *,
        checkpoint: Callable[[str], None] = lambda _step: None,
    ) -> None:
        """`checkpoint` is told each step just passed: claimed, verified, worked, settling, settled, delivered."""
        self._rails = rails
        self._ledger = ledger
        self._limits = limits
        self._finishing = Finishing()
        self._held: set[tuple[str, int]] = set()
        self._inquiry = Inquiry(rails, ledger, limits)
        self._desk = Desk(rails, ledger, results, limits, self._finishing, self._held, checkpoint)
        self._reconciler = Reconciler(rails, ledger, results, limits)
        self._sweeper = Sweeper(ledger, results, limits)
        self._watch = Watch(ledger, limits)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to renew leases, to ask after unknown outcomes, and to remove what is kept no longer."""
        chores = (
            every(self._limits.lease_s / 3, self._renew),
            every(self._limits.reconcile_s, self._reconciler.go_round),
            every(self._limits.sweep_s, self._sweeper.sweep),
            every(self._limits.count_s, self._watch.count),
            every(self._limits.audit_s, self._watch.audit),
        )
        self._tasks = [asyncio.get_running_loop().create_task(chore) for chore in chores]

    async def close(self) -> None:
        """Wait for the settlements in flight, then stop."""
        await self._finishing.drain()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    async def challenge(
        self, charge: Charge, rails: Collection[str], refusal: tuple[str, str] | None = None
    ) -> list[Challenge]:
        """What each of `rails` adds to a 402, in the order of the configuration."""
        return [await rail.challenge(charge, refusal) for name, rail in self._rails.items() if name in rails]

    async def parse(self, headers: Headers, charge: Charge, rails: Collection[str]) -> Payment | None:
        """Read the one credential in `headers`; None where there is none.

        Raises MalformedPaymentError, also for credentials of two rails at once.
        """
        found = [await rail.parse(headers, charge) for name, rail in self._rails.items() if name in rails]
        payments = [payment for payment in found if payment is not None]
        if len(payments) > 1:
            raise MalformedPaymentError("duplicate_payment", "Send one payment, not several.")
        return payments[0] if payments else None

    async def recognise(self, payment: Payment, charge: Charge) -> str | None:
        """The claim that `payment` was verified for before, if it was for the same; see `Inquiry.recognise`."""
        return await self._inquiry.recognise(payment, charge)

    async def look(self, claim_id: str) -> Known:
        """What has become of a claim whose credential is not at hand; see `Inquiry.look`."""
        return await self._inquiry.look(claim_id)

    async def deliver(self, claim_id: str) -> None:
        """Note that what a claim has bought is with its payer. Raises StoreUnavailableError."""
        await self._finishing.run(self._inquiry.deliver(claim_id))

    def open(self, payment: Payment, charge: Charge) -> AbstractAsyncContextManager[Ticket]:
        """Claim and verify `payment` for `charge`; leaving gives back what is not paid for.

        Raises every PaymentError but MalformedPaymentError; after each of them nothing is held.
        """
        return self._opened(Ticket(self._desk, payment, charge))

    @asynccontextmanager
    async def _opened(self, ticket: Ticket) -> AsyncIterator[Ticket]:
        try:
            await self._finishing.run(ticket.enter())
            yield ticket
        finally:
            await self._finishing.run(ticket.leave())

    async def _renew(self) -> None:
        if self._held:
            await self._ledger.renew({claim_id for claim_id, _fence in self._held}, self._limits.lease_s)
