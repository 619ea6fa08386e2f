"""One video through the job service: upload, watch, download. A connection that breaks is taken up where it broke."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import grpc
import grpc.aio
from clearcanvas.v1 import jobs_pb2, jobs_pb2_grpc
from clearcanvas.v1.jobs_pb2 import Job, VideoOrder, WatchJobResponse

T = TypeVar("T")

OWNER = "cli"
"""Who the jobs of the command line belong to."""

_CHUNK_BYTES = 1024 * 1024
_ENDED = frozenset({jobs_pb2.JOB_STATE_SUCCEEDED, jobs_pb2.JOB_STATE_FAILED, jobs_pb2.JOB_STATE_CANCELLED})

# A server that was restarted is there again within seconds, and its jobs are taken up within 35.
_AWAY_LIMIT_S = 60.0
_CALL_LIMIT_S = 10.0


class VideoFailedError(Exception):
    """One video could not be processed; the message is a sentence for the user."""


class VideoJob:
    """One job of the service, by its id: whatever is called twice means the same job."""

    def __init__(self, stub: "jobs_pb2_grpc.JobServiceAsyncStub", job_id: str) -> None:
        self._stub = stub
        self._id = job_id

    async def submit(self, source: Path, order: VideoOrder, on_sent: Callable[[int], None]) -> Job:
        """Upload `source` and order what is to be made of it; `on_sent` hears how many bytes were handed over.

        Raises:
            VideoFailedError: The file cannot be read, or the service refuses it.
        """
        options = jobs_pb2.JobOptions(id=self._id, owner=OWNER)

        async def parts() -> AsyncIterator[jobs_pb2.SubmitVideoRequest]:
            first = jobs_pb2.SubmitVideoRequest(order=order)
            first.order.options.CopyFrom(options)
            yield first
            with source.open("rb") as file:
                while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
                    yield jobs_pb2.SubmitVideoRequest(chunk=chunk)
                    on_sent(file.tell())

        return (await _said(self._stub.SubmitVideo(parts()))).job

    async def watch(self, *, previews: bool) -> AsyncIterator[WatchJobResponse]:
        """How it stands, again and again, until it has ended; with frames that are done, if `previews` are wanted.

        Raises:
            VideoFailedError: The service does not know it, or was away for too long.
        """
        request = jobs_pb2.WatchJobRequest(id=self._id, owner=OWNER, previews=previews)
        while True:
            try:
                async for response in _prompt(self._stub.WatchJob(request, wait_for_ready=True)):
                    yield response
                    if response.job.state in _ENDED:
                        return
            except grpc.aio.AioRpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise _failure(error) from error

    async def download(self, target: Path, size: int, on_received: Callable[[int], None]) -> None:
        """Write the result, of `size` bytes, to `target`, whole or not at all; the service then removes its own.

        Raises:
            VideoFailedError: It is not there any more, cannot be written, or the service was away for too long.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            with partial.open("xb") as file:
                while not await self._receive(file, on_received):
                    pass
                if file.tell() != size:
                    raise VideoFailedError(f"the server sent {file.tell()} bytes of {size}")
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        confirm = jobs_pb2.ConfirmDownloadRequest(id=self._id, owner=OWNER, length=size)
        await _said(self._stub.ConfirmDownload(confirm, timeout=_CALL_LIMIT_S))

    async def _receive(self, file: BinaryIO, on_received: Callable[[int], None]) -> bool:
        """Append what is still lacking to `file`; False if the connection broke."""
        request = jobs_pb2.DownloadResultRequest(id=self._id, owner=OWNER, offset=file.tell())
        try:
            async for response in _prompt(self._stub.DownloadResult(request, wait_for_ready=True)):
                if response.WhichOneof("part") == "chunk":
                    await asyncio.to_thread(file.write, response.chunk)
                    on_received(file.tell())
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.UNAVAILABLE:
                return False
            raise _failure(error) from error
        return True

    async def cancel(self) -> None:
        """Give it up: its worker ends, and it is no error when nothing of it is there."""
        request = jobs_pb2.CancelJobRequest(id=self._id, owner=OWNER)
        try:
            await self._stub.CancelJob(request, timeout=_CALL_LIMIT_S)
        except grpc.aio.AioRpcError as error:
            if error.code() != grpc.StatusCode.NOT_FOUND:
                raise _failure(error) from error


async def _prompt(stream: "grpc.aio.UnaryStreamCall[Any, T]") -> AsyncIterator[T]:
    """Its messages, if the first comes within the time that a server may be away."""
    messages = aiter(stream)
    try:
        async with asyncio.timeout(_AWAY_LIMIT_S):
            first = await anext(messages, None)
    except TimeoutError:
        raise VideoFailedError(f"the server has been away for {_AWAY_LIMIT_S:.0f} s") from None
    if first is None:
        return
    yield first
    async for message in messages:
        yield message


async def _said(call: Awaitable[T]) -> T:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise _failure(error) from error


def _failure(error: grpc.aio.AioRpcError) -> VideoFailedError:
    return VideoFailedError(error.details() or error.code().name)
