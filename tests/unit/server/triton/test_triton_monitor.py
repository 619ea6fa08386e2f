"""The monitor against a fake Triton: when it asks, what it believes, and what it cleans up."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from cards.target import Target
from server.triton import monitor as module
from server.triton.model import TritonOptions
from server.triton.monitor import ModelMonitor, ModelState
from tests.support.fake_triton import FakeTriton, running_fake

FAKE = Target("fake", 1)
WORKSPACE = f"clearcanvas-{os.getpid()}-unittest"


@pytest.fixture
def fake() -> FakeTriton:
    return FakeTriton()


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEALTHY_PAUSE_S", 0.05)
    monkeypatch.setattr(module, "FAILING_PAUSE_S", 0.05)


class Watched:
    """A running monitor and every state it told."""

    def __init__(self, monitor: ModelMonitor) -> None:
        self.monitor = monitor
        self.states: list[ModelState] = []

    async def changed(self, state: ModelState) -> None:
        self.states.append(state)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110 - the condition is the fake's, which has no event
                await asyncio.sleep(0.01)

    async def looks(self, fake: FakeTriton, count: int = 3) -> None:
        """Wait until the monitor has asked whether the model is ready `count` times more."""
        before = fake.ready_questions
        await self.until(lambda: fake.ready_questions >= before + count)


@asynccontextmanager
async def watching(address: str, require: str = "any", workspace: str | None = WORKSPACE) -> AsyncIterator[Watched]:
    watched = Watched(ModelMonitor(TritonOptions(address, 5.0, workspace), lambda: FAKE, require))
    task = asyncio.create_task(watched.monitor.run(watched.changed))
    try:
        yield watched
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await watched.monitor.close()


async def test_a_canary_at_the_start_and_none_while_all_is_well(fake: FakeTriton) -> None:
    with running_fake(fake) as address:
        async with watching(address) as watched:
            assert not watched.monitor.state.serving
            await watched.until(lambda: watched.monitor.state.serving)
            await watched.looks(fake)
            assert fake.inferences == 1
            assert watched.states == [ModelState(FAKE, serving=True, device="cpu/fake/f32")]


async def test_a_model_that_is_ready_and_does_not_answer_is_found_by_suspicion(fake: FakeTriton) -> None:
    with running_fake(fake) as address:
        async with watching(address) as watched:
            await watched.until(lambda: watched.monitor.state.serving)
            fake.fail_with = grpc.StatusCode.INTERNAL, "Stub process is not healthy"
            await watched.looks(fake)
            assert watched.monitor.state.serving
            watched.monitor.suspect()
            await watched.until(lambda: not watched.monitor.state.serving)
            fake.fail_with = None
            await watched.until(lambda: watched.monitor.state.serving)
            assert [state.serving for state in watched.states] == [True, False, True]


async def test_an_unloaded_model_is_noticed(fake: FakeTriton) -> None:
    with running_fake(fake) as address:
        async with watching(address) as watched:
            await watched.until(lambda: watched.monitor.state.serving)
            fake.loaded = False
            await watched.until(lambda: not watched.monitor.state.serving)
            assert watched.monitor.state.device == "cpu/fake/f32"
            fake.loaded = True
            await watched.until(lambda: watched.monitor.state.serving)


async def test_what_the_name_stands_for_now_is_asked(fake: FakeTriton) -> None:
    target = FAKE
    with running_fake(fake) as address:
        monitor = ModelMonitor(TritonOptions(address, 5.0, None), lambda: target, "any")
        watched = Watched(monitor)
        task = asyncio.create_task(monitor.run(watched.changed))
        await watched.until(lambda: monitor.state.serving)
        target = Target("fake", 2)
        await watched.until(lambda: monitor.state.target == target)
        assert (fake.versions, monitor.state.serving) == (["1", "2"], True)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await monitor.close()


async def test_one_that_is_suspected_is_not_well_until_its_canary_succeeds(fake: FakeTriton) -> None:
    with running_fake(fake) as address:
        async with watching(address) as watched:
            await watched.until(lambda: watched.monitor.well)
            fake.fail_with = grpc.StatusCode.INTERNAL, "Stub process is not healthy"
            watched.monitor.suspect()
            assert not watched.monitor.well
            await watched.until(lambda: not watched.monitor.state.serving)
            fake.fail_with = None
            await watched.until(lambda: watched.monitor.well)


@pytest.mark.case("H13")
async def test_a_model_outside_the_contract_is_not_served(fake: FakeTriton) -> None:
    fake.answer_type = "FP32"
    with running_fake(fake) as address:
        async with watching(address) as watched:
            await watched.until(lambda: fake.inferences >= 2)
            assert watched.states == []
            fake.answer_type = "UINT8"
            await watched.until(lambda: watched.monitor.state.serving)


@pytest.mark.parametrize(("required", "serving"), [("any", True), ("cpu", True), ("gpu", False)])
async def test_the_required_device(
    fake: FakeTriton, required: str, caplog: pytest.LogCaptureFixture, *, serving: bool
) -> None:
    with running_fake(fake) as address:
        async with watching(address, require=required) as watched:
            await watched.until(lambda: bool(watched.states))
            assert watched.states == [ModelState(FAKE, serving=serving, device="cpu/fake/f32")]
            await watched.until(lambda: fake.inferences >= (1 if serving else 3))
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == (0 if serving else 1)  # loud, and not at every look


async def test_memory_of_the_dead_is_given_back(fake: FakeTriton) -> None:
    dead = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await dead.wait()
    mine_alive, mine_dead = f"{WORKSPACE}-{os.getpid()}-0-in", f"{WORKSPACE}-{dead.pid}-0-in"
    gone_server, foreign = "clearcanvas-1-gonegone-2-0-out", "somebody-elses"
    fake.regions = dict.fromkeys([mine_alive, mine_dead, gone_server, foreign], Path("/dev/null"))
    fake.in_use = {mine_dead}
    with running_fake(fake) as address:
        async with watching(address) as watched:
            await watched.until(lambda: set(fake.regions) == {mine_alive, mine_dead, foreign})
            fake.in_use = set()
            await watched.until(lambda: set(fake.regions) == {mine_alive, foreign})
        assert set(fake.regions) == {foreign}


async def test_without_shared_memory_triton_s_is_left_alone(fake: FakeTriton) -> None:
    region = "clearcanvas-1-gonegone-2-0-out"
    fake.regions = {region: Path("/dev/null")}
    with running_fake(fake) as address:
        async with watching(address, workspace=None) as watched:
            await watched.until(lambda: watched.monitor.state.serving)
            await watched.looks(fake)
    assert set(fake.regions) == {region}
