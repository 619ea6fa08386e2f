"""One edit at the image service: its result streamed to the caller, or kept until it is paid for."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
from aiohttp import hdrs, web
from clearcanvas.v1.images_pb2 import EditHeader, EditRequest, EditResponse

from adapter.access import Pass
from adapter.errors import BrokenResultError
from adapter.middleware.request_id import request_id_of
from adapter.payments.gate import Ticket
from adapter.payments.results import ResultInfo
from adapter.sending import break_off
from adapter.service import ImageService, describe_result, receive_chunks, receive_header
from adapter.uploads.budget import Reservation


@dataclass(frozen=True)
class Body:
    """What is sent of a result."""

    content_type: str
    size: int
    """Bytes of all `chunks` together."""
    chunks: AsyncIterator[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)
    """Beside those that describe the result."""


Wrap = Callable[[EditHeader, AsyncIterator[bytes]], Body]
"""Makes the body from a result's header and bytes; what it raises is answered, and nothing is counted."""


def as_it_is(header: EditHeader, chunks: AsyncIterator[bytes]) -> Body:
    """The result and nothing else."""
    return Body(header.content_type, header.size, chunks)


@dataclass(frozen=True)
class Editor:
    """Has pictures edited."""

    service: ImageService
    request_timeout_s: float
    """For the edit and the sending of its result; the upload has limits of its own."""

    async def send(
        self, request: web.Request, edit: EditRequest, leave: Pass, started_s: float, wrap: Wrap = as_it_is
    ) -> web.StreamResponse:
        """Streams the result to the caller, once it is counted."""
        response = web.StreamResponse()
        try:
            async with self._edited(request, edit, self.request_timeout_s) as (header, messages):
                body = wrap(header, receive_chunks(messages, header.size))
                response.content_type, response.content_length = body.content_type, body.size
                response.headers.update(describe_result(header, time.perf_counter() - started_s))
                response.headers[hdrs.CACHE_CONTROL] = "no-cache"
                response.headers.update(body.headers)
                await leave.count()
                await self._write(request, response, body, leave)
        except (grpc.aio.AioRpcError, BrokenResultError, TimeoutError) as error:
            if not response.prepared:
                raise
            break_off(request, error)
        return response

    async def _write(self, request: web.Request, response: web.StreamResponse, body: Body, leave: Pass) -> None:
        try:
            await response.prepare(request)
            async for chunk in body.chunks:
                await response.write(chunk)
        except (grpc.aio.AioRpcError, BrokenResultError):
            await leave.give_back()  # It was the service that broke off. Who goes away in the middle has had a result.
            raise
        await response.write_eof()

    async def collect(self, request: web.Request, edit: EditRequest, reservation: Reservation) -> bytes:
        """The whole result, for another that it goes with; it counts as an upload in flight."""
        async with self._edited(request, edit, self.request_timeout_s) as (header, messages):
            reservation.grow(header.size)
            return b"".join([chunk async for chunk in receive_chunks(messages, header.size)])

    async def keep(self, request: web.Request, edit: EditRequest, ticket: Ticket, started_s: float) -> None:
        """Keeps the result with the ticket of a paid request."""
        async with self._edited(request, edit, ticket.work_deadline_s) as (header, messages):
            facts = describe_result(header, time.perf_counter() - started_s)
            info = ResultInfo(header.content_type, header.size, facts)
            await ticket.keep(info, receive_chunks(messages, header.size))

    @asynccontextmanager
    async def _edited(
        self, request: web.Request, edit: EditRequest, timeout_s: float
    ) -> AsyncIterator[tuple[EditHeader, AsyncIterator[EditResponse]]]:
        call = self.service.edit(edit, request_id=request_id_of(request), timeout_s=timeout_s)
        try:
            async with asyncio.timeout(timeout_s):
                messages = aiter(call)
                yield await receive_header(messages), messages
        finally:
            call.cancel()  # Also when the client is gone: the service stops its work.
