"""Starting, being ready, and stopping without losing what is in flight."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from clearcanvas.v1.images_pb2 import EditRequest, EditResponse
from grpc_health.v1.health_pb2 import HealthCheckResponse

from adapter.keys.key import NewKey
from adapter.keys.store import KeyStore
from tests.integration.adapter.fake_service import DEVICE, Context, FakeImageService, RunningFake, echo
from tests.integration.adapter.process import FORM_TYPE, AdapterProcess, Answer, form, run_adapter
from tests.support.processes import free_address

MATTE = "/image/matte/v1"


async def get(adapter: AdapterProcess, path: str) -> tuple[int, dict[str, str]]:
    async with aiohttp.ClientSession(adapter.url) as http, http.get(path) as response:
        return response.status, await response.json()


async def upload(adapter: AdapterProcess, body: bytes) -> Answer:
    async with adapter.connect() as connection:
        await connection.post(MATTE, FORM_TYPE, f"Content-Length: {len(body)}", body=body)
        return await connection.read_answer()


@pytest.mark.case("H16")
async def test_alive_is_not_ready() -> None:
    service = RunningFake()
    async with run_adapter(free_address()) as adapter:
        assert await get(adapter, "/health") == (200, {"status": "alive"})
        status, answer = await get(adapter, "/ready")
        assert (status, answer["status"]) == (503, "unavailable")
    await service.start()
    async with run_adapter(service.address) as adapter:
        assert await get(adapter, "/ready") == (
            200,
            {"status": "ready", "model": "isnet", "device": DEVICE, "rails": []},
        )
        service.service.health = HealthCheckResponse(status=HealthCheckResponse.NOT_SERVING)
        status, answer = await get(adapter, "/ready")
        assert (status, answer["status"], answer["device"]) == (503, "unavailable", DEVICE)
        await service.stop()
        assert (await get(adapter, "/ready"))[0] == 503
        assert (await get(adapter, "/health"))[0] == 200


@pytest.mark.case("H15")
async def test_a_stop_is_announced_and_loses_nothing_in_flight(
    running_fake: RunningFake, fake: FakeImageService
) -> None:
    release = asyncio.Event()

    async def wait(request: EditRequest, context: Context) -> AsyncIterator[EditResponse]:
        await release.wait()
        async for message in echo(request, context):
            yield message

    fake.behaviour = wait
    pictures = [bytes([number]) * 3_000_000 for number in range(4)]
    async with run_adapter(running_fake.address) as adapter, adapter.connect() as slow:
        in_flight = [asyncio.create_task(upload(adapter, form(picture))) for picture in pictures]
        body = form(b"slow")
        await slow.post(MATTE, FORM_TYPE, f"Content-Length: {len(body)}", "Expect: 100-continue")
        assert (await slow.read_answer()).status == 100
        async with asyncio.timeout(30):
            while len(fake.requests) < len(pictures):  # noqa: ASYNC110 - a plain counter.
                await asyncio.sleep(0.01)
        adapter.terminate()
        status, answer = 200, {"status": "ready"}
        while status == 200:  # Until the signal has arrived.
            status, answer = await get(adapter, "/ready")
        assert (status, answer["status"]) == (503, "unavailable")
        refused = await upload(adapter, form())
        assert (refused.status, refused.headers["retry-after"], refused.headers["connection"]) == (503, "1", "close")
        assert set(json.loads(refused.body)) == {"message"}
        await slow.send(body)
        release.set()
        answers = await asyncio.gather(*in_flight)
        assert [(answer.status, answer.body) for answer in answers] == [(200, picture) for picture in pictures]
        last = await slow.read_answer()
        assert (last.status, last.body, last.headers["connection"]) == (200, b"slow", "close")
        async with asyncio.timeout(30):
            assert await adapter.process.wait() == 0


@pytest.mark.case("H15")
async def test_a_stop_does_not_wait_for_ever(running_fake: RunningFake, fake: FakeImageService) -> None:
    async def never_answer(_: EditRequest, __: Context) -> AsyncIterator[EditResponse]:
        await asyncio.Event().wait()
        yield EditResponse()

    fake.behaviour = never_answer
    async with run_adapter(running_fake.address, drain_timeout_s="0.5") as adapter, adapter.connect() as connection:
        body = form()
        await connection.post(MATTE, FORM_TYPE, f"Content-Length: {len(body)}", body=body)
        await fake.started.wait()
        adapter.terminate()
        async with asyncio.timeout(30):
            assert await adapter.process.wait() == 0
            await fake.cancelled.wait()
    assert sum("1 requests unfinished" in line for line in adapter.log) == 1


async def test_an_idle_connection_does_not_hold_up_a_stop(running_fake: RunningFake) -> None:
    async with run_adapter(running_fake.address) as adapter, adapter.connect() as connection:
        await connection.send(b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n")
        assert (await connection.read_answer()).status == 200
        adapter.terminate()
        async with asyncio.timeout(30):
            assert await adapter.process.wait() == 0
        assert await connection.read_to_end() == b""


async def refuse_to_start(**settings: str) -> str:
    """Starts an adapter that must not run; returns its log."""
    with pytest.raises(AssertionError, match="the adapter ended") as caught:
        async with run_adapter("127.0.0.1:1", **settings) as adapter:
            adapter.terminate()
    return str(caught.value)


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:80", "example.com:80"])
async def test_a_public_address_where_nobody_could_use_anything_is_refused(address: str) -> None:
    log = await refuse_to_start(http=address)
    assert "clearcanvas keys add" in log
    assert "Traceback" not in log


async def test_a_public_address_is_good_once_there_is_a_key(running_fake: RunningFake, tmp_path: Path) -> None:
    store = KeyStore(f"sqlite:///{tmp_path / 'keys.sqlite'}")
    await store.start()
    await store.add(NewKey("a shop"))
    await store.close()
    async with run_adapter(running_fake.address, http="127.0.0.1:0", data=str(tmp_path)) as adapter:
        await adapter.logged("INFO", "for those with an API key")
    log = await refuse_to_start(http="192.0.2.1:80", data=str(tmp_path))  # No address of this machine.
    assert "clearcanvas keys add" not in log
    assert "cannot serve on" in log


async def test_it_is_said_that_the_operations_are_open(adapter: AdapterProcess) -> None:
    await adapter.logged("WARNING", "open to all who reach")


@pytest.mark.parametrize("keys", ["mysql://user:hidden@x/y", "postgresql://user:hidden@127.0.0.1:1/keys"])
async def test_keys_that_cannot_be_kept_are_a_plain_error(keys: str) -> None:
    log = await refuse_to_start(keys=keys)
    assert "key" in log
    assert "Traceback" not in log
    assert "hidden" not in log


async def test_a_taken_address_is_a_plain_error(adapter: AdapterProcess) -> None:
    log = await refuse_to_start(http=f"127.0.0.1:{adapter.port}")
    assert "cannot serve on" in log
    assert "Traceback" not in log
