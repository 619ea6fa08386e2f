"""What an adapter tells while it serves: figures by route and reason; and of what callers send, nothing."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from tests.integration.adapter.fake_service import FakeImageService, RunningFake
from tests.integration.adapter.forms import COLOR, MATTE
from tests.integration.adapter.process import AdapterProcess, run_adapter
from tests.support.collector import RunningCollector
from tests.support.processes import eventually

CANARY = "canary4711"
REJECTED = 'clearcanvas_adapter_rejections_total{code="invalid_parameter"}'
PNG = b"\x89PNG\r\n\x1a\n" + CANARY.encode() * 8


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def watched(
    running_fake: RunningFake, collector: RunningCollector, metrics: str
) -> AsyncIterator[AdapterProcess]:
    told = {"metrics": metrics, "traces": collector.endpoint, "log": "json", "unpaid_per_minute": "100000"}
    async with run_adapter(running_fake.address, **told) as adapter:
        yield adapter


@pytest_asyncio.fixture
async def client(watched: AdapterProcess, fake: FakeImageService) -> AsyncIterator[aiohttp.ClientSession]:
    assert not fake.requests
    async with aiohttp.ClientSession(watched.url, timeout=aiohttp.ClientTimeout(60)) as session:
        yield session


async def read(metrics: str) -> dict[str, float]:
    """Each sample by its name with its labels."""
    async with aiohttp.ClientSession() as session, session.get(f"http://{metrics}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return {key: float(value) for key, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


async def send(client: aiohttp.ClientSession, path: str, headers: dict[str, str] | None = None, **fields: str) -> int:
    form = aiohttp.FormData(fields)
    form.add_field("image", PNG, filename=f"{CANARY}.png", content_type="image/png")
    async with client.post(path, data=form, headers=headers) as response:
        await response.read()
        return response.status


@pytest.mark.case("O1")
async def test_nothing_that_callers_send_is_written_down(
    client: aiohttp.ClientSession, watched: AdapterProcess, collector: RunningCollector, metrics: str
) -> None:
    signed = f"https://store.example/cat.png?signature={CANARY}"
    secrets = ({"X-API-Key": CANARY}, {"Authorization": f"Bearer {CANARY}"}, {"Cookie": f"session={CANARY}"})
    for headers in secrets:
        await send(client, MATTE, headers | {"Referer": signed, "User-Agent": CANARY})
    await send(client, f"{MATTE}?bg_image_url={signed}", bg_image_url=signed)
    await send(client, COLOR, bgcolor=CANARY)
    await send(client, MATTE, {"X-Request-ID": f"{CANARY} is no id", "traceparent": CANARY}, model=CANARY)
    await send(client, MATTE, {"X-Request-ID": "the-last"})

    await watched.logged("the-last", MATTE)
    await eventually(lambda: "the-last" in str(collector.spans()), "the spans arrive")
    for told in (" ".join(watched.log), str(await read(metrics)), str(collector.requests)):
        assert CANARY not in told


@pytest.mark.case("O2")
@pytest.mark.case("O4")
async def test_no_caller_makes_the_metrics_many_or_the_log_another(
    client: aiohttp.ClientSession, watched: AdapterProcess, metrics: str
) -> None:
    async def annoy(name: str) -> None:
        for method in ("GET", "PROPFIND"):
            async with client.request(method, f"/image/{name}%0A2026-11-22%20forged%1B[2J") as response:
                assert response.status == 404
        await send(client, MATTE, {"X-Request-ID": f"annoying.{name}", "X-API-Key": name}, model=name)

    await annoy("first")
    await watched.logged("annoying.first", MATTE)  # It is counted before.
    before = (await read(metrics)).keys()
    for number in range(30):
        await annoy(f"name-{number}")

    assert (await read(metrics)).keys() == before
    await watched.logged("annoying.name-29", MATTE)
    told = [json.loads(line) for line in watched.log]
    assert all({"time", "level", "message", "request_id"} <= record.keys() for record in told)
    assert any("forged" in record["message"] for record in told)


async def test_figures_follow_the_requests(client: aiohttp.ClientSession, metrics: str) -> None:
    before = await read(metrics)
    assert await send(client, MATTE) == 200
    assert await send(client, COLOR, bgcolor="no colour") == 422
    requests = 'clearcanvas_adapter_requests_total{{method="POST",route="{}",status="{}"}}'
    risen = (requests.format(MATTE, 200), requests.format(COLOR, 422), REJECTED)
    held = ("clearcanvas_adapter_in_flight", 'clearcanvas_adapter_upload_bytes{where="memory"}')
    wanted = {name: before.get(name, 0.0) + 1 for name in risen} | dict.fromkeys(held, 0.0)

    async with asyncio.timeout(30):  # The client has its answer a little before its end is counted.
        while {name: (after := await read(metrics)).get(name) for name in wanted} != wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert not any("/ready" in name or "/health" in name for name in after)
