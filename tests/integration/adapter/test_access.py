"""Who may use the image operations: all on this machine until there is a key, those with one, and those who pay."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapter.keys import keyring as keyrings
from adapter.keys.key import NewKey
from adapter.keys.schema import metadata
from adapter.keys.store import Issued
from adapter.limits.local import LocalLimiter
from tests.integration.adapter.fake_service import FakeImageService, RunningFake
from tests.integration.adapter.forms import COLOR, MATTE, post
from tests.integration.adapter.shop import PNG, RunningShop, mpp, running_shop, x402

PUBLIC = {"http": "192.0.2.1:80"}
HERE = {"http": "127.0.0.1:80"}
NEEDED = "An API key is needed, in X-API-Key or as Authorization: Bearer."
UNKNOWN = "There is no such API key, or it was revoked."
FORGED = "cc_" + "A" * 43


@pytest.fixture(autouse=True)
def _believe_nothing_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are looked for with every request, so that what a test changes is seen at once."""
    monkeypatch.setattr(keyrings, "FRESH_S", 0.0)


@pytest.fixture
def open_adapter(running_fake: RunningFake, fake: FakeImageService, tmp_path: Path) -> Any:
    """An adapter at an address, with rails or without."""

    @asynccontextmanager
    async def start(settings: dict[str, Any], *, sells: bool = False, **options: Any) -> AsyncIterator[RunningShop]:
        async with running_shop(running_fake.address, tmp_path, settings=settings, sells=sells, **options) as shop:
            yield shop

    return start


def borne(issued: Issued) -> dict[str, str]:
    return {"Authorization": f"Bearer {issued.secret}"}


def sent(issued: Issued) -> dict[str, str]:
    return {"X-API-Key": issued.secret}


@pytest.mark.parametrize(
    ("settings", "sells", "any_key", "status"),
    [
        (HERE, False, False, 200),
        (HERE, True, False, 200),
        (HERE, False, True, 401),
        (HERE, True, True, 402),
        (PUBLIC, False, False, 401),
        (PUBLIC, True, False, 402),
        (PUBLIC, False, True, 401),
        (PUBLIC, True, True, 402),
    ],
)
async def test_without_a_key_and_a_payment(
    open_adapter: Any,
    settings: dict[str, Any],
    *,
    sells: bool,
    any_key: bool,
    status: int,
) -> None:
    async with open_adapter(settings, sells=sells) as shop:
        if any_key:
            await shop.keys.add(NewKey("somebody"))
        response, body = await post(shop.http, MATTE, image=PNG)
        assert response.status == status
        if status == 401:
            assert json.loads(body) == {"message": NEEDED}
            assert response.headers["WWW-Authenticate"] == 'Bearer realm="clearcanvas"'


@pytest.mark.parametrize("settings", [HERE, PUBLIC])
@pytest.mark.parametrize("sells", [False, True])
@pytest.mark.parametrize("bring", [borne, sent])
async def test_a_good_key_opens_whatever_else_is_true(
    open_adapter: Any,
    settings: dict[str, Any],
    *,
    sells: bool,
    bring: Any,
) -> None:
    async with open_adapter(settings, sells=sells) as shop:
        issued = await shop.keys.add(NewKey("a shop"))
        response, body = await post(shop.http, MATTE, headers=bring(issued))
        assert (response.status, body) == (200, b"picture")
        assert response.headers["Cache-Control"] == "no-cache"
        response, _ = await post(shop.http, MATTE, headers={**x402(), **bring(issued)})  # Its payment is not taken.
        assert response.status == 200
        assert shop.x402.settled == []


async def test_the_same_key_twice_is_one_key_and_another_is_one_too_many(open_adapter: Any) -> None:
    async with open_adapter(PUBLIC) as shop:
        issued = await shop.keys.add(NewKey("a shop"))
        assert (await post(shop.http, MATTE, headers=borne(issued) | sent(issued)))[0].status == 200
        response, body = await post(shop.http, MATTE, headers=borne(issued) | {"X-API-Key": FORGED})
        assert (response.status, json.loads(body)) == (
            400,
            {"message": "The request brings several API keys: send one."},
        )


BYTES = {"X-API-Key": "cc_\udcff\udcfe"}  # Two bytes that are no text in UTF-8.


@pytest.mark.parametrize("settings", [HERE, PUBLIC])
@pytest.mark.parametrize(
    "headers", [{"X-API-Key": FORGED}, {"X-API-Key": ""}, {"Authorization": "bearer password"}, BYTES]
)
async def test_a_wrong_key_is_refused_also_where_all_is_open_or_sold(
    open_adapter: Any, fake: FakeImageService, settings: dict[str, Any], headers: dict[str, str]
) -> None:
    async with open_adapter(settings, sells=True) as shop:
        response, body = await post(shop.http, MATTE, headers=headers)
        assert (response.status, json.loads(body)) == (401, {"message": UNKNOWN})
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="clearcanvas", error="invalid_token"'
        assert fake.requests == []


async def test_a_revoked_key_is_refused_and_opens_nothing_to_the_others(open_adapter: Any) -> None:
    async with open_adapter(HERE) as shop:
        issued = await shop.keys.add(NewKey("a shop"))
        assert (await post(shop.http, MATTE, headers=borne(issued)))[0].status == 200
        await shop.keys.revoke(issued.key.id)
        assert (await post(shop.http, MATTE, headers=borne(issued)))[0].status == 401
        assert (await post(shop.http, MATTE))[0].status == 401


async def test_a_key_is_only_for_its_operations(open_adapter: Any, fake: FakeImageService) -> None:
    async with open_adapter(PUBLIC) as shop:
        issued = await shop.keys.add(NewKey("a shop", ("color",)))
        response, body = await post(shop.http, MATTE, headers=borne(issued))
        assert (response.status, json.loads(body)) == (403, {"message": "This API key is not for the operation matte."})
        assert fake.requests == []
        assert (await post(shop.http, COLOR, headers=borne(issued)))[0].status == 200


async def test_a_key_has_its_requests_a_minute(open_adapter: Any) -> None:
    async with open_adapter(PUBLIC) as shop:
        one, other = [await shop.keys.add(NewKey(name, per_minute=2)) for name in ("one", "other")]
        answers = [await post(shop.http, MATTE, headers=borne(one)) for _ in range(3)]
        assert [response.status for response, _ in answers] == [200, 200, 429]
        (first, _), _, (last, body) = answers
        assert [first.headers[f"RateLimit-{name}"] for name in ("Limit", "Remaining", "Policy")] == ["2", "1", "2;w=60"]
        assert [last.headers[f"RateLimit-{name}"] for name in ("Limit", "Remaining", "Policy")] == ["2", "0", "2;w=60"]
        assert json.loads(body) == {"message": "More than 2 requests with this API key in a minute."}
        assert 0 < int(last.headers["Retry-After"]) <= 60
        assert (await post(shop.http, MATTE, headers=borne(other)))[0].status == 200


async def test_a_malformed_request_with_a_key_is_422_and_does_not_count(open_adapter: Any) -> None:
    async with open_adapter(PUBLIC) as shop:
        issued = await shop.keys.add(NewKey("a shop", monthly=1))
        response, body = await post(shop.http, COLOR, {"bgcolor": "reddish"}, headers=borne(issued))
        assert response.status == 422
        assert json.loads(body)["message"] == "Invalid request data"
        assert await shop.keys.used(issued.key, shop.keys.month()) == 0


@pytest.mark.case("H9")
async def test_forged_keys_count_as_requests_that_nobody_pays_for(
    open_adapter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_adapter(PUBLIC, sells=True, limiter=LocalLimiter(3)) as shop:
        issued = await shop.keys.add(NewKey("a shop"))
        assert (await post(shop.http, MATTE, headers=borne(issued)))[0].status == 200
        asked = 0
        find = shop.keys.find

        async def count(digest: bytes) -> Any:
            nonlocal asked
            asked += 1
            return await find(digest)

        monkeypatch.setattr(shop.keys, "find", count)
        forged = [{"X-API-Key": f"cc_{number:043}"} for number in range(6)]
        answers = [await post(shop.http, MATTE, headers=headers) for headers in forged]
        assert [response.status for response, _ in answers] == [401, 401, 401, 429, 429, 429]
        assert asked == 3  # Who guesses too much is not even looked for.
        assert int(answers[-1][0].headers["Retry-After"]) > 0
        assert json.loads(answers[-1][1]) == {
            "message": "More than 3 requests without a valid API key or payment in a minute."
        }
        assert (await post(shop.http, MATTE))[0].status == 429  # Nor is it told any more what a picture costs.
        assert (await post(shop.http, MATTE, headers=borne(issued)))[0].status == 200  # A known key is no guess.


async def test_openness_is_said_when_it_changes(open_adapter: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with open_adapter(HERE) as shop:
        assert (await post(shop.http, MATTE))[0].status == 200
        assert "key" not in caplog.text
        await shop.keys.add(NewKey("a shop"))
        assert (await post(shop.http, MATTE))[0].status == 401
        assert "an API key is needed from now on" in caplog.text


async def test_a_store_that_is_down_closes_what_needs_it_and_nothing_else(open_adapter: Any) -> None:
    async with open_adapter(HERE, sells=True) as shop:
        issued = await shop.keys.add(NewKey("a shop"))
        await shop.keys.run(metadata.drop_all)
        for headers in (borne(issued), {}):
            response, body = await post(shop.http, MATTE, headers=headers)
            assert response.status == 503
            assert json.loads(body) == {"message": "The store of the API keys does not answer. Try again later."}
            assert response.headers["Retry-After"] == "1"
        assert (await post(shop.http, MATTE, image=PNG, headers=x402()))[0].status == 200
        assert (await shop.post(mpp()))[0].status == 200
