"""The paid operation: a picture as the body, paid for by x402 or MPP, its cut-out as the answer."""

import asyncio
import time
from dataclasses import dataclass

from aiohttp import hdrs, web
from clearcanvas.v1 import images_pb2
from clearcanvas.v1.images_pb2 import EditRequest, ImageFormat

from adapter.errors import InvalidPictureError, PaymentNotOfferedError, UnsupportedMediaTypeError
from adapter.lifecycle import Lifecycle
from adapter.middleware.request_id import request_id_of
from adapter.operations import PAID, build_request
from adapter.payments.gate import Ticket
from adapter.payments.results import ResultInfo
from adapter.sale.offers import Offers, Priced
from adapter.sale.till import Till
from adapter.service import ImageService, describe_result, receive_chunks, receive_header
from adapter.uploads.body import UploadLimits, leave_expectation, read_raw
from adapter.uploads.budget import UploadBudget
from adapter.uploads.form import Form

_FORMATS: dict[str, ImageFormat.ValueType] = {
    "image/png": images_pb2.IMAGE_FORMAT_PNG,
    "image/jpeg": images_pb2.IMAGE_FORMAT_JPEG,
    "image/webp": images_pb2.IMAGE_FORMAT_WEBP,
}


@dataclass(frozen=True)
class PaidRoutes:
    """Serves the paid operation. The picture is judged before money is looked at: a bad one is never paid for."""

    service: ImageService
    lifecycle: Lifecycle
    budget: UploadBudget
    limits: UploadLimits
    offers: Offers
    priced: Priced
    till: Till | None
    """None where no rail is configured."""

    def add_to(self, app: web.Application) -> None:
        """Registers the operation."""
        app.router.add_post(self.priced.path, self._handle, expect_handler=leave_expectation)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        started_s = time.perf_counter()
        rails = self.offers.rails_of(request)
        if self.till is None or not rails:
            message = "No way to pay is offered here."
            raise PaymentNotOfferedError(message)
        with self.lifecycle.work(), self.budget.reserve() as reservation:
            if not request.body_exists:
                return await self.till.quote(request, self.offers.price(request, self.priced), rails)
            declared = _read_declared_format(request)
            picture = await read_raw(request, self.limits, reservation)
            if not picture:
                return await self.till.quote(request, self.offers.price(request, self.priced), rails)
            edit = build_request(PAID, Form(picture, dict(request.query)), request.headers.get(hdrs.ACCEPT, ""))
            await self._inspect(request, picture, declared)
            # In a thread: the digest of 25 MiB would hold up all other requests for 60 ms.
            charge = await asyncio.to_thread(self.offers.charge, request, self.priced, edit, picture)

            async def work(ticket: Ticket) -> None:
                await self._edit(edit, request_id_of(request), started_s, ticket)

            return await self.till.sell(request, charge, rails, work)

    async def _inspect(self, request: web.Request, picture: bytes, declared: ImageFormat.ValueType) -> None:
        facts = await self.service.inspect(picture, max_pixels=PAID.max_pixels, request_id=request_id_of(request))
        if facts.format != declared:
            message = "The picture is not of the type that the Content-Type header says."
            raise InvalidPictureError(message)

    async def _edit(self, edit: EditRequest, request_id: str, started_s: float, ticket: Ticket) -> None:
        call = self.service.edit(edit, request_id=request_id, timeout_s=ticket.work_deadline_s)
        try:
            async with asyncio.timeout(ticket.work_deadline_s):
                messages = aiter(call)
                header = await receive_header(messages)
                facts = describe_result(header, time.perf_counter() - started_s)
                info = ResultInfo(header.content_type, header.size, facts)
                await ticket.keep(info, receive_chunks(messages, header.size))
        finally:
            call.cancel()  # Also when the client is gone: the service stops its work.


def _read_declared_format(request: web.Request) -> ImageFormat.ValueType:
    media_type = request.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower()
    if media_type not in _FORMATS:
        message = f"The Content-Type must be {', '.join(list(_FORMATS)[:-1])} or {list(_FORMATS)[-1]}."
        raise UnsupportedMediaTypeError(message)
    return _FORMATS[media_type]
