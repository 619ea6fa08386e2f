"""What the routes of jobs have in common: who may submit, whose a job is, and how one is found."""

import logging
from dataclasses import dataclass

from aiohttp import web
from clearcanvas.v1.jobs_pb2 import Job, JobKind, JobOptions

from adapter.access import Access, Pass, Sale
from adapter.errors import JobNotFoundError, KeyRequiredError, KeysUnavailableError
from adapter.jobs.downloads import Downloads
from adapter.jobs.owners import IDEMPOTENCY_KEY, OPEN, choose_ref, owner_of, read_ref
from adapter.jobs.quota import JobQuota
from adapter.jobs.service import JobService, Ref
from adapter.middleware.request_id import request_id_of

logger = logging.getLogger(__name__)

_NOT_SOLD = "Jobs need an API key, in X-API-Key or as Authorization: Bearer."


@dataclass(frozen=True)
class JobDesk:
    """Takes jobs in and finds them again."""

    jobs: JobService
    access: Access
    quota: JobQuota
    downloads: Downloads

    async def admit(self, request: web.Request) -> Pass:
        """Leave to submit a job, whose operation is still to be checked.

        Raises:
            AdapterError: As `Access.admit`, and where nothing is left of the key's month.
        """
        leave = await self.access.choose(request, None)
        if isinstance(leave, Sale):
            raise KeyRequiredError(_NOT_SOLD)
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
        return read_ref(request, owner_of(await self.access.holder(request)))

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
        if ref.owner == OPEN:
            return
        try:
            await self.quota.note(job)
        except KeysUnavailableError as error:
            logger.warning("the count of job %s stays open: %s", job.id, error.message)
