"""Takes the money for a finished job: one payment at most is chosen to pay, before anything of it is broadcast."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from adapter.payments.gate import Gate, Ticket
from adapter.payments.inquiry import Known, Standing
from adapter.payments.ledger.claim import PAID
from adapter.payments.results import ResultInfo
from adapter.sale.jobs_store import SoldJob, SoldJobs

ROUNDS = 3
"""Of finding out who pays; each is lost only to another who has just come further."""


@dataclass(frozen=True)
class Collector:
    """Chooses who pays. All methods raise PaymentError."""

    gate: Gate
    sold: SoldJobs

    async def collect(self, ticket: Ticket, job_id: str) -> bool:
        """Take the money for a job whose result is ready; False where another payment does."""
        if ticket.state not in PAID and not await self._choose(ticket, job_id):
            return False
        if ticket.result is None:
            title = job_id.encode()
            await ticket.keep(ResultInfo("text/plain", len(title)), _once(title))
        await ticket.settle()
        return True

    async def _choose(self, ticket: Ticket, job_id: str) -> bool:
        for _ in range(ROUNDS):
            if await self.sold.choose(job_id, *ticket.holder):
                return True
            sold = await self.sold.find(job_id)
            if sold is None or (await self.look(sold)).standing is not Standing.VOID:
                return False
        return False

    async def look(self, sold: SoldJob) -> Known:
        """How the payment of a job stands; after VOID, any may be chosen."""
        if sold.paid_by is not None:
            known = await self.gate.look(sold.paid_by)
            if known.standing is Standing.VOID:
                await self.sold.reconsider(sold)
            return known
        for claim in sold.claims:
            known = await self.gate.look(claim)
            if known.standing is not Standing.VOID:
                return known
        return Known(Standing.VOID)


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
