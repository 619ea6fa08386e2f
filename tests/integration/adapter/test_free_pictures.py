"""What an operator gives away: so many pictures a day for all visitors, so many for each, and nothing beyond."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapter.keys.key import NewKey
from adapter.limits import daily, shared
from adapter.limits.clients import Clients
from adapter.limits.daily import Allowance, DailyBudget
from tests.integration.adapter.fake_service import FakeImageService, RunningFake
from tests.integration.adapter.forms import MATTE, post
from tests.integration.adapter.shop import PNG, RunningShop, running_shop, x402

PUBLIC = {"http": "192.0.2.1:80"}
HERE = {"http": "127.0.0.1:80"}
FREE = {"X-Playground": "free"}
GIVEN = {"free_per_day": 3, "free_per_client": 2}


TODAY, TOMORROW = "2026-11-22", "2026-11-23"


@pytest.fixture(autouse=True)
def _stop_the_calendar(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test runs over midnight, and none by the speed of the machine."""
    for module in (daily, shared):
        monkeypatch.setattr(module, "ANSWER_S", 60.0)
    monkeypatch.setattr(daily, "_today", lambda: TODAY)


@pytest.fixture
def open_adapter(running_fake: RunningFake, fake: FakeImageService, tmp_path: Path) -> Any:
    """An adapter at an address, with rails or without."""

    @asynccontextmanager
    async def start(settings: dict[str, Any], *, sells: bool = False) -> AsyncIterator[RunningShop]:
        async with running_shop(running_fake.address, tmp_path, settings=settings, sells=sells) as shop:
            yield shop

    return start


@pytest.fixture(params=["memory", "redis"])
def counters(request: pytest.FixtureRequest) -> str:
    """Where the day's pictures are counted."""
    return "memory://" if request.param == "memory" else f"{request.getfixturevalue('redis_url')}/9"


async def ask(shop: RunningShop) -> dict[str, Any]:
    """What the playground is told before a visitor begins."""
    async with shop.http.get("/playground/access") as response:
        assert (response.status, response.headers["Cache-Control"]) == (200, "no-store")
        answer: dict[str, Any] = await response.json()
        return answer


@pytest.mark.parametrize(("sells", "afterwards"), [(True, 402), (False, 401)])
async def test_a_visitor_has_its_pictures_and_then_meets_what_everybody_meets(
    open_adapter: Any, fake: FakeImageService, afterwards: int, *, sells: bool
) -> None:
    async with open_adapter(PUBLIC | GIVEN, sells=sells) as shop:
        statuses = [(await post(shop.http, MATTE, image=PNG, headers=FREE))[0].status for _ in range(3)]
        assert statuses == [200, 200, afterwards]
        assert await ask(shop) == {
            "open": False,
            "free": {"per_day": 3, "left": 1, "per_client": 2, "left_for_you": 0},
        }
        assert len([edit for edit in fake.requests if edit.image == PNG]) == 2


async def test_only_who_asks_for_a_free_picture_takes_one(open_adapter: Any) -> None:
    async with open_adapter(PUBLIC | GIVEN, sells=True) as shop:
        issued = await shop.keys.add(NewKey("a shop"))
        for headers, status in (({}, 402), (x402(), 200), ({"X-API-Key": issued.secret}, 200)):
            response, _ = await post(shop.http, MATTE, image=PNG, headers=headers)
            assert response.status == status
            if headers:  # A key and a payment come before the gift.
                response, _ = await post(shop.http, MATTE, image=PNG, headers=headers | FREE)
                assert response.status == status
        assert (await ask(shop))["free"]["left"] == 3


@pytest.mark.parametrize("path", ["/image/generate/v1", "/image/hd/submit/v1", "/video/submit/v1"])
async def test_what_costs_much_work_is_not_given_away(open_adapter: Any, path: str) -> None:
    async with open_adapter(PUBLIC | GIVEN) as shop:
        response, _ = await post(shop.http, path, {"prompt": "a beach"}, headers=FREE)
        assert response.status == 401
        assert (await ask(shop))["free"]["left"] == 3


async def test_where_operations_are_open_nothing_is_counted(open_adapter: Any) -> None:
    async with open_adapter(HERE | GIVEN) as shop:
        assert (await post(shop.http, MATTE, image=PNG, headers=FREE))[0].status == 200
        assert await ask(shop) == {"open": True, "free": {"per_day": 3, "left": 3, "per_client": 2, "left_for_you": 2}}


async def test_nothing_is_given_away_unless_it_is_set(open_adapter: Any) -> None:
    async with open_adapter(PUBLIC) as shop:
        response, body = await post(shop.http, MATTE, image=PNG, headers=FREE)
        assert response.status == 401
        assert "API key" in json.loads(body)["message"]
        assert await ask(shop) == {"open": False, "free": None}


async def test_other_sites_cannot_spend_it(open_adapter: Any) -> None:
    async with open_adapter(PUBLIC | GIVEN) as shop, shop.http.options(MATTE) as response:
        assert "X-Playground" not in response.headers["Access-Control-Allow-Headers"]


async def test_all_visitors_together_have_the_day_and_a_new_day_begins_at_midnight(
    counters: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitors = [Clients().identify(f"192.0.2.{number}", ()) for number in range(4)]
    budget = DailyBudget(counters, 3, 2)
    try:
        taken = [await budget.take(visitor) for visitor in (visitors[0], visitors[0], visitors[0], visitors[1])]
        assert taken == [True, True, False, True]
        assert await budget.look(visitors[2]) == Allowance(3, 0, 2, 0)
        assert await budget.take(visitors[3]) is False
        monkeypatch.setattr(daily, "_today", lambda: TOMORROW)
        assert await budget.look(visitors[0]) == Allowance(3, 3, 2, 2)
        assert await budget.take(visitors[0]) is True
    finally:
        await budget.close()


async def test_many_at_once_get_no_more_than_there_is(counters: str) -> None:
    visitors = [Clients().identify(f"198.51.100.{number}", ()) for number in range(20)]
    budget = DailyBudget(counters, 1_000_000, 1)
    small = DailyBudget(counters, 5, 1)
    try:
        taken = await asyncio.gather(*(small.take(visitor) for visitor in visitors))
        assert sum(taken) == 5
        one = Clients().identify("203.0.113.1", ())
        assert sum(await asyncio.gather(*(budget.take(one) for _ in range(20)))) == 1
    finally:
        await budget.close()
        await small.close()


async def test_while_the_counters_are_away_nothing_is_given(caplog: pytest.LogCaptureFixture) -> None:
    budget = DailyBudget("redis://127.0.0.1:1", 3, 2)
    visitor = Clients().identify("192.0.2.1", ())
    assert await budget.take(visitor) is False
    assert await budget.look(visitor) == Allowance(3, 0, 2, 0)
    assert "nothing is given away" in caplog.text
    await budget.close()
