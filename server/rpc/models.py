"""ModelService: what operators ask of the models, while requests go on."""

import asyncio
import math
from collections.abc import Callable, Coroutine
from typing import TypeAlias

from clearcanvas.v1 import models_pb2, models_pb2_grpc

from server.errors import InvalidParameterError, ShuttingDownError
from server.lifecycle.changer import Changer
from server.lifecycle.findings import Findings
from server.lifecycle.journal import Journal
from server.lifecycle.ports import Step, Tell
from server.lifecycle.repository import Repository
from server.routing.route import Route
from server.routing.router import Router
from server.rpc.calls import Context
from server.rpc.model_messages import (
    read_mirror,
    read_name,
    read_shares,
    read_version,
    write_changes,
    write_models,
    write_route,
    write_step,
)

_Answer: TypeAlias = Callable[..., object]


class ModelServicer(models_pb2_grpc.ModelServiceServicer):
    """Changes, step by step, and what is known. As in ImageServicer, a method writes to its context."""

    def __init__(
        self, changer: Changer, repository: Repository, router: Router, journal: Journal, findings: Findings
    ) -> None:
        self._changer = changer
        self._repository = repository
        self._router = router
        self._journal = journal
        self._findings = findings
        self._under_way: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Give up the changes that are under way: what was not switched has not changed."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def ListModels(  # type: ignore[override]  # noqa: N802 - gRPC's name; the form is ImageServicer.Edit's
        self, _: models_pb2.ListModelsRequest, context: Context
    ) -> None:
        """Say what there is, where it is, and what names stand for."""
        cards = await self._repository.cards()
        await context.write(write_models(cards, self._router.placements(), self._router.routes))

    async def PromoteModel(  # type: ignore[override]  # noqa: N802 - gRPC's name
        self, request: models_pb2.PromoteModelRequest, context: Context
    ) -> None:
        """Put a version in another's place, if it is as good and as fast."""
        target = read_version(request.target, "target")
        name = read_name(request.name or target.model)
        ratio = request.max_latency_ratio
        if not 0 <= ratio < math.inf:
            raise InvalidParameterError("The ratio of latencies is a positive number.", {"field": "max_latency_ratio"})
        tell = _teller(context, models_pb2.PromoteModelResponse)
        await self._change(self._changer.promote(name, target, ratio, tell))

    async def RollbackModel(  # type: ignore[override]  # noqa: N802 - gRPC's name
        self, request: models_pb2.RollbackModelRequest, context: Context
    ) -> None:
        """Go back to what was before."""
        tell = _teller(context, models_pb2.RollbackModelResponse)
        await self._change(self._changer.rollback(read_name(request.name), tell))

    async def RouteModel(  # type: ignore[override]  # noqa: N802 - gRPC's name
        self, request: models_pb2.RouteModelRequest, context: Context
    ) -> None:
        """Split a name's requests."""
        tell = _teller(context, models_pb2.RouteModelResponse)
        await self._change(self._changer.split(read_name(request.name), read_shares(request.shares), tell))

    async def MirrorModel(  # type: ignore[override]  # noqa: N802 - gRPC's name
        self, request: models_pb2.MirrorModelRequest, context: Context
    ) -> None:
        """Have a version work on copies, or no longer."""
        tell = _teller(context, models_pb2.MirrorModelResponse)
        await self._change(self._changer.mirror(read_name(request.name), read_mirror(request), tell))

    async def ListModelChanges(  # type: ignore[override]  # noqa: N802 - gRPC's name
        self, request: models_pb2.ListModelChangesRequest, context: Context
    ) -> None:
        """Say what happened to a name."""
        name = read_name(request.name)
        await context.write(write_changes(await self._journal.read(name), await self._findings.read(name)))

    async def _change(self, change: Coroutine[None, None, None]) -> None:
        """Make a change, to its end or to that of the call or of the service."""
        call, task = asyncio.current_task(), asyncio.create_task(change)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            await task
        except asyncio.CancelledError:
            if call is None or call.cancelling():
                raise
            raise ShuttingDownError("The service is shutting down; what was not switched has not changed.") from None


def _teller(context: Context, answer: _Answer) -> Tell:
    async def tell(step: Step, route: Route) -> None:
        await context.write(answer(step=write_step(step), routing=write_route(route)))

    return tell
