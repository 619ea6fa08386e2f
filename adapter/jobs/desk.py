"""What the routes of jobs have in common: who may submit, whose a job is, and how one is found."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import grpc
from aiohttp import hdrs, web
from clearcanvas.v1 import jobs_pb2
from clearcanvas.v1.jobs_pb2 import Job, JobKind, JobOptions

from adapter.access import Access, Pass, Sale
from adapter.errors import JobNotFoundError, KeysUnavailableError
from adapter.jobs.answers import answer_without_result
from adapter.jobs.downloads import Downloads
from adapter.jobs.owners import IDEMPOTENCY_KEY, OPEN, choose_ref, owner_of, read_ref
from adapter.jobs.paid import OWNER
from adapter.jobs.paid_desk import PaidDesk
from adapter.jobs.quota import JobQuota
from adapter.jobs.service import JobService, Ref
from adapter.jobs.states import say_uploaded
from adapter.middleware.request_id import request_id_of
from adapter.payments.errors import PaymentError
from adapter.sale import headers as payment_headers

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class JobDesk:
    """Takes jobs in and finds them again."""

    jobs: JobService
    access: Access
    quota: JobQuota
    downloads: Downloads
    paid: PaidDesk | None
    """None where no rail is configured."""

    async def admit(self, request: web.Request) -> Pass | Sale:
        """Leave to submit a job, whose operation is still to be checked; or it is to be paid for.

        Raises:
            AdapterError: As `Access.admit`, and where nothing is left of the key's month.
        """
        leave = await self.access.choose(request, None)
        if isinstance(leave, Sale):
            return leave
        self.quota.look(leave, is_retry=IDEMPOTENCY_KEY in request.headers)
        return leave

    def open_job(self, request: web.Request, leave: Pass, webhook_url: str) -> JobOptions:
        """The id and the owner of a new job. Raises MalformedKeyError."""
        ref = choose_ref(request, owner_of(leave.usage.key if leave.usage is not None else None))
        return JobOptions(id=ref.id, owner=ref.owner, webhook_url=webhook_url)

    async def refer(self, request: web.Request) -> Ref:
        """The job that a path names, for whoever asks.

        Raises:
            JobNotFoundError: It is no id.
            AdapterError: As `Access.holder`.
        """
        sold = None if self.paid is None else await self.paid.find(request)
        return sold or read_ref(request, owner_of(await self.access.holder(request)))

    async def find(self, request: web.Request, kind: JobKind.ValueType) -> tuple[Ref, Job]:
        """The job that a path names, and how it stands.

        Raises:
            JobNotFoundError: It is no id, or a job of another kind.
            AdapterError: As `Access.holder`.
            grpc.aio.AioRpcError: There is no such job for whoever asks, or the service does not answer.
        """
        ref = await self.refer(request)
        job = await self.jobs.get(ref, request_id_of(request))
        if job.kind != kind:
            raise JobNotFoundError
        await self.note(ref, job)
        return ref, job

    async def note(self, ref: Ref, job: Job) -> None:
        """Has a job that ended without a result given back; where that cannot be done now, the sweep does it."""
        if ref.owner in {OPEN, OWNER}:
            return
        try:
            await self.quota.note(job)
        except KeysUnavailableError as error:
            logger.warning("the count of job %s stays open: %s", job.id, error.message)

    async def answer(
        self, request: web.Request, kind: JobKind.ValueType, describe: Callable[[Job], Mapping[str, str]]
    ) -> web.StreamResponse:
        """Answers who asks for a job's result; `describe`: the headers that it comes with.

        Raises as `find` and `hand_over`, and ResultGoneError.
        """
        ref, job = await self.find(request, kind)
        return answer_without_result(job) or await self.hand_over(request, ref, job, describe(job))

    async def hand_over(self, request: web.Request, ref: Ref, job: Job, facts: Mapping[str, str]) -> web.StreamResponse:
        """Answers with a result that is there, once it is paid for where it is sold; `facts` are headers of it.

        Raises:
            PaymentError: As `PaidDesk.unlock`.
            grpc.aio.AioRpcError: The result is gone meanwhile, or the service does not answer.
        """
        if self.paid is None or ref.owner != OWNER:
            return await self._send(request, ref, job, facts)
        unlocked = await self.paid.unlock(request, job)
        if isinstance(unlocked, web.StreamResponse):
            return unlocked
        try:
            return await self._send(request, ref, job, {**facts, **unlocked})
        finally:  # Also when the client hangs up as soon as it has all.
            self.downloads.finishing.start(self._note_delivery(request, ref))

    async def _send(self, request: web.Request, ref: Ref, job: Job, facts: Mapping[str, str]) -> web.StreamResponse:
        if job.kind == jobs_pb2.JOB_KIND_VIDEO and job.result.upload_link:
            kept = {name: value for name, value in facts.items() if name in payment_headers.RESPONSE}
            return web.json_response(say_uploaded(job), headers={**kept, hdrs.CACHE_CONTROL: "no-store"})
        return await self.downloads.send(request, ref, job, facts)

    async def _note_delivery(self, request: web.Request, ref: Ref) -> None:
        """A result that has arrived is removed; one that lies elsewhere is handed over with its address."""
        if self.paid is None or request.method != hdrs.METH_GET:
            return
        try:
            job = await self.jobs.get(ref, request_id_of(request))
            if job.result.upload_link or not job.result.available:
                await self.paid.paid.deliver(ref.id)
        except (grpc.aio.AioRpcError, PaymentError) as error:
            logger.warning("the delivery of job %s was not noted: %s", ref.id, error)
