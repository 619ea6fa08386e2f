"""The image operations, paid for as the paid one is: priced by name, bound to the whole form, judged before money."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import grpc
import pytest
from clearcanvas.v1 import images_pb2

from adapter.jobs.orders import VIDEO
from adapter.jobs.paid_desk import HD
from adapter.limits.local import LocalLimiter
from adapter.operations import OPERATIONS
from adapter.sale.settings import PRICES, PaymentSettings
from tests.integration.adapter.fake_service import FakeImageService, RunningFake, fail
from tests.integration.adapter.forms import COLOR, MATTE, post
from tests.integration.adapter.shop import PNG, RunningShop, mpp, paid, running_shop, x402

PUBLIC = {"http": "192.0.2.1:80"}  # Nothing is open there.
GENERATE = "/image/generate/v1"


@pytest.fixture
async def shop(running_fake: RunningFake, fake: FakeImageService, tmp_path: Path) -> AsyncIterator[RunningShop]:
    async with running_shop(running_fake.address, tmp_path, settings=PUBLIC) as shop:
        yield shop


async def buy(
    shop: RunningShop, path: str, headers: dict[str, str], fields: dict[str, str] | None = None, image: bytes = PNG
) -> tuple[aiohttp.ClientResponse, bytes]:
    return await post(shop.http, path, fields, image=image, headers=headers)


def test_every_operation_has_its_price() -> None:
    assert set(PRICES) == {"remove-background", HD, VIDEO, *(row.name for row in OPERATIONS)}
    assert PaymentSettings().amount("matte") == 50_000
    assert PaymentSettings().amount("generate") == 100_000


@pytest.mark.case("P16")
@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: row.name)
async def test_an_empty_request_is_told_the_price_of_the_operation(
    shop: RunningShop, fake: FakeImageService, row: object
) -> None:
    path, name = row.path, row.name  # type: ignore[attr-defined]
    async with shop.http.post(path) as response:
        assert response.status == 402
        assert response.headers["PAYMENT-REQUIRED"] == str(PaymentSettings().amount(name))
        assert response.headers["WWW-Authenticate"].startswith("Payment ")
        assert response.headers["Cache-Control"] == "no-store"
        assert (await response.json())["resource"] == f"http://127.0.0.1:{shop.port}{path}"
    assert fake.inspected == fake.requests == []


@pytest.mark.parametrize("rail", ["x402", "mpp"])
async def test_a_form_is_sold_like_a_picture(shop: RunningShop, fake: FakeImageService, rail: str) -> None:
    response, body = await buy(shop, COLOR, {}, {"bgcolor": "red"})
    assert response.status == 402
    assert json.loads(body)["resource"].endswith(COLOR)
    assert fake.requests == []  # Nothing is worked on for those who do not pay.
    response, body = await buy(shop, COLOR, paid(rail), {"bgcolor": "red"})  # type: ignore[arg-type]
    assert (response.status, body) == (200, PNG)
    assert response.headers["Cache-Control"] == "private"
    assert response.headers["X-Model"] == "isnet"
    assert {"x402": "X-PAYMENT-RESPONSE", "mpp": "Payment-Receipt"}[rail] in response.headers
    again, body = await buy(shop, COLOR, paid(rail), {"bgcolor": "#ff0000"})  # type: ignore[arg-type]
    assert (again.status, body) == (200, PNG)  # The same edit, written otherwise, in a form with another boundary.
    assert len(fake.requests) == 1


@pytest.mark.case("P5")
@pytest.mark.parametrize(
    ("path", "fields", "image"),
    [
        (COLOR, {"bgcolor": "blue"}, PNG),
        (COLOR, {"bgcolor": "red", "format": "webp"}, PNG),
        (COLOR, {"bgcolor": "red"}, PNG + b"1"),
        (MATTE, {}, PNG),
    ],
)
async def test_a_payment_is_for_one_form(shop: RunningShop, path: str, fields: dict[str, str], image: bytes) -> None:
    assert (await buy(shop, COLOR, x402(), {"bgcolor": "red"}))[0].status == 200
    response, body = await buy(shop, path, x402(), fields, image)
    assert response.status == 409
    assert set(json.loads(body)) == {"message"}


@pytest.mark.parametrize(
    ("fields", "image", "status"),
    [({"bgcolor": "reddish"}, PNG, 422), ({}, b"GIF89a no picture", 400), ({}, b"", 422)],
)
async def test_a_bad_form_is_judged_before_money_is_looked_at(
    shop: RunningShop, fake: FakeImageService, fields: dict[str, str], image: bytes, status: int
) -> None:
    if image.startswith(b"GIF"):
        fake.refusal = fail(grpc.StatusCode.INVALID_ARGUMENT, "why", "INVALID_IMAGE")
    for headers in ({}, x402(), mpp()):
        response, body = await buy(shop, COLOR, headers, fields, image)
        assert response.status == status
        assert "message" in json.loads(body)
        assert "PAYMENT-REQUIRED" not in response.headers
    assert shop.x402.settled == shop.mpp.settled == []


async def test_work_that_fails_is_not_paid_for(shop: RunningShop, fake: FakeImageService) -> None:
    fake.behaviour = fail(grpc.StatusCode.INVALID_ARGUMENT, "why", "NO_TRANSPARENCY")
    response, body = await buy(shop, GENERATE, x402(), {"prompt": "a beach"})
    assert (response.status, json.loads(body)) == (
        400,
        {"message": "The input image must have a transparent background."},
    )
    assert shop.x402.settled == []
    assert fake.requests[0].subject == images_pb2.SUBJECT_SOURCE_OWN_ALPHA


async def test_a_payment_without_a_form_buys_nothing(shop: RunningShop) -> None:
    async with shop.http.post(MATTE, headers=x402()) as response:
        assert response.status == 400
        assert await response.json() == {"message": "The request brings a payment and no picture."}
    assert shop.x402.settled == []


async def test_a_background_by_url_is_fetched_only_for_those_who_pay(shop: RunningShop) -> None:
    fields = {"bg_image_url": "http://127.0.0.1:1/inside.png"}
    assert (await buy(shop, "/image/picture/v1", {}, fields))[0].status == 402
    response, _ = await buy(shop, "/image/picture/v1", x402(), fields)
    assert response.status == 400  # And it could not be had, so nothing was taken for it.
    assert shop.x402.settled == []


async def test_where_nothing_is_open_the_unpaid_are_limited_and_the_paying_are_not(
    running_fake: RunningFake, fake: FakeImageService, tmp_path: Path
) -> None:
    async with running_shop(running_fake.address, tmp_path, limiter=LocalLimiter(2), settings=PUBLIC) as shop:
        answers = [(await buy(shop, MATTE, {}))[0] for _ in range(3)]
        assert [answer.status for answer in answers] == [402, 402, 429]
        assert answers[0].headers["RateLimit-Remaining"] == "1"
        assert (await buy(shop, MATTE, x402()))[0].status == 200


async def test_where_all_is_open_nobody_is_limited(
    running_fake: RunningFake, fake: FakeImageService, tmp_path: Path
) -> None:
    async with running_shop(running_fake.address, tmp_path, limiter=LocalLimiter(1)) as shop:
        for _ in range(3):
            response, _ = await buy(shop, MATTE, {})
            assert response.status == 200
            assert "RateLimit-Limit" not in response.headers


async def test_a_host_without_rails_asks_for_a_key(
    running_fake: RunningFake, fake: FakeImageService, tmp_path: Path
) -> None:
    payments = {"hosts": {"127.0.0.1": ()}}
    async with running_shop(running_fake.address, tmp_path, settings=PUBLIC, payments=payments) as shop:
        for headers in ({}, x402()):
            response, _ = await buy(shop, MATTE, headers)
            assert response.status == 401
