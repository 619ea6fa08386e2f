"""ModelService's calls: what they read, and how they end when the caller or the service goes away."""

import asyncio
from typing import cast

import pytest
from clearcanvas.v1 import models_pb2
from clearcanvas.v1.models_pb2 import ModelVersion

from cards.target import Target
from server.errors import InvalidParameterError, ShuttingDownError
from server.lifecycle.findings import Findings
from server.lifecycle.journal import Journal
from server.lifecycle.ports import Trial
from server.lifecycle.repository import Repository
from server.routing.router import Router
from server.rpc.calls import Context
from server.rpc.models import ModelServicer
from tests.unit.server.lifecycle.world import WHOLE_ONE, WHOLE_TWO, World

TWO = ModelVersion(model="isnet", version=2)


class SlowWorld(World):
    """A world where judging goes on until somebody opens the gate."""

    def __init__(self) -> None:
        super().__init__()
        self.judging, self.gate = asyncio.Event(), asyncio.Event()

    async def compare(self, new: Target, old: Target) -> Trial:
        self.judging.set()
        await self.gate.wait()
        return await super().compare(new, old)


class Caller:
    """The other side of a call."""

    def __init__(self) -> None:
        self.received: list[models_pb2.PromoteModelResponse] = []

    async def write(self, message: models_pb2.PromoteModelResponse) -> None:
        self.received.append(message)


@pytest.fixture
async def world() -> SlowWorld:
    return SlowWorld()


@pytest.fixture
def calls(world: SlowWorld) -> ModelServicer:
    unused = cast("tuple[Repository, Router, Journal, Findings]", (None, None, None, None))
    return ModelServicer(world.changer, *unused)


def promote(calls: ModelServicer, caller: Caller, ratio: float = 0) -> "asyncio.Task[None]":
    request = models_pb2.PromoteModelRequest(target=TWO, max_latency_ratio=ratio)
    return asyncio.create_task(calls.PromoteModel(request, cast("Context", caller)))


async def test_each_step_is_sent_with_the_routing_after_it(world: SlowWorld, calls: ModelServicer) -> None:
    caller = Caller()
    world.gate.set()
    await promote(calls, caller)
    steps = ["verify", "load", "canary", "golden", "switch", "drain"]
    assert [answer.step.name for answer in caller.received] == steps
    assert caller.received[-1].routing.generation == 1
    assert world.stands_for() == WHOLE_TWO


async def test_a_service_that_stops_gives_up_what_was_not_switched(world: SlowWorld, calls: ModelServicer) -> None:
    call = promote(calls, Caller())
    await world.judging.wait()
    await calls.close()
    with pytest.raises(ShuttingDownError, match="has not changed"):
        await call
    assert world.stands_for() == WHOLE_ONE
    assert not world.held
    assert not world.locked


async def test_a_caller_who_goes_away_takes_the_change_along(world: SlowWorld, calls: ModelServicer) -> None:
    call = promote(calls, Caller())
    await world.judging.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not world.locked


@pytest.mark.parametrize("ratio", [-1.0, float("nan"), float("inf")])
async def test_a_ratio_is_a_positive_number(calls: ModelServicer, ratio: float) -> None:
    with pytest.raises(InvalidParameterError):
        await promote(calls, Caller(), ratio)
