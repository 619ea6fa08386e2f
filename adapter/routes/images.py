"""The image operations: a form in, one edit at the image service, its result streamed out."""

import asyncio
import logging
import time
from dataclasses import dataclass

import grpc
from aiohttp import web
from aiohttp.typedefs import Handler
from clearcanvas.v1.images_pb2 import EditHeader, EditRequest

from adapter.budget import UploadBudget
from adapter.errors import BrokenResultError
from adapter.lifecycle import Lifecycle
from adapter.middleware.errors import summarize
from adapter.middleware.request_id import request_id_of
from adapter.operations import OPERATIONS, Operation, build_request
from adapter.service import ImageService, receive_chunks, receive_header
from adapter.upload import UploadLimits, read_form

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ImageRoutes:
    """Serves every row of the operations table."""

    service: ImageService
    lifecycle: Lifecycle
    budget: UploadBudget
    limits: UploadLimits
    request_timeout_s: float  # For the edit and the sending of its result; the upload has limits of its own.

    def add_to(self, app: web.Application) -> None:
        """Registers the operations."""
        for operation in OPERATIONS:
            app.router.add_post(operation.path, self._make_handler(operation), expect_handler=_leave_to_the_form)

    def _make_handler(self, operation: Operation) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            started_s = time.perf_counter()
            with self.lifecycle.work(), self.budget.reserve() as reservation:
                form = await read_form(request, self.limits, reservation)
                edit_request = build_request(operation, form, request.headers.get("Accept", ""))
                del form  # The request holds its own copy of up to 25 MiB.
                return await self._respond(request, edit_request, started_s)

        return handle

    async def _respond(self, request: web.Request, edit_request: EditRequest, started_s: float) -> web.StreamResponse:
        request_id = request_id_of(request)
        call = self.service.edit(edit_request, request_id=request_id, timeout_s=self.request_timeout_s)
        response = web.StreamResponse()
        try:
            async with asyncio.timeout(self.request_timeout_s):
                messages = aiter(call)
                header = await receive_header(messages)
                _describe_result(response, header, time.perf_counter() - started_s)
                await response.prepare(request)
                async for chunk in receive_chunks(messages, header.size):
                    await response.write(chunk)
                await response.write_eof()
        except (grpc.aio.AioRpcError, BrokenResultError, TimeoutError) as error:
            if not response.prepared:
                raise
            # The status line is out; cutting the connection is the only way left to say that the result is not whole.
            logger.error("request %s broke off while its result was sent: %s", request_id, summarize(error))
            if request.transport is not None:
                request.transport.abort()
            message = "The result broke off."
            raise ConnectionAbortedError(message) from error
        finally:
            call.cancel()  # Also when the client is gone: the service stops its work.
        return response


def _describe_result(response: web.StreamResponse, header: EditHeader, elapsed_s: float) -> None:
    stages = [(stage.name, stage.seconds) for stage in header.stages] + [("total", elapsed_s)]
    response.content_type = header.content_type
    response.content_length = header.size
    response.headers.update(
        {
            "Cache-Control": "no-cache",
            "X-Width": str(header.width),
            "X-Height": str(header.height),
            "X-Model": header.model,
            "X-Foreground-Top": str(header.foreground.top),
            "X-Foreground-Left": str(header.foreground.left),
            "X-Foreground-Width": str(header.foreground.width),
            "X-Foreground-Height": str(header.foreground.height),
            "Server-Timing": ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in stages),
        }
    )


async def _leave_to_the_form(_: web.Request) -> None:
    """In place of aiohttp's answer to `Expect`, which invites a body before anything is known of it."""
