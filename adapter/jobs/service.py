"""The gRPC side of jobs: one method for each call."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import grpc
from clearcanvas.v1 import jobs_pb2_grpc
from clearcanvas.v1.jobs_pb2 import (
    CancelJobRequest,
    ConfirmDownloadRequest,
    DeleteJobRequest,
    DownloadResultRequest,
    DownloadResultResponse,
    GetJobRequest,
    Job,
    SubmitImageRequest,
    SubmitImageResponse,
    SubmitVideoRequest,
    SubmitVideoResponse,
    VideoOrder,
    WatchJobRequest,
    WatchJobResponse,
)

from adapter.tracing import call_metadata

_ANSWER_S = 10.0  # A question to a database takes milliseconds; more is a service that hangs.


@dataclass(frozen=True)
class Ref:
    """A job as somebody asks for it: for all but its owner it does not exist."""

    id: str
    """A lower-case UUID."""
    owner: str


class JobService:
    """The jobs of the image service. All methods raise grpc.aio.AioRpcError when it refuses or does not answer."""

    def __init__(self, channel: grpc.aio.Channel, submit_s: float) -> None:
        """`submit_s`: seconds for a job to be accepted, its upload to the service included."""
        self._jobs = jobs_pb2_grpc.JobServiceStub(channel)
        self._submit_s = submit_s

    async def submit_image(self, request: SubmitImageRequest, request_id: str) -> SubmitImageResponse:
        """Submits one edit."""
        return await self._jobs.SubmitImage(request, timeout=self._submit_s, metadata=call_metadata(request_id))

    async def submit_video(
        self, order: VideoOrder, chunks: AsyncIterator[bytes], request_id: str
    ) -> SubmitVideoResponse:
        """Submits one video; `chunks` are its bytes, each of at most 1 MiB."""

        async def messages() -> AsyncIterator[SubmitVideoRequest]:
            yield SubmitVideoRequest(order=order)
            async for chunk in chunks:
                yield SubmitVideoRequest(chunk=chunk)

        return await self._jobs.SubmitVideo(messages(), timeout=self._submit_s, metadata=call_metadata(request_id))

    async def get(self, ref: Ref, request_id: str) -> Job:
        """How a job stands."""
        request = GetJobRequest(id=ref.id, owner=ref.owner)
        return (await self._jobs.GetJob(request, timeout=_ANSWER_S, metadata=call_metadata(request_id))).job

    def watch(self, ref: Ref, request_id: str) -> "grpc.aio.UnaryStreamCall[WatchJobRequest, WatchJobResponse]":
        """How a job stands, again and again until it has ended. Cancel the returned call when nobody looks any more."""
        return self._jobs.WatchJob(WatchJobRequest(id=ref.id, owner=ref.owner), metadata=call_metadata(request_id))

    def download(
        self, ref: Ref, offset: int, length: int, request_id: str
    ) -> "grpc.aio.UnaryStreamCall[DownloadResultRequest, DownloadResultResponse]":
        """Begins to fetch `length` bytes of a result from `offset` on. Cancel the call when they are wanted no more."""
        request = DownloadResultRequest(id=ref.id, owner=ref.owner, offset=offset, length=length)
        return self._jobs.DownloadResult(request, metadata=call_metadata(request_id))

    async def confirm(self, ref: Ref, offset: int, length: int, request_id: str) -> None:
        """Says which bytes of a result have reached whoever asked for them."""
        request = ConfirmDownloadRequest(id=ref.id, owner=ref.owner, offset=offset, length=length)
        await self._jobs.ConfirmDownload(request, timeout=_ANSWER_S, metadata=call_metadata(request_id))

    async def cancel(self, ref: Ref, request_id: str) -> Job:
        """Ends a job that has not ended; returns how it stands now."""
        request = CancelJobRequest(id=ref.id, owner=ref.owner)
        return (await self._jobs.CancelJob(request, timeout=_ANSWER_S, metadata=call_metadata(request_id))).job

    async def delete(self, ref: Ref, request_id: str) -> None:
        """Removes a job with everything it has."""
        request = DeleteJobRequest(id=ref.id, owner=ref.owner)
        await self._jobs.DeleteJob(request, timeout=_ANSWER_S, metadata=call_metadata(request_id))
