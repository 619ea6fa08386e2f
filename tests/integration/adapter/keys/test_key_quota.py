"""What counts against a key's month: every result that leaves, and nothing else, over all adapters together."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import grpc
import pytest
from clearcanvas.v1.images_pb2 import EditRequest, EditResponse

from adapter.keys.key import NewKey
from adapter.keys.store import Issued
from tests.integration.adapter.fake_service import Context, FakeImageService, RunningFake, echo, fail, header
from tests.integration.adapter.forms import MATTE, post
from tests.integration.adapter.shop import RunningShop, running_shop

USED_UP = {"message": "This API key has had all the results of its month."}


@pytest.fixture
async def shop(running_fake: RunningFake, fake: FakeImageService, tmp_path: Path) -> AsyncIterator[RunningShop]:
    """An adapter for those with keys alone."""
    async with running_shop(running_fake.address, tmp_path, sells=False) as shop:
        yield shop


def bearing(issued: Issued) -> dict[str, str]:
    return {"Authorization": f"Bearer {issued.secret}"}


async def used(shop: RunningShop, issued: Issued) -> int:
    return await shop.keys.used(issued.key, shop.keys.month())


async def test_fifty_at_once_over_two_adapters_get_ten_results_of_ten(
    running_fake: RunningFake, fake: FakeImageService, tmp_path: Path, url: str
) -> None:
    waiting, go = 0, asyncio.Event()

    async def all_at_once(request: EditRequest, context: Context) -> AsyncIterator[EditResponse]:
        nonlocal waiting
        waiting += 1
        if waiting == 50:  # All have passed the check of the quota before any has used it.
            go.set()
        await go.wait()
        async for message in echo(request, context):
            yield message

    fake.behaviour = all_at_once
    async with AsyncExitStack() as stack:
        shops = []
        for name in ("one", "other"):
            (tmp_path / name).mkdir()
            opened = running_shop(running_fake.address, tmp_path / name, sells=False, settings={"keys": url})
            shops.append(await stack.enter_async_context(opened))
        issued = await shops[0].keys.add(NewKey("a shop", monthly=10, per_minute=1000))
        answers = await asyncio.gather(
            *(post(shops[number % 2].http, MATTE, headers=bearing(issued)) for number in range(50))
        )
        assert sorted(response.status for response, _ in answers) == [200] * 10 + [403] * 40
        assert all(body == b"picture" for response, body in answers if response.status == 200)
        assert all(json.loads(body) == USED_UP for response, body in answers if response.status == 403)
        assert await used(shops[1], issued) == 10


async def test_a_quota_that_is_used_up_is_refused_before_the_work(shop: RunningShop, fake: FakeImageService) -> None:
    issued = await shop.keys.add(NewKey("a shop", monthly=1))
    assert (await post(shop.http, MATTE, headers=bearing(issued)))[0].status == 200
    response, body = await post(shop.http, MATTE, headers=bearing(issued))
    assert (response.status, json.loads(body)) == (403, USED_UP)
    assert len(fake.requests) == 1


async def test_work_that_fails_does_not_count(shop: RunningShop, fake: FakeImageService) -> None:
    issued = await shop.keys.add(NewKey("a shop", monthly=1))
    fake.behaviour = fail(grpc.StatusCode.INTERNAL, "why", "PROCESSING_FAILED")
    assert (await post(shop.http, MATTE, headers=bearing(issued)))[0].status == 500
    assert await used(shop, issued) == 0
    fake.behaviour = echo
    assert (await post(shop.http, MATTE, headers=bearing(issued)))[0].status == 200
    assert await used(shop, issued) == 1


async def test_a_result_that_the_service_breaks_off_does_not_count(shop: RunningShop, fake: FakeImageService) -> None:
    async def break_off(request: EditRequest, context: Context) -> AsyncIterator[EditResponse]:
        yield header(10)
        yield EditResponse(chunk=b"half")
        await context.abort(grpc.StatusCode.INTERNAL, "died")

    fake.behaviour = break_off
    issued = await shop.keys.add(NewKey("a shop", monthly=1))
    with pytest.raises(aiohttp.ClientError):
        await post(shop.http, MATTE, headers=bearing(issued))
    assert await used(shop, issued) == 0


async def test_the_account_shows_what_was_used_and_costs_nothing(shop: RunningShop) -> None:
    issued = await shop.keys.add(NewKey("a shop", ("color", "matte"), per_minute=2, monthly=3))
    await post(shop.http, MATTE, headers=bearing(issued))
    month = shop.keys.month()
    for _ in range(5):
        async with shop.http.get("/account", headers=bearing(issued)) as response:
            assert response.status == 200
            assert response.headers["Cache-Control"] == "no-store"
            assert await response.json() == {
                "name": "a shop",
                "operations": ["color", "matte"],
                "per_minute": 2,
                "monthly_quota": 3,
                "used": 1,
                "remaining": 2,
                "period_start": month.start.isoformat(),
                "period_end": month.end.isoformat(),
            }


async def test_the_account_of_a_key_without_bounds(shop: RunningShop) -> None:
    issued = await shop.keys.add(NewKey("a shop"))
    async with shop.http.get("/account", headers={"X-API-Key": issued.secret}) as response:
        account = await response.json()
    assert [account[name] for name in ("operations", "monthly_quota", "remaining", "used")] == [None, None, None, 0]


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "cc_nobody"}, {"Authorization": "Payment one"}])
async def test_without_a_key_there_is_no_account(shop: RunningShop, headers: dict[str, str]) -> None:
    async with shop.http.get("/account", headers=headers) as response:
        assert response.status == 401
        assert set(await response.json()) == {"message"}
        assert response.headers["WWW-Authenticate"].startswith("Bearer ")
