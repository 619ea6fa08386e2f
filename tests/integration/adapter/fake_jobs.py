"""A job service at the adapter's edge: keeps jobs in memory, and lets each test say how they stand."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import grpc
from clearcanvas.v1 import jobs_pb2, jobs_pb2_grpc, videos_pb2
from clearcanvas.v1.images_pb2 import EditHeader, EditRequest, ForegroundBox
from clearcanvas.v1.jobs_pb2 import (
    CancelJobRequest,
    CancelJobResponse,
    ConfirmDownloadRequest,
    ConfirmDownloadResponse,
    DeleteJobRequest,
    DeleteJobResponse,
    DownloadResultRequest,
    DownloadResultResponse,
    GetJobRequest,
    GetJobResponse,
    Job,
    JobFailure,
    JobKind,
    JobOptions,
    JobResult,
    Progress,
    SubmitImageRequest,
    SubmitImageResponse,
    SubmitVideoRequest,
    SubmitVideoResponse,
    VideoOrder,
    WatchJobRequest,
    WatchJobResponse,
)
from clearcanvas.v1.videos_pb2 import VideoFacts, VideoResult
from google.protobuf.message import Message

from tests.integration.adapter.fake_service import CHUNK, pack_status

Context = grpc.aio.ServicerContext[Message, Message]
AT_WORK = (jobs_pb2.JOB_STATE_QUEUED, jobs_pb2.JOB_STATE_RUNNING)
WEBHOOK_KEY = "whsec_c2VjcmV0"


@dataclass
class FakeJob:
    """A job, what was sent for it, and what came of it."""

    owner: str
    job: Job
    request: Message
    upload: bytes
    content: bytes = b""
    confirmed: list[tuple[int, int]] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def change(self, **facts: object) -> None:
        """Sets fields of the job, and wakes whoever watches it."""
        async with self.changed:
            self.job.MergeFrom(Job(**facts))  # type: ignore[arg-type]  # A test's own facts.
            self.changed.notify_all()

    async def advance(self, done: int, total: int) -> None:
        await self.change(state=jobs_pb2.JOB_STATE_RUNNING, attempt=1, progress=Progress(done=done, total=total))

    async def succeed(self, content: bytes, content_type: str = "image/png", upload_link: str = "") -> None:
        self.content = content
        result = JobResult(content_type=content_type, size=len(content), available=True, upload_link=upload_link)
        if self.job.kind == jobs_pb2.JOB_KIND_IMAGE:
            box = ForegroundBox(top=1, left=2, width=3, height=4)
            result.image.CopyFrom(
                EditHeader(content_type=content_type, width=640, height=480, model="isnet", foreground=box)
            )
        else:
            made = VideoResult(frames=120, matting=videos_pb2.VIDEO_MATTING_QUALITY, models=["selfie", "isnet"])
            result.video.CopyFrom(made)
        await self.change(state=jobs_pb2.JOB_STATE_SUCCEEDED, result=result)

    async def fail(self, reason: str = "PROCESSING_FAILED", message: str = "The worker died.") -> None:
        failure = JobFailure(reason=reason, message=message)
        await self.change(state=jobs_pb2.JOB_STATE_FAILED, failure=failure)


@dataclass(frozen=True)
class Refusal:
    """What a call is answered with; plain gRPC where there is no reason."""

    code: grpc.StatusCode
    message: str
    reason: str = ""
    field: str = ""


class FakeJobService(jobs_pb2_grpc.JobServiceServicer):
    """Speaks the real contract."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets everything."""
        self.jobs: dict[str, FakeJob] = {}
        self.refusal: Refusal | None = None  # Of submissions.
        self.trouble: Refusal | None = None  # Of everything else.
        self.facts = VideoFacts(width=640, height=480, duration_s=3.5, processed_s=3.5)
        self.judged: list[Message] = []  # What was only to be checked.
        self.asked = 0
        self.watching = asyncio.Event()
        self.unwatched = asyncio.Event()
        self.breaks: asyncio.Event | None = None  # News end, once it is set, with the next change.
        self.expires_in: int | None = None  # Questions until the results are gone.

    @property
    def only(self) -> FakeJob:
        (one,) = self.jobs.values()
        return one

    def put(
        self, owner: str = "open", kind: JobKind.ValueType = jobs_pb2.JOB_KIND_IMAGE, job_id: str | None = None
    ) -> FakeJob:
        """A job that somebody has submitted before."""
        job = Job(id=job_id or str(uuid.uuid4()), kind=kind, state=jobs_pb2.JOB_STATE_QUEUED)
        if kind == jobs_pb2.JOB_KIND_VIDEO:
            job.video.CopyFrom(self.facts)
        self.jobs[job.id] = FakeJob(owner, job, EditRequest(), b"")
        return self.jobs[job.id]

    async def SubmitImage(self, request: SubmitImageRequest, context: Context) -> SubmitImageResponse:  # noqa: N802
        job = await self._accept(request.options, jobs_pb2.JOB_KIND_IMAGE, request.edit, b"", context)
        return SubmitImageResponse(job=job, webhook_secret=WEBHOOK_KEY if request.options.webhook_url else "")

    async def SubmitVideo(  # noqa: N802
        self, messages: AsyncIterator[SubmitVideoRequest], context: Context
    ) -> SubmitVideoResponse:
        order = (await anext(messages)).order
        upload = b"".join([message.chunk async for message in messages])
        job = await self._accept(order.options, jobs_pb2.JOB_KIND_VIDEO, order, upload, context)
        return SubmitVideoResponse(job=job, webhook_secret=WEBHOOK_KEY if order.options.webhook_url else "")

    async def GetJob(self, request: GetJobRequest, context: Context) -> GetJobResponse:  # noqa: N802
        return GetJobResponse(job=(await self._find(request.id, request.owner, context)).job)

    async def WatchJob(self, request: WatchJobRequest, context: Context) -> AsyncIterator[WatchJobResponse]:  # noqa: N802
        found = await self._find(request.id, request.owner, context)
        try:
            async with found.changed:
                yield WatchJobResponse(job=found.job)
                self.watching.set()
                while found.job.state in AT_WORK:
                    await found.changed.wait()
                    if self.breaks is not None and self.breaks.is_set():
                        await self._refuse(Refusal(grpc.StatusCode.UNAVAILABLE, "gone"), context)
                    yield WatchJobResponse(job=found.job)
        finally:
            self.unwatched.set()

    async def DownloadResult(  # noqa: N802
        self, request: DownloadResultRequest, context: Context
    ) -> AsyncIterator[DownloadResultResponse]:
        found = await self._find(request.id, request.owner, context)
        if not found.job.result.available:
            await self._refuse(Refusal(grpc.StatusCode.NOT_FOUND, "gone", "RESULT_GONE"), context)
        yield DownloadResultResponse(header=found.job.result)
        end = len(found.content)
        if request.offset or request.length != found.job.result.size:
            end = request.offset + request.length
        for start in range(request.offset, end, CHUNK):
            yield DownloadResultResponse(chunk=found.content[start : min(end, start + CHUNK)])

    async def ConfirmDownload(  # noqa: N802
        self, request: ConfirmDownloadRequest, context: Context
    ) -> ConfirmDownloadResponse:
        found = await self._find(request.id, request.owner, context)
        found.confirmed.append((request.offset, request.length))
        reached = 0
        for offset, length in sorted(found.confirmed):
            reached = max(reached, offset + length) if offset <= reached else reached
        if reached >= found.job.result.size:
            found.job.result.available, found.job.result.fetched = False, True
        return ConfirmDownloadResponse()

    async def CancelJob(self, request: CancelJobRequest, context: Context) -> CancelJobResponse:  # noqa: N802
        found = await self._find(request.id, request.owner, context)
        if found.job.state in AT_WORK:
            await found.change(state=jobs_pb2.JOB_STATE_CANCELLED)
        return CancelJobResponse(job=found.job)

    async def DeleteJob(self, request: DeleteJobRequest, context: Context) -> DeleteJobResponse:  # noqa: N802
        await self._find(request.id, request.owner, context)
        del self.jobs[request.id]
        return DeleteJobResponse()

    async def _accept(
        self,
        options: JobOptions,
        kind: JobKind.ValueType,
        request: EditRequest | VideoOrder,
        upload: bytes,
        context: Context,
    ) -> Job:
        if self.refusal is not None:
            await self._refuse(self.refusal, context)
        if options.validate_only:
            self.judged.append(request)
            return Job(kind=kind, state=jobs_pb2.JOB_STATE_QUEUED)
        known = self.jobs.get(options.id)
        if known is None:
            known = self.put(options.owner, kind, options.id)
            known.request, known.upload = request, upload
        elif (known.request, known.upload) != (request, upload):
            await self._refuse(Refusal(grpc.StatusCode.ALREADY_EXISTS, "another", "JOB_CONFLICT"), context)
        return known.job

    async def _find(self, job_id: str, owner: str, context: Context) -> FakeJob:
        self.asked += 1
        if self.trouble is not None:
            await self._refuse(self.trouble, context)
        found = self.jobs.get(job_id)
        if self.expires_in == 0 and found is not None:
            found.job.result.available = False
        self.expires_in = None if self.expires_in is None else self.expires_in - 1
        if found is None or found.owner != owner:
            await self._refuse(Refusal(grpc.StatusCode.NOT_FOUND, f"no job {job_id}", "JOB_NOT_FOUND"), context)
            raise AssertionError
        return found

    async def _refuse(self, refusal: Refusal, context: Context) -> None:
        facts = {"field": refusal.field} if refusal.field else None
        trailing = pack_status(refusal.code, refusal.message, refusal.reason, facts) if refusal.reason else ()
        await context.abort(refusal.code, refusal.message, trailing)
