"""Several real servers behind one channel, and one of them killed: only what it had in its hands is touched."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import grpc.aio
import psutil
import pytest_asyncio
from clearcanvas.v1 import images_pb2, images_pb2_grpc

from tests.support.load import FAST, SLOW
from tests.support.processes import eventually, wait_until
from tests.support.server import RunningServer, running_server
from transport.channels import open_channel
from transport.retries import ELSEWHERE, Retries

CALLERS = 2  # On each channel.
Settings = dict[str, str]


@pytest_asyncio.fixture
async def pair(
    slow_engine: psutil.Process, slow_settings: Settings, tmp_path: Path
) -> AsyncIterator[list[RunningServer]]:
    assert slow_engine.is_running()
    with ExitStack() as stack:
        servers = []
        for name in "ab":
            folder = tmp_path / name
            folder.mkdir()
            servers.append(
                stack.enter_context(running_server(slow_settings["CLEARCANVAS_TRITON"], folder, timeout_s=150))
            )
        for server in servers:
            wait_until(server.serving, "the server serves")
        yield servers


def channel_to(servers: Sequence[RunningServer], retries: Retries | None) -> grpc.aio.Channel:
    return open_channel(
        ",".join(server.address for server in servers),
        health="clearcanvas.v1.ImageService",
        retries=retries,
        max_send_bytes=2**20,
        max_receive_bytes=2**21,
    )


def held_by(server: RunningServer) -> int:
    """How many pictures it has in its hands."""
    return sum(file.name.endswith("-in") for file in server.files())


async def reach(stub: "images_pb2_grpc.ImageServiceAsyncStub", servers: Sequence[RunningServer]) -> None:
    """Call until each server has answered this channel."""

    def answered(server: RunningServer) -> int:
        return server.log.read_text().count("Edit ok")

    before = {server.address: answered(server) for server in servers}
    async with asyncio.timeout(60):
        while any(answered(server) == before[server.address] for server in servers):
            await edit(stub, FAST)


async def edit(stub: "images_pb2_grpc.ImageServiceAsyncStub", request: images_pb2.EditRequest) -> int:
    """One call; the bytes of its result."""
    return sum([len(part.chunk) async for part in stub.Edit(request, timeout=150)])


class Load:
    """Callers that ask one thing after another until they are stopped."""

    def __init__(self, stub: "images_pb2_grpc.ImageServiceAsyncStub") -> None:
        self._stub = stub
        self.stopped = False
        self.failures: list[grpc.StatusCode] = []
        self.done = [0] * CALLERS

    async def run(self) -> None:
        await asyncio.gather(*(self._call(caller) for caller in range(CALLERS)))

    async def _call(self, caller: int) -> None:
        while not self.stopped:
            try:
                assert await edit(self._stub, SLOW)
                self.done[caller] += 1
            except grpc.aio.AioRpcError as error:
                self.failures.append(error.code())


async def test_a_killed_server_costs_its_own_calls_at_most_and_where_they_are_repeated_none(
    pair: list[RunningServer],
) -> None:
    victim = pair[0]
    async with channel_to(pair, None) as once, channel_to(pair, ELSEWHERE) as again:
        loads = [Load(images_pb2_grpc.ImageServiceStub(channel)) for channel in (once, again)]
        for channel in (once, again):
            await reach(images_pb2_grpc.ImageServiceStub(channel), pair)
        running = [asyncio.create_task(load.run()) for load in loads]
        await eventually(lambda: held_by(victim) > 0, "the server is at work")
        victim.process.kill()
        before = [done for load in loads for done in load.done]
        await eventually(
            lambda: all(now > then for now, then in zip([n for load in loads for n in load.done], before, strict=True)),
            "every caller is served by the other server",
            120,
        )
        for load in loads:
            load.stopped = True
        await asyncio.gather(*running)
    plain, repeated = loads
    assert len(plain.failures) <= CALLERS, "what the server had in its hands, and nothing after it"
    assert set(plain.failures) <= {grpc.StatusCode.UNAVAILABLE}
    assert repeated.failures == []
