"""The paid route with a real gate: what is sold, what is looked at first, and what is refused unpaid."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import aiohttp
import grpc
import pytest
import pytest_asyncio
from clearcanvas.v1 import images_pb2

from tests.integration.adapter.fake_service import FakeImageService, RunningFake, fail
from tests.integration.adapter.shop import (
    PATH,
    PNG,
    TRANSACTION,
    RunningShop,
    paid,
    refusal,
    running_shop,
    x402,
)

CODE = grpc.StatusCode
RAILS = ("x402", "mpp")
RECEIPTS = {"x402": "X-PAYMENT-RESPONSE", "mpp": "Payment-Receipt"}
Name = Literal["x402", "mpp"]


@pytest_asyncio.fixture
async def shop(running_fake: RunningFake, fake: FakeImageService, tmp_path: Path) -> AsyncIterator[RunningShop]:
    assert not fake.requests
    async with running_shop(running_fake.address, tmp_path) as running:
        yield running


@pytest.mark.case("P16")
async def test_an_empty_body_asks_for_the_price_of_every_rail_at_once(
    shop: RunningShop, fake: FakeImageService
) -> None:
    response = await shop.ask()
    assert response.status == 402
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["PAYMENT-REQUIRED"] == "50000"
    assert response.headers["WWW-Authenticate"].startswith("Payment ")
    assert response.headers["Cache-Control"] == "no-store"
    assert "Retry-After" not in response.headers
    assert fake.inspected == []


async def test_a_picture_without_payment_is_looked_at_and_not_worked_on(
    shop: RunningShop, fake: FakeImageService
) -> None:
    response, body = await shop.post()
    assert response.status == 402
    assert json.loads(body)["resource"] == f"http://127.0.0.1:{shop.port}{PATH}"
    assert [(request.prefix, request.total_size) for request in fake.inspected] == [(PNG, len(PNG))]
    assert fake.requests == []


@pytest.mark.case("P16")
@pytest.mark.parametrize("rail", RAILS)
async def test_a_paid_picture_is_cut_out_and_settled_once(
    shop: RunningShop, fake: FakeImageService, rail: Name
) -> None:
    response, body = await shop.post(paid(rail), query="?format=webp&model=selfie-2")
    assert (response.status, body) == (200, PNG)
    expected = {"Content-Type": "image/png", "Cache-Control": "private", RECEIPTS[rail]: TRANSACTION, "X-Width": "640"}
    assert {name: response.headers[name] for name in expected} == expected
    (request,) = fake.requests
    assert (request.output.format, request.model) == (images_pb2.IMAGE_FORMAT_WEBP, "selfie-2")
    assert request.max_pixels == 0
    assert fake.deadlines_s[0] < 16  # The work's own 15 s; gRPC rounds up.
    assert (shop.x402 if rail == "x402" else shop.mpp).settled == [f"{rail}:one"]


@pytest.mark.case("P2")
async def test_the_same_payment_gets_the_same_answer_again(shop: RunningShop, fake: FakeImageService) -> None:
    (first, body), (second, again) = [await shop.post(x402()) for _ in range(2)]
    assert (second.status, again) == (200, body)
    told = {"X-Request-ID", "Date"}
    assert {k: v for k, v in first.headers.items() if k not in told} == {
        k: v for k, v in second.headers.items() if k not in told
    }
    assert len(fake.requests) == 1
    assert shop.x402.settled == ["x402:one"]


@pytest.mark.case("P5")
@pytest.mark.parametrize("other", [{"body": PNG + b"x"}, {"query": "?format=webp"}, {"query": "?size=64"}])
async def test_a_payment_is_bound_to_its_first_request(shop: RunningShop, other: dict[str, object]) -> None:
    await shop.post(x402())
    response, body = await shop.post(x402(), **other)  # type: ignore[arg-type]
    assert response.status == 409
    assert refusal(body)[1] is False
    assert "PAYMENT-REQUIRED" not in response.headers


@pytest.mark.parametrize(
    ("content_type", "picture", "expected"),
    [
        ("image/gif", PNG, (415, "unsupported_media_type")),
        ("", PNG, (415, "unsupported_media_type")),
        ("multipart/form-data; boundary=x", PNG, (415, "unsupported_media_type")),
        ("image/jpeg", PNG, (400, "invalid_image")),
        ("image/webp", b"\xff\xd8\xff" + bytes(20), (400, "invalid_image")),
    ],
)
@pytest.mark.parametrize("payment", [{}, x402()])
async def test_the_bytes_are_what_content_type_says(
    shop: RunningShop, content_type: str, picture: bytes, expected: tuple[int, str], payment: dict[str, str]
) -> None:
    response, body = await shop.post({"Content-Type": content_type, **payment}, picture)
    assert (response.status, refusal(body)) == (expected[0], (expected[1], False))
    assert shop.x402.settled == []


@pytest.mark.parametrize("content_type", ["image/png; charset=binary", "IMAGE/PNG"])
async def test_a_type_may_be_written_in_any_case_and_with_parameters(shop: RunningShop, content_type: str) -> None:
    assert (await shop.post(x402() | {"Content-Type": content_type}))[0].status == 200


@pytest.mark.case("M2")
@pytest.mark.parametrize("reason", ["INVALID_IMAGE", "UNSUPPORTED_FORMAT", "DIMENSION_EXCEEDED", "PIXELS_EXCEEDED"])
async def test_a_bad_picture_is_never_paid_for(shop: RunningShop, fake: FakeImageService, reason: str) -> None:
    fake.refusal = fail(CODE.INVALID_ARGUMENT, "why", reason)
    response, body = await shop.post(x402())
    assert response.status == 400
    assert refusal(body) == (reason.lower(), False)
    assert fake.requests == []
    fake.refusal = None
    assert (await shop.post(x402()))[0].status == 200  # The payment was not touched.


async def test_a_header_that_does_not_fit_the_first_bytes_is_sent_on(shop: RunningShop, fake: FakeImageService) -> None:
    picture = PNG + bytes(1_000_000)
    fake.header_bytes = 300_000
    assert (await shop.post(body=picture))[0].status == 402
    lengths = [len(request.prefix) for request in fake.inspected]
    assert lengths[0] == 65_536
    assert 300_000 <= lengths[-1] < len(picture)
    assert {request.total_size for request in fake.inspected} == {len(picture)}


@pytest.mark.parametrize("payment", [{}, x402()])
async def test_a_picture_that_cannot_be_looked_at_now_is_neither_sold_nor_refused(
    shop: RunningShop, fake: FakeImageService, payment: dict[str, str]
) -> None:
    fake.refusal = fail(CODE.UNAVAILABLE, "why")
    response, body = await shop.post(payment)
    assert (response.status, refusal(body)) == (503, ("processor_unavailable", True))
    assert response.headers["Retry-After"] == "1"
    fake.refusal = None
    fake.header_bytes = len(PNG) + 1  # A service that asks for more than there is.
    response, body = await shop.post(payment)
    assert (response.status, refusal(body)) == (500, ("processing_failed", True))
    assert shop.x402.settled == []


async def test_the_query_cuts_sizes_and_places_the_result(shop: RunningShop, fake: FakeImageService) -> None:
    query = "?crop=true&crop_margin=10%25&size=640x480&scale=50%25&position=30%25%2070%25&output=mask"
    assert (await shop.post(x402(), query=query))[0].status == 200
    output = fake.requests[0].output
    assert output.crop.margin.left == images_pb2.Length(percent=10)
    assert output.canvas == images_pb2.Canvas(width=640, height=480)
    assert output.placement == images_pb2.Placement(scale=0.5, x=0.3, y=0.7)
    assert output.kind == images_pb2.OUTPUT_KIND_MASK


@pytest.mark.parametrize(
    "query",
    ["?format=gif", "?output=rgb", "?model=../etc", "?format=jpg", "?size=0", "?scale=5%25", "?crop=maybe"],
)
async def test_malformed_options_are_named(shop: RunningShop, fake: FakeImageService, query: str) -> None:
    response, body = await shop.post(x402(), query=query)
    assert response.status == 422
    assert refusal(body) == ("invalid_parameter", False)
    assert list(json.loads(body)["fields"]) == [query[1:].partition("=")[0]]
    assert fake.requests == []


async def test_accept_chooses_where_the_query_does_not(shop: RunningShop, fake: FakeImageService) -> None:
    await shop.post(x402() | {"Accept": "image/webp"})
    assert fake.requests[0].output.format == images_pb2.IMAGE_FORMAT_WEBP


async def test_a_payment_without_a_picture_buys_nothing(shop: RunningShop) -> None:
    response, body = await shop.post(x402(), b"")
    assert (response.status, refusal(body)) == (400, ("invalid_image", False))
    assert (await shop.post(x402()))[0].status == 200


async def test_the_error_body_names_the_request(shop: RunningShop) -> None:
    response, body = await shop.post({"X-Request-ID": "find-me", "Content-Type": "text/plain"})
    assert json.loads(body)["request_id"] == response.headers["X-Request-ID"] == "find-me"


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_other_methods_have_the_shape_of_the_surface(shop: RunningShop, method: str) -> None:
    async with shop.http.request(method, PATH) as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")
        assert refusal(await response.read()) == ("method_not_allowed", False)


async def test_aiohttp_can_still_be_reached_by_forms(shop: RunningShop) -> None:
    form = aiohttp.FormData()
    form.add_field("image", PNG, filename="a.png")
    async with shop.http.post("/image/matte/v1", data=form) as response:
        assert (response.status, await response.read()) == (200, PNG)
