"""The image operations: a form in, one edit at the image service, its result out; with a key, paid for, or open."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from adapter.access import Access, Sale
from adapter.editing import Editor
from adapter.fetching.fetcher import Fetcher
from adapter.lifecycle import Lifecycle
from adapter.middleware.request_id import request_id_of
from adapter.operations import OPERATIONS, Operation, Order, fetch_background, read_order
from adapter.payments.gate import Ticket
from adapter.sale.offers import Priced
from adapter.sale.till import Till
from adapter.uploads.body import UploadLimits, leave_expectation
from adapter.uploads.budget import Reservation, UploadBudget
from adapter.uploads.form import read_form


@dataclass(frozen=True)
class ImageRoutes:
    """Serves every row of the operations table."""

    editor: Editor
    access: Access
    fetcher: Fetcher
    lifecycle: Lifecycle
    budget: UploadBudget
    limits: UploadLimits
    priced: Mapping[str, Priced]
    """By the operation's name."""
    till: Till | None
    """None where no rail is configured."""

    def add_to(self, app: web.Application) -> None:
        """Registers the operations."""
        for operation in OPERATIONS:
            app.router.add_post(operation.path, self._make_handler(operation), expect_handler=leave_expectation)

    def _make_handler(self, operation: Operation) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            started_s = time.perf_counter()
            with self.lifecycle.work(), self.budget.reserve() as reservation:
                leave = await self.access.choose(request, operation.name)
                if isinstance(leave, Sale):
                    return await self._sell(request, operation, leave, reservation, started_s)
                order = await self._read(request, operation, reservation)
                await fetch_background(order.edit.composition, order.background_url, self.fetcher, reservation)
                return await self.editor.send(request, order.edit, leave, started_s)

        return handle

    async def _read(self, request: web.Request, operation: Operation, reservation: Reservation) -> Order:
        form = await read_form(request, self.limits, reservation, operation.files)
        return read_order(operation, form, request.headers.get(hdrs.ACCEPT, ""))

    async def _sell(
        self, request: web.Request, operation: Operation, sale: Sale, reservation: Reservation, started_s: float
    ) -> web.StreamResponse:
        """As the paid operation: the picture is judged before money is looked at, so a bad one is never paid for."""
        assert self.till is not None  # noqa: S101 - what is sold is paid for somewhere.
        offers, priced = self.access.offers, self.priced[operation.name]
        if not request.body_exists:
            return await self.till.quote(request, offers.price(request, priced), sale.rails)
        order = await self._read(request, operation, reservation)
        await self.editor.service.inspect(
            order.edit.image, max_pixels=operation.max_pixels, request_id=request_id_of(request)
        )
        # In a thread: the digest of 25 MiB would hold up all other requests for 60 ms. What is behind a URL is not in
        # it: nothing is fetched for those who do not pay, and a result that is kept outlives its background.
        charge = await asyncio.to_thread(
            offers.charge, request, priced, order.edit, background_url=order.background_url
        )

        async def work(ticket: Ticket) -> None:
            await fetch_background(order.edit.composition, order.background_url, self.fetcher, reservation)
            await self.editor.keep(request, order.edit, ticket, started_s)

        return await self.till.sell(request, charge, sale.rails, work)
