"""The paid operation: a picture as the body, paid for by x402 or MPP, its cut-out as the answer."""

import asyncio
import time
from dataclasses import dataclass

from aiohttp import hdrs, web
from clearcanvas.v1 import images_pb2
from clearcanvas.v1.images_pb2 import ImageFormat

from adapter.editing import Editor
from adapter.errors import InvalidPictureError, PaymentNotOfferedError, UnsupportedMediaTypeError
from adapter.lifecycle import Lifecycle
from adapter.middleware.request_id import request_id_of
from adapter.operations import IMAGE, PAID, read_order
from adapter.payments.gate import Ticket
from adapter.sale.offers import Offers, Priced
from adapter.sale.till import Till
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

    editor: Editor
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
            form = Form({IMAGE: picture}, dict(request.query))
            edit = read_order(PAID, form, request.headers.get(hdrs.ACCEPT, "")).edit
            await self._inspect(request, picture, declared)
            # In a thread: the digest of 25 MiB would hold up all other requests for 60 ms.
            charge = await asyncio.to_thread(self.offers.charge, request, self.priced, edit)

            async def work(ticket: Ticket) -> None:
                await self.editor.keep(request, edit, ticket, started_s)

            return await self.till.sell(request, charge, rails, work)

    async def _inspect(self, request: web.Request, picture: bytes, declared: ImageFormat.ValueType) -> None:
        facts = await self.editor.service.inspect(
            picture, max_pixels=PAID.max_pixels, request_id=request_id_of(request)
        )
        if facts.format != declared:
            message = "The picture is not of the type that the Content-Type header says."
            raise InvalidPictureError(message)


def _read_declared_format(request: web.Request) -> ImageFormat.ValueType:
    media_type = request.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower()
    if media_type not in _FORMATS:
        message = f"The Content-Type must be {', '.join(list(_FORMATS)[:-1])} or {list(_FORMATS)[-1]}."
        raise UnsupportedMediaTypeError(message)
    return _FORMATS[media_type]
