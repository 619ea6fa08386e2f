"""The image operations: a form in, one edit at the image service, its result streamed out."""

import asyncio
import time
from dataclasses import dataclass

import grpc
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from clearcanvas.v1.images_pb2 import EditRequest

from adapter.errors import BrokenResultError, PaymentNotOfferedError
from adapter.lifecycle import Lifecycle
from adapter.middleware.request_id import request_id_of
from adapter.operations import OPERATIONS, Operation, build_request
from adapter.sending import break_off
from adapter.service import ImageService, describe_result, receive_chunks, receive_header
from adapter.uploads.body import UploadLimits, leave_expectation
from adapter.uploads.budget import UploadBudget
from adapter.uploads.form import read_form


@dataclass(frozen=True)
class ImageRoutes:
    """Serves every row of the operations table."""

    service: ImageService
    lifecycle: Lifecycle
    budget: UploadBudget
    limits: UploadLimits
    request_timeout_s: float  # For the edit and the sending of its result; the upload has limits of its own.
    are_open: bool  # To everybody, as long as there are no keys; else to nobody.

    def add_to(self, app: web.Application) -> None:
        """Registers the operations."""
        for operation in OPERATIONS:
            app.router.add_post(operation.path, self._make_handler(operation), expect_handler=leave_expectation)

    def _make_handler(self, operation: Operation) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            started_s = time.perf_counter()
            if not self.are_open:
                message = "This operation is not open here, and no way to pay for it is offered."
                raise PaymentNotOfferedError(message)
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
                response.content_type, response.content_length = header.content_type, header.size
                response.headers.update(describe_result(header, time.perf_counter() - started_s))
                response.headers[hdrs.CACHE_CONTROL] = "no-cache"
                await response.prepare(request)
                async for chunk in receive_chunks(messages, header.size):
                    await response.write(chunk)
                await response.write_eof()
        except (grpc.aio.AioRpcError, BrokenResultError, TimeoutError) as error:
            if not response.prepared:
                raise
            break_off(request, error)
        finally:
            call.cancel()  # Also when the client is gone: the service stops its work.
        return response
