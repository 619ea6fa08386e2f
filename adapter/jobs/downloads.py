"""Sends a job's result: whole or a part, once or again, and says to the service what of it has arrived."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import grpc
from aiohttp import hdrs, web
from clearcanvas.v1.jobs_pb2 import DownloadResultResponse, Job

from adapter.errors import BrokenResultError
from adapter.jobs.ranges import Part, UnsatisfiableError, is_another, is_known, read_part
from adapter.jobs.service import JobService, Ref
from adapter.jobs.wire import Wire
from adapter.middleware.errors import summarize
from adapter.middleware.request_id import request_id_of
from adapter.payments.finishing import Finishing
from adapter.sending import break_off
from adapter.service import receive_chunks

logger = logging.getLogger(__name__)

_LAST_S = 10.0  # For the acknowledgement of a result's end; a client that needs longer keeps its file.


@dataclass(frozen=True)
class Downloads:
    """Sends results."""

    jobs: JobService
    finishing: Finishing
    """Confirmations, which a client that hangs up once it has all must not cut off."""
    send_timeout_s: float
    """For each piece of a result: a client that takes none for so long is cut off."""

    async def send(self, request: web.Request, ref: Ref, job: Job, facts: Mapping[str, str]) -> web.StreamResponse:
        """Answers with the result of a job that has succeeded; `facts` are headers that describe it.

        Raises:
            grpc.aio.AioRpcError: The result is gone meanwhile, or the service does not answer.
        """
        headers: dict[str, str] = {
            hdrs.CACHE_CONTROL: "no-cache",
            hdrs.ETAG: f'"{job.id}"',
            hdrs.ACCEPT_RANGES: "bytes",
        }
        if is_another(request, job.id):
            return web.Response(status=HTTPStatus.PRECONDITION_FAILED, headers=headers)
        if is_known(request, job.id):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        try:
            part, partial = read_part(request, job.id, job.result.size)
        except UnsatisfiableError:
            headers[hdrs.CONTENT_RANGE] = f"bytes */{job.result.size}"
            return web.Response(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
        response = web.StreamResponse(headers={**headers, **facts})
        response.content_type, response.content_length = job.result.content_type, part.length
        if partial:
            response.set_status(HTTPStatus.PARTIAL_CONTENT)
            response.headers[hdrs.CONTENT_RANGE] = part.content_range
        if request.method == hdrs.METH_HEAD:
            await response.prepare(request)
            return response
        await self._stream(request, response, ref, part)
        return response

    async def _stream(self, request: web.Request, response: web.StreamResponse, ref: Ref, part: Part) -> None:
        call = self.jobs.download(ref, part.start, part.length, request_id_of(request))
        try:
            chunks = _receive(aiter(call), part)
            first = await anext(chunks)  # What fails does so while there is still a status to choose.
            if request.transport is None:
                message = "The client is gone."
                raise ConnectionAbortedError(message)
            with Wire(request.transport) as wire:
                delivery = _Delivery(request, response, wire)
                try:
                    await self._write(delivery, first, chunks)
                finally:
                    if arrived := delivery.count_arrived(part):
                        await self.finishing.run(self._confirm(ref, part.start, arrived, request_id_of(request)))
        except (grpc.aio.AioRpcError, BrokenResultError, TimeoutError) as error:
            if not response.prepared:
                raise
            break_off(request, error)
        finally:
            call.cancel()  # Also when the client is gone.

    async def _write(self, delivery: "_Delivery", chunk: bytes, chunks: AsyncIterator[bytes]) -> None:
        await delivery.response.prepare(delivery.request)
        while chunk:
            delivery.sent += len(chunk)
            async with asyncio.timeout(self.send_timeout_s):
                await delivery.response.write(chunk)
            chunk = await anext(chunks, b"")
        await delivery.response.write_eof()
        await delivery.wire.settle(delivery.request.writer.output_size, _LAST_S)

    async def _confirm(self, ref: Ref, offset: int, length: int, request_id: str) -> None:
        try:
            await self.jobs.confirm(ref, offset, length, request_id)
        except grpc.aio.AioRpcError as error:  # The result is kept until its time is over.
            logger.warning("request %s: the delivery was not noted: %s", request_id, summarize(error))


@dataclass
class _Delivery:
    """A result on its way."""

    request: web.Request
    response: web.StreamResponse
    wire: Wire
    sent: int = 0
    """Bytes of the part that were given to the connection."""

    def count_arrived(self, part: Part) -> int:
        """How many bytes from the part's first are with the caller."""
        headers = self.request.writer.output_size - self.sent
        arrived = min(self.sent, self.wire.received() - headers)
        if self.wire.was_reset():  # Perhaps unread: so the last byte has not arrived, and the result stays.
            arrived = min(arrived, part.length - 1)
        return max(0, arrived)


async def _receive(messages: AsyncIterator[DownloadResultResponse], part: Part) -> AsyncIterator[bytes]:
    """The chunks of a part. Raises BrokenResultError where they are not what was asked for."""
    first = await anext(messages, None)
    if first is None or first.WhichOneof("part") != "header" or first.header.size != part.size:
        message = "The result did not begin with its header."
        raise BrokenResultError(message)
    async for chunk in receive_chunks(messages, part.length):
        yield chunk
