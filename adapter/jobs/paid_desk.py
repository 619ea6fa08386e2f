"""Selling jobs over HTTP: 402 where a submission brings no payment, and where a finished result is not paid for yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import hdrs, web
from clearcanvas.v1.jobs_pb2 import Job

from adapter.access import has_key
from adapter.errors import JobNotFoundError, PaymentNotOfferedError
from adapter.jobs.answers import answer_accepted, answer_at_work
from adapter.jobs.failures import HD_SUBMIT, VIDEO_SUBMIT
from adapter.jobs.orders import VIDEO
from adapter.jobs.owners import read_ref
from adapter.jobs.paid import OWNER, PaidJobs, Submit
from adapter.jobs.service import Ref
from adapter.payments.charge import Charge, digest_request
from adapter.payments.errors import PaymentError, PaymentInProgressError
from adapter.payments.payment import Payment
from adapter.sale.offers import Offers, Priced
from adapter.sale.settings import PaymentSettings
from adapter.sale.till import Till

HD = "hd"
"""The row of large pictures in the price table; the one of videos is named as their operation is."""

_DESCRIPTION = "The result of one job, which is ready."


@dataclass(frozen=True)
class PaidDesk:
    """Takes paid jobs in, and lets their results out."""

    paid: PaidJobs
    till: Till
    offers: Offers
    priced: Mapping[str, Priced]
    """By the name in the price table: `hd`, `video`."""

    async def sell(
        self, request: web.Request, rails: Sequence[str], charge: Charge, submit: Submit
    ) -> web.StreamResponse:
        """Serves the submission of a job that was found good.

        Raises:
            PaymentError: As `Till.sell`.
            grpc.aio.AioRpcError: The job was not accepted; nothing is charged.
        """

        async def serve(payment: Payment) -> web.StreamResponse:
            accepted = await self.paid.take(payment, charge, submit)
            return answer_accepted(accepted.job, accepted.webhook_secret)

        return await self.till.require(request, charge, rails, serve)

    async def quote(self, request: web.Request, rails: Sequence[str], priced: Priced) -> web.StreamResponse:
        """Serves a submission that has nothing to work on yet: what it would cost."""
        return await self.till.quote(request, self.offers.price(request, priced), rails)

    async def find(self, request: web.Request) -> Ref | None:
        """The job that a path names, where it is one that is sold: its id is the key to it."""
        if has_key(request.headers):
            return None
        try:
            ref = read_ref(request, OWNER)
        except JobNotFoundError:
            return None
        return ref if await self.paid.find(ref.id) is not None else None

    async def unlock(self, request: web.Request, job: Job) -> Mapping[str, str] | web.StreamResponse:
        """The headers that a result goes out with, once it is paid for; else what is answered in its place.

        Raises:
            JobNotFoundError: The job is not sold any more.
            PaymentError: Nobody knows yet whether it is paid for, or the payment is refused without a new challenge.
        """
        sold = await self.paid.find(job.id)
        if sold is None:
            raise JobNotFoundError
        rails = self.offers.rails_of(request)
        charge = Charge(
            sold.operation,
            self.offers.base_url(request) + request.path,
            sold.amount,
            _DESCRIPTION,
            content_type=job.result.content_type,
            digest=digest_request(sold.operation, {"job": job.id}, b""),
            subject=job.id,
        )
        try:
            payment = await self.till.gate.parse(tuple(request.headers.items()), charge, rails)
            receipt = await self.paid.release(job.id, payment, charge)
        except PaymentInProgressError as error:
            response = answer_at_work(job)
            response.headers[hdrs.RETRY_AFTER] = str(error.retry_after_s)
            return response
        except PaymentError as refusal:
            return await self.till.refuse(request, charge, rails, refusal)
        if receipt is not None:
            return {**receipt, hdrs.CACHE_CONTROL: "private, no-cache"}
        if not rails:
            message = "No way to pay is offered here."
            raise PaymentNotOfferedError(message)
        return await self.till.ask(request, charge, rails)


def price_jobs(payments: PaymentSettings) -> dict[str, Priced]:
    """The rows of the jobs, by their names in the price table."""
    rows = (
        Priced(
            HD, HD_SUBMIT, payments.amount(HD), "One large picture, as a job.", in_form=True, work_s=payments.hd_work_s
        ),
        Priced(
            VIDEO,
            VIDEO_SUBMIT,
            payments.amount(VIDEO),
            "One video, as a job.",
            in_form=True,
            work_s=payments.video_work_s,
        ),
    )
    return {row.name: row for row in rows}
