"""JobService: take orders, say how they stand, and send what was made."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import contextmanager

from clearcanvas.v1 import jobs_pb2, jobs_pb2_grpc

from server.admission import Admission
from server.errors import (
    DeadlineExceededError,
    InvalidParameterError,
    OverloadedError,
    ResultGoneError,
    ShuttingDownError,
)
from server.jobs.jobs import Jobs
from server.jobs.previews import Shelf
from server.jobs.record import Record, Result
from server.jobs.uploads.setup import Places
from server.rpc.calls import Context
from server.rpc.job_messages import write_job, write_result
from server.rpc.submissions import Submissions
from server.wire.job_options import read_owner

CHUNK_BYTES = 1024 * 1024
# Calls that watch a job wait nearly always and may last for minutes: no more of them than leave room for the others.
MAX_WATCHERS = 128
# Longest a caller may take for one chunk: 140 kbit/s. It may come again for the rest.
TAKE_S = 60.0


class JobServicer(jobs_pb2_grpc.JobServiceServicer):
    """Jobs, each for its owner alone. As in ImageServicer, a method writes to its context."""

    def __init__(
        self,
        submissions: Submissions,
        jobs: Jobs,
        places: Places,
        admission: Admission,
        *,
        shelf: Shelf,
        transfer_s: float,
    ) -> None:
        """`transfer_s`: seconds that one download may take."""
        self._submissions = submissions
        self._jobs = jobs
        self._places = places
        self._shelf = shelf
        self._admission = admission
        self._transfer_s = transfer_s
        self._watchers = 0
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End what would go on for ever: callers that watch are told to ask again."""
        self._closing.set()

    async def SubmitImage(  # type: ignore[override]  # noqa: N802 - gRPC's name; the form is ImageServicer.Edit's
        self, request: jobs_pb2.SubmitImageRequest, context: Context
    ) -> None:
        """Accept an edit as a job."""
        record = await self._submissions.image(request)
        job = await self._message(record)
        await context.write(jobs_pb2.SubmitImageResponse(job=job, webhook_secret=record.webhook_secret))

    async def SubmitVideo(  # type: ignore[override]  # noqa: N802 - gRPC's name
        self, requests: AsyncIterator[jobs_pb2.SubmitVideoRequest], context: Context
    ) -> None:
        """Accept a video as a job."""
        record = await self._submissions.video(requests)
        job = await self._message(record)
        await context.write(jobs_pb2.SubmitVideoResponse(job=job, webhook_secret=record.webhook_secret))

    async def GetJob(  # type: ignore[override]  # noqa: N802 - gRPC's name
        self, request: jobs_pb2.GetJobRequest, context: Context
    ) -> None:
        """Say how a job stands."""
        record = await self._jobs.get(request.id, read_owner(request.owner))
        await context.write(jobs_pb2.GetJobResponse(job=await self._message(record)))

    async def WatchJob(  # type: ignore[override]  # noqa: N802 - gRPC's name
        self, request: jobs_pb2.WatchJobRequest, context: Context
    ) -> None:
        """Say how a job stands with every change, until it has ended."""
        owner = read_owner(request.owner)
        with self._watcher():
            watching = asyncio.create_task(self._watch(request, owner, context))
            closing = asyncio.create_task(self._closing.wait())
            try:
                await asyncio.wait({watching, closing}, return_when=asyncio.FIRST_COMPLETED)
                if not watching.done():
                    raise ShuttingDownError("The service is shutting down.")
                await watching
            finally:
                for task in (watching, closing):
                    task.cancel()
                await asyncio.gather(watching, closing, return_exceptions=True)

    async def DownloadResult(  # type: ignore[override]  # noqa: N802 - gRPC's name
        self, request: jobs_pb2.DownloadResultRequest, context: Context
    ) -> None:
        """Send a result, or a part of it."""
        record = await self._jobs.finished(request.id, read_owner(request.owner))
        result = record.result
        if result is None:
            raise ResultGoneError("The result was removed.")
        if request.offset > result.size:
            raise InvalidParameterError(f"The result has {result.size} bytes.", {"field": "offset"})
        length = min(request.length or result.size, result.size - request.offset)
        with self._admission.permit(2 * CHUNK_BYTES):
            header = write_result(record.kind, result, await self._places.link(record))
            await _taken(context.write(jobs_pb2.DownloadResultResponse(header=header)))
            if length:
                await self._send(result, request.offset, length, context)

    async def ConfirmDownload(  # type: ignore[override]  # noqa: N802 - gRPC's name
        self, request: jobs_pb2.ConfirmDownloadRequest, context: Context
    ) -> None:
        """Note which bytes have arrived."""
        await self._jobs.confirm_download(request.id, read_owner(request.owner), request.offset, request.length)
        await context.write(jobs_pb2.ConfirmDownloadResponse())

    async def CancelJob(  # type: ignore[override]  # noqa: N802 - gRPC's name
        self, request: jobs_pb2.CancelJobRequest, context: Context
    ) -> None:
        """End a job that is queued or running."""
        record = await self._jobs.cancel(request.id, read_owner(request.owner))
        await context.write(jobs_pb2.CancelJobResponse(job=await self._message(record)))

    async def DeleteJob(  # type: ignore[override]  # noqa: N802 - gRPC's name
        self, request: jobs_pb2.DeleteJobRequest, context: Context
    ) -> None:
        """Forget a job, and all it has."""
        await self._jobs.delete(request.id, read_owner(request.owner))
        await context.write(jobs_pb2.DeleteJobResponse())

    async def _message(self, record: Record) -> jobs_pb2.Job:
        return write_job(record, await self._places.link(record))

    @contextmanager
    def _watcher(self) -> Iterator[None]:
        if self._watchers >= MAX_WATCHERS:
            raise OverloadedError("Too many callers watch jobs; ask for this one instead.")
        self._watchers += 1
        try:
            yield
        finally:
            self._watchers -= 1

    async def _watch(self, request: jobs_pb2.WatchJobRequest, owner: str, context: Context) -> None:
        seen = set[str]()
        async for record in self._jobs.watch(request.id, owner):
            response = jobs_pb2.WatchJobResponse(job=await self._message(record))
            if request.previews:
                unseen = await asyncio.to_thread(self._shelf.unseen, record.id, seen)
                response.previews.extend(jobs_pb2.Preview(time_s=time_s, picture=data) for time_s, data in unseen)
            await _taken(context.write(response))

    async def _send(self, result: Result, offset: int, length: int, context: Context) -> None:
        """Send a part of the file in chunks; one is held, not the file."""
        try:
            async with asyncio.timeout(self._transfer_s) as limit:
                async for chunk in self._places.store.open_range(result.path, offset, length):
                    await _taken(context.write(jobs_pb2.DownloadResultResponse(chunk=chunk)))
        except FileNotFoundError as error:
            raise ResultGoneError("The result was removed.") from error
        except TimeoutError:
            if not limit.expired():
                raise
            raise DeadlineExceededError("The result was not taken in time.") from None


async def _taken(writing: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(TAKE_S):
            await writing
    except TimeoutError:
        raise DeadlineExceededError("The caller does not read.") from None
