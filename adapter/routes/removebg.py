"""remove.bg's API: one picture without its background, and the account of a key."""

import time
from dataclasses import dataclass
from functools import partial

from aiohttp import hdrs, web
from clearcanvas.v1 import images_pb2
from clearcanvas.v1.images_pb2 import EditRequest, OutputOptions

from adapter.access import Access
from adapter.editing import Editor
from adapter.fetching.fetcher import Fetcher
from adapter.lifecycle import Lifecycle
from adapter.middleware.shapes import REMOVEBG_PREFIX
from adapter.removebg.answers import prefers_json, set_limits, wrap_result
from adapter.removebg.bodies import read_body
from adapter.removebg.order import Order, read_order
from adapter.removebg.sources import Sources
from adapter.uploads.body import UploadLimits, leave_expectation
from adapter.uploads.budget import Reservation, UploadBudget

OPERATION = "removebg"
"""Its name among the operations that a key allows."""


@dataclass(frozen=True)
class RemovebgRoutes:
    """Serves what the clients of remove.bg call, to those who have a key here."""

    editor: Editor
    access: Access
    fetcher: Fetcher
    lifecycle: Lifecycle
    budget: UploadBudget
    limits: UploadLimits

    def add_to(self, app: web.Application) -> None:
        """Registers the routes."""
        app.router.add_post(f"{REMOVEBG_PREFIX}removebg", self._remove, expect_handler=leave_expectation)
        app.router.add_get(f"{REMOVEBG_PREFIX}account", self._show_account)
        app.on_response_prepare.append(set_limits)

    async def _remove(self, request: web.Request) -> web.StreamResponse:
        started_s = time.perf_counter()
        with self.lifecycle.work(), self.budget.reserve() as reservation:
            leave = await self.access.admit(request, OPERATION)
            order = await self._read(request, reservation)
            wrap = partial(
                wrap_result,
                type_named=order.type_named,
                charged=0 if leave.usage is None else 1,
                as_json=prefers_json(request.headers.get(hdrs.ACCEPT, "")),
                alpha=await self._collect_alpha(request, order.edit, reservation) if order.is_zip else None,
            )
            return await self.editor.send(request, order.edit, leave, started_s, wrap)

    async def _read(self, request: web.Request, reservation: Reservation) -> Order:
        """The whole request. Nothing is fetched before all else in it was found good."""
        form = await read_body(request, self.limits, reservation)
        sources = Sources(form, self.limits.image_bytes)
        order = read_order(form, has_background=sources.has_background)
        order.edit.image = await sources.take_picture(self.fetcher, reservation)
        if sources.has_background:
            order.edit.composition.picture.image = await sources.take_background(self.fetcher, reservation)
        return order

    async def _collect_alpha(self, request: web.Request, edit: EditRequest, reservation: Reservation) -> bytes:
        """The alpha that goes with the colours of `edit`, which is as it was afterwards."""
        output = OutputOptions()
        output.CopyFrom(edit.output)
        edit.output.kind, edit.output.format = images_pb2.OUTPUT_KIND_MASK, images_pb2.IMAGE_FORMAT_PNG
        alpha = await self.editor.collect(request, edit, reservation)
        edit.output.CopyFrom(output)
        return alpha

    async def _show_account(self, request: web.Request) -> web.Response:
        """What is left of a key's month, as credits; null where it has no end."""
        left = (await self.access.read_usage(request)).remaining
        credits_left = {"total": left, "subscription": left, "payg": 0, "enterprise": 0}
        attributes = {"credits": credits_left, "api": {"free_calls": 0, "sizes": "all"}}
        return web.json_response({"data": {"attributes": attributes}}, headers={hdrs.CACHE_CONTROL: "no-store"})
