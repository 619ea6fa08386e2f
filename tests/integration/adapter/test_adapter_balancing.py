"""Several image services behind one adapter: each call to one that is well, and again only where it is safe."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import grpc
import pytest
import pytest_asyncio
from clearcanvas.v1.images_pb2 import EditRequest, EditResponse

from tests.integration.adapter.fake_service import Context, FakeImageService, RunningFake, echo, fail, header
from tests.integration.adapter.process import AdapterProcess, run_adapter

PATH = "/image/matte/v1"
UNAVAILABLE = fail(grpc.StatusCode.UNAVAILABLE, "away", "MODEL_UNAVAILABLE")


Pair = tuple[FakeImageService, FakeImageService, AdapterProcess]


@asynccontextmanager
async def running_pair() -> AsyncIterator[Pair]:
    """Two image services, and an adapter that is told of both."""
    async with AsyncExitStack() as stack:
        fakes = [RunningFake(), RunningFake()]
        for fake in fakes:
            await fake.start()
            stack.push_async_callback(fake.stop)
        adapter = await stack.enter_async_context(run_adapter(",".join(fake.address for fake in fakes)))
        yield fakes[0].service, fakes[1].service, adapter


@pytest_asyncio.fixture(scope="module")
async def shared_pair() -> AsyncIterator[Pair]:
    async with running_pair() as pair:
        yield pair


@pytest_asyncio.fixture
async def pair(shared_pair: Pair) -> Pair:
    for service in shared_pair[:2]:
        service.reset()
    return shared_pair


async def post(session: aiohttp.ClientSession, adapter: AdapterProcess) -> int:
    form = aiohttp.FormData()
    form.add_field("image", b"\x89PNG\r\n\x1a\n picture", filename="a.png")
    async with session.post(adapter.url + PATH, data=form) as response:
        await response.read()
        return response.status


async def test_each_gets_its_share_and_who_does_not_serve_gets_nothing(
    pair: Pair,
) -> None:
    first, second, adapter = pair
    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        while not first.requests or not second.requests:
            assert await post(session, adapter) == 200
        first.turn(serving=False)
        while True:
            asked = len(first.requests), len(second.requests)
            for _ in range(10):
                assert await post(session, adapter) == 200
            if len(first.requests) == asked[0]:
                break
        assert len(second.requests) == asked[1] + 10
        first.turn(serving=True)
        while len(first.requests) == asked[0]:
            assert await post(session, adapter) == 200


async def test_with_none_that_serves_it_is_503_and_not_ready(
    pair: Pair,
) -> None:
    first, second, adapter = pair
    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        first.turn(serving=False)
        second.turn(serving=False)
        while await post(session, adapter) != 503:
            pass
        async with session.get(adapter.url + "/ready") as ready:
            assert ready.status == 503
        second.turn(serving=True)
        while await post(session, adapter) != 200:
            pass
        async with session.get(adapter.url + "/ready") as ready:
            assert ready.status == 200


async def test_a_call_that_found_no_answer_is_made_once_more(
    pair: Pair,
) -> None:
    first, second, adapter = pair
    refused: set[str] = set()

    async def refuse_once(request: EditRequest, context: Context) -> AsyncIterator[EditResponse]:
        name = str(dict(context.invocation_metadata() or ())["x-request-id"])
        answer = echo if name in refused else UNAVAILABLE
        refused.add(name)
        async for message in answer(request, context):
            yield message

    first.behaviour = second.behaviour = refuse_once
    async with aiohttp.ClientSession() as session:
        assert [await post(session, adapter) for _ in range(10)] == [200] * 10
    assert len(first.requests) + len(second.requests) == 20


async def test_an_answer_that_has_begun_is_never_asked_for_again(
    pair: Pair,
) -> None:
    first, second, adapter = pair

    async def break_off(_: EditRequest, context: Context) -> AsyncIterator[EditResponse]:
        yield header(1000)
        yield EditResponse(chunk=b"half")
        await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    first.behaviour = second.behaviour = break_off
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await post(session, adapter)
    assert len(first.requests) + len(second.requests) == 1


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED]
)
async def test_only_what_is_unavailable_is_asked_again(pair: Pair, code: grpc.StatusCode) -> None:
    first, second, adapter = pair
    first.behaviour = second.behaviour = fail(code, "no")
    async with aiohttp.ClientSession() as session:
        assert await post(session, adapter) >= 500
    assert len(first.requests) + len(second.requests) == 1


@pytest.mark.case("H14")
async def test_a_storm_of_failures_adds_at_most_a_tenth() -> None:
    async with running_pair() as (first, second, adapter), aiohttp.ClientSession() as session:
        first.behaviour = second.behaviour = UNAVAILABLE
        asked = 500

        async def ask(count: int) -> set[int]:
            return {await post(session, adapter) for _ in range(count)}

        statuses = await asyncio.gather(*(ask(asked // 20) for _ in range(20)))
        assert set().union(*statuses) == {503}
        assert asked < len(first.requests) + len(second.requests) <= asked * 1.1


@pytest.mark.case("H14")
async def test_a_service_on_its_own_is_never_asked_twice(fake: FakeImageService, adapter: AdapterProcess) -> None:
    fake.behaviour = UNAVAILABLE
    async with aiohttp.ClientSession() as session:
        assert await post(session, adapter) == 503
    assert len(fake.requests) == 1
