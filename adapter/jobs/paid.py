"""Jobs that are paid for: the money is taken when the result is ready, and before it is released.

The credential stays in the memory of the process that was given it, which waits for the job with it. Where it is lost
or has expired, nothing was paid: then whoever asks for the result pays for that job with another. One payment at most
is chosen to pay for a job, before anything of it is broadcast, and another only after it certainly came to nothing.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import grpc
from clearcanvas.v1.jobs_pb2 import Job

from adapter.errors import JobNotFoundError
from adapter.jobs.service import JobService, Ref
from adapter.jobs.states import has_failed, is_at_work
from adapter.jobs.waiting import find_job, wait_for_end
from adapter.middleware.errors import read_reason
from adapter.payments.charge import Charge
from adapter.payments.errors import (
    OutcomeUnknownError,
    PaymentError,
    PaymentInProgressError,
    PaymentRequiredError,
    PaymentSpentError,
    RailUnavailableError,
    ResultExpiredError,
    RetryablePaymentError,
)
from adapter.payments.gate import Gate, Ticket
from adapter.payments.inquiry import Known, Standing
from adapter.payments.ledger import State
from adapter.payments.ledger.claim import PAID
from adapter.payments.payment import Payment
from adapter.payments.periodic import every
from adapter.sale.jobs_collector import ROUNDS, Collector
from adapter.sale.jobs_store import SoldJob, SoldJobs

logger = logging.getLogger(__name__)

OWNER = "paid"
"""The owner of all jobs that are sold: their ids are secrets, and no list of them is given out."""

_TRACE = "paid-job"
_LONGEST_PAUSE_S = 10.0
_SWEEP_S = 3600.0
_KEPT_S = 31 * 86_400.0  # Longer than the ledger keeps what was paid for and not fetched.
# After these, the job of an earlier request with the same payment is what there is to say.
_NOT_TAKEN = (
    OutcomeUnknownError,
    PaymentInProgressError,
    PaymentRequiredError,
    PaymentSpentError,
    RailUnavailableError,
)


@dataclass(frozen=True)
class Accepted:
    """A job that was submitted."""

    job: Job
    webhook_secret: str = ""


Submit = Callable[[str], Awaitable[Accepted]]
"""Submits the job under an id, for the owner of all paid jobs. The same id again is the same job."""


@dataclass(frozen=True)
class _Known:
    """What an earlier request with the same payment has led to."""

    claim: str
    sold: SoldJob
    job: Job


class PaidJobs:
    """Sells jobs over the gate. All methods raise PaymentError, and grpc.aio.AioRpcError as `JobService` does."""

    def __init__(self, gate: Gate, sold: SoldJobs, jobs: JobService, *, pause_s: float = 1.0) -> None:
        """`pause_s`: before the first try again, where the service or the chain does not answer."""
        self._gate = gate
        self._sold = sold
        self._collector = Collector(gate, sold)
        self._jobs = jobs
        self._pause_s = pause_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._watched: set[str] = set()  # Claims whose credentials are in this process's memory.

    @asynccontextmanager
    async def running(self, _: object) -> AsyncIterator[None]:
        """Removes what is kept no longer, while an application runs; waits for no job after that."""
        self._start(every(_SWEEP_S, self.sweep))
        yield
        await self.close()

    async def close(self) -> None:
        """Stop waiting for jobs; settlements in flight are the gate's to finish."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def sweep(self) -> None:
        """Forget the jobs of which nothing can come any more."""
        await self._sold.forget(self._sold.clock() - _KEPT_S)

    async def find(self, job_id: str) -> SoldJob | None:
        """A job that is sold; None where there is none of this id."""
        return await self._sold.find(job_id)

    async def take(self, payment: Payment, charge: Charge, submit: Submit) -> Accepted:
        """Claim and verify a payment, have its job accepted, and settle when its result is ready.

        The same payment again is the same job, whether it is at work here, elsewhere or nowhere, unless that came to
        nothing: then it is done anew.
        """
        known = await self._recall(payment, charge)
        if known is not None:
            if await self._is_paid_by_another(known):
                return Accepted(known.job)
            # Much of the work may be done: the payment need not outlive all of it once more.
            charge = replace(charge, work_s=0.0)
        try:
            async with AsyncExitStack() as stack:
                ticket = await stack.enter_async_context(self._gate.open(payment, charge))
                sold, accepted = await self._begin(ticket, charge, submit, known)
                claim = ticket.holder[0]
                if ticket.state not in PAID and claim not in self._watched:
                    self._watch(claim, _hand_over(stack.pop_all(), ticket), payment, charge, sold.id)
                return accepted
        except _NOT_TAKEN as error:
            if known is None or has_failed(known.job):
                raise
            if isinstance(error, RetryablePaymentError) and known.claim not in self._watched:
                # Who holds it may be dead: it is taken up when its time is over.
                self._watch(known.claim, self._gate.open(payment, charge), payment, charge, known.sold.id)
            return Accepted(known.job)

    async def release(self, job_id: str, payment: Payment | None, charge: Charge) -> Mapping[str, str] | None:
        """The receipt of a job whose result is ready, once it is paid for; None where it is to be paid for.

        Raises PaymentInProgressError where somebody is about to settle, OutcomeUnknownError where nobody knows.
        """
        for _ in range(ROUNDS):
            sold = await self._sold.find(job_id)
            if sold is None:
                raise JobNotFoundError
            known = await self._collector.look(sold)
            if known.standing is Standing.PAID:
                return known.receipt
            await self._refuse_to_ask(sold, known, payment, charge)
            if payment is None:
                if self._watched.intersection(sold.claims):
                    raise _in_progress()  # It is about to be taken up here.
                return None
            async with self._gate.open(payment, charge) as ticket:
                if await self._collector.collect(ticket, job_id):
                    return ticket.receipt()
        raise _in_progress()

    async def deliver(self, job_id: str) -> None:
        """Note that the whole result of a job is with its payer."""
        sold = await self._sold.find(job_id)
        if sold is not None and sold.paid_by is not None:
            await self._gate.deliver(sold.paid_by)

    async def _refuse_to_ask(self, sold: SoldJob, known: Known, payment: Payment | None, charge: Charge) -> None:
        """Nobody is to pay while another payment may be the one; but that very one may come again."""
        if known.standing is Standing.HELD:
            raise _in_progress()
        if known.standing is Standing.UNKNOWN and (
            payment is None or await self._gate.recognise(payment, charge) != sold.paid_by
        ):
            raise OutcomeUnknownError(
                "outcome_unknown", "The outcome of the payment is not known yet; ask again for the result.", 2
            )

    async def _recall(self, payment: Payment, charge: Charge) -> _Known | None:
        claim = await self._gate.recognise(payment, charge)
        sold = None if claim is None else await self._sold.find_for(claim)
        job = None if sold is None else await find_job(self._jobs, Ref(sold.id, OWNER), _TRACE)
        return None if claim is None or sold is None or job is None else _Known(claim, sold, job)

    async def _is_paid_by_another(self, known: _Known) -> bool:
        if known.sold.paid_by in (None, known.claim):
            return False
        return (await self._collector.look(known.sold)).standing is Standing.PAID

    async def _begin(
        self, ticket: Ticket, charge: Charge, submit: Submit, known: _Known | None
    ) -> tuple[SoldJob, Accepted]:
        claim, fence = ticket.holder
        is_paid = ticket.state in PAID
        if ticket.state is State.DELIVERED:
            if known is None:
                raise ResultExpiredError("result_expired", "The result of this payment is kept no longer.")
            return known.sold, Accepted(known.job)
        if known is not None and not has_failed(known.job):
            sold = await self._sold.join(claim, known.sold.id)
        else:
            sold = await self._sold.assign(claim, fence, charge, is_paid=is_paid)
        accepted = await self._submit(sold, submit)
        if _came_to_nothing(accepted.job):
            sold = await self._sold.renew(claim, fence, sold, is_paid=is_paid)
            accepted = await self._submit(sold, submit)
        return sold, accepted

    async def _submit(self, sold: SoldJob, submit: Submit) -> Accepted:
        try:
            return await submit(sold.id)
        except grpc.aio.AioRpcError as error:
            if read_reason(error) != "JOB_CONFLICT":
                raise
        # The payment is bound to the order; only what is behind a URL may be another by now.
        return Accepted(await self._jobs.get(Ref(sold.id, OWNER), _TRACE))

    def _watch(
        self,
        claim: str,
        opened: AbstractAsyncContextManager[Ticket],
        payment: Payment,
        charge: Charge,
        job_id: str,
    ) -> None:
        task = self._start(self._settle(opened, payment, replace(charge, work_s=0.0), job_id))
        self._watched.add(claim)
        task.add_done_callback(lambda _: self._watched.discard(claim))

    async def _settle(
        self, opened: AbstractAsyncContextManager[Ticket], payment: Payment, charge: Charge, job_id: str
    ) -> None:
        """Wait for the job and settle, again and again while the outcome is open."""
        pause_s = self._pause_s
        while True:
            try:
                async with opened as ticket:
                    await self._finish(ticket, job_id)
                return
            except RetryablePaymentError as error:
                logger.warning("job %s is not settled yet: %s", job_id, error.reason)
            except PaymentError as error:
                logger.warning("job %s was not settled: %s; whoever asks for it pays anew", job_id, error.reason)
                return
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            opened = self._gate.open(payment, charge)

    async def _finish(self, ticket: Ticket, job_id: str) -> None:
        job = await wait_for_end(self._jobs, Ref(job_id, OWNER), _TRACE, self._pause_s)
        if job is None or has_failed(job) or not job.result.available:
            return  # What is held is given back.
        if ticket.is_late():
            logger.info("job %s took longer than its payment lives; whoever asks for it pays anew", job_id)
            return
        await self._collector.collect(ticket, job_id)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("waiting for a paid job failed", exc_info=error)


@asynccontextmanager
async def _hand_over(stack: AsyncExitStack, ticket: Ticket) -> AsyncIterator[Ticket]:
    async with stack:
        yield ticket


def _came_to_nothing(job: Job) -> bool:
    """Whether a job has ended, and nobody has or can have its result."""
    return has_failed(job) or not (is_at_work(job) or job.result.available or job.result.fetched)


def _in_progress() -> PaymentInProgressError:
    return PaymentInProgressError("payment_in_progress", "The payment of this job is being worked on.")
