"""The paid route when something goes wrong: who is charged, who is asked to pay again, and who never is."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import grpc
import pytest
import pytest_asyncio
from clearcanvas.v1.images_pb2 import EditRequest, EditResponse

from adapter.payments.errors import OutcomeUnknownError, PaymentSpentError
from tests.integration.adapter.fake_service import Behaviour, Context, FakeImageService, RunningFake, fail, header
from tests.integration.adapter.shop import (
    PATH,
    PNG,
    REQUIRED,
    RunningShop,
    mpp,
    paid,
    refusal,
    running_shop,
    x402,
)

CODE = grpc.StatusCode
RAILS = ("x402", "mpp")
Name = Literal["x402", "mpp"]


@pytest_asyncio.fixture
async def shop(running_fake: RunningFake, fake: FakeImageService, tmp_path: Path) -> AsyncIterator[RunningShop]:
    assert not fake.requests
    async with running_shop(running_fake.address, tmp_path) as running:
        yield running


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (fail(CODE.INTERNAL, "secret", "PROCESSING_FAILED"), (500, "processing_failed")),
        (fail(CODE.UNKNOWN, "secret"), (500, "processing_failed")),
        (fail(CODE.RESOURCE_EXHAUSTED, "why", "OVERLOADED", retry_after_s=3), (503, "overloaded")),
        (fail(CODE.UNAVAILABLE, "why", "MODEL_UNAVAILABLE"), (503, "model_unavailable")),
        (fail(CODE.UNAVAILABLE, "why"), (503, "processor_unavailable")),
        (fail(CODE.DEADLINE_EXCEEDED, "why", "DEADLINE_EXCEEDED"), (503, "deadline_exceeded")),
    ],
)
@pytest.mark.parametrize("rail", RAILS)
async def test_work_that_fails_costs_nothing_and_the_payment_stays_good(
    shop: RunningShop, fake: FakeImageService, behaviour: Behaviour, expected: tuple[int, str], rail: Name
) -> None:
    fake.behaviour = behaviour
    response, body = await shop.post(paid(rail))
    assert (response.status, refusal(body)) == (expected[0], (expected[1], True))
    assert b"secret" not in body
    assert ("Retry-After" in response.headers) == (response.status == 503)
    assert response.headers["Cache-Control"] == "no-store"
    assert (shop.x402.settled, shop.mpp.settled) == ([], [])
    fake.reset()
    assert (await shop.post(paid(rail)))[0].status == 200


async def test_work_past_its_deadline_is_cancelled(running_fake: RunningFake, tmp_path: Path) -> None:
    async def never(_: EditRequest, __: Context) -> AsyncIterator[EditResponse]:
        yield header(10)
        await asyncio.Event().wait()

    fake = running_fake.service
    fake.reset()
    fake.behaviour = never
    async with running_shop(running_fake.address, tmp_path, work_s=0.3) as shop:
        response, body = await shop.post(x402())
        assert response.status == 503
        assert refusal(body) == ("deadline_exceeded", True)
        await asyncio.wait_for(fake.cancelled.wait(), 30)
        assert shop.x402.settled == []


async def test_a_void_x402_payment_gets_a_fresh_challenge_that_says_why(shop: RunningShop) -> None:
    shop.x402.refusal = REQUIRED
    response, body = await shop.post(x402())
    assert response.status == 402
    assert json.loads(body)["error"] == "insufficient_funds"
    assert response.headers["WWW-Authenticate"]


async def test_a_void_mpp_payment_gets_a_problem_and_a_fresh_challenge(shop: RunningShop) -> None:
    shop.mpp.refusal = REQUIRED
    response, body = await shop.post(mpp())
    assert response.status == 402
    assert response.headers["Content-Type"] == "application/problem+json"
    assert json.loads(body)["type"].endswith("insufficient_funds")
    assert response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("rail", RAILS)
async def test_a_settlement_that_certainly_failed_delivers_nothing_and_asks_again(
    shop: RunningShop, rail: Name
) -> None:
    till = shop.x402 if rail == "x402" else shop.mpp
    till.trouble = REQUIRED
    response, body = await shop.post(paid(rail))
    assert response.status == 402
    assert PNG not in body


@pytest.mark.case("P9")
@pytest.mark.parametrize("rail", RAILS)
async def test_an_unknown_outcome_is_503_and_never_a_challenge(
    shop: RunningShop, fake: FakeImageService, rail: Name
) -> None:
    till = shop.x402 if rail == "x402" else shop.mpp
    till.trouble = OutcomeUnknownError("outcome_unknown", "Not known yet.", 2)
    response, body = await shop.post(paid(rail))
    assert (response.status, response.headers["Retry-After"]) == (503, "2")
    assert refusal(body) == ("outcome_unknown", True)
    assert not {"PAYMENT-REQUIRED", "WWW-Authenticate"} & set(response.headers)
    till.trouble = None
    for _ in range(100):  # Until whoever holds the claim has let go of it.
        response, body = await shop.post(paid(rail))
        if response.status == 200:
            break
        assert response.status == 503
        await asyncio.sleep(0.05)
    assert (response.status, body) == (200, PNG)
    assert len(fake.requests) == 1
    assert till.settled == [f"{rail}:one"]


@pytest.mark.parametrize("rail", RAILS)
async def test_a_spent_payment_is_refused_without_a_challenge(shop: RunningShop, rail: Name) -> None:
    (shop.x402 if rail == "x402" else shop.mpp).refusal = PaymentSpentError("nonce_used", "Used elsewhere.")
    response, body = await shop.post(paid(rail))
    assert response.status == 403
    assert refusal(body) == ("nonce_used", False)
    assert not {"PAYMENT-REQUIRED", "WWW-Authenticate"} & set(response.headers)
    problem = response.headers["Content-Type"] == "application/problem+json"
    assert problem == (rail == "mpp")
    if problem:
        assert json.loads(body)["type"] == "https://paymentauth.org/problems/verification-failed"
        assert json.loads(body)["status"] == 403


@pytest.mark.parametrize("with_picture", [True, False])
async def test_an_unreadable_payment_is_400_for_x402_and_a_challenge_for_mpp(
    shop: RunningShop, *, with_picture: bool
) -> None:
    body = PNG if with_picture else b""
    response, answer = await shop.post(x402("unreadable"), body)
    assert (response.status, refusal(answer)) == (400, ("invalid_payload", False))
    response, answer = await shop.post(mpp("unreadable"), body)
    assert response.status == 402
    assert response.headers["WWW-Authenticate"]
    assert json.loads(answer)["type"].endswith("invalid_payload")


@pytest.mark.case("P15")
@pytest.mark.parametrize(
    "headers",
    [
        [("X-PAYMENT", "one"), ("X-PAYMENT", "two")],
        [("Authorization", "Payment one"), ("Authorization", "Payment two")],
        [("X-PAYMENT", "one"), ("Authorization", "Payment one")],
    ],
)
async def test_two_payments_are_400(shop: RunningShop, fake: FakeImageService, headers: list[tuple[str, str]]) -> None:
    async with shop.http.post(PATH, data=PNG, headers=[("Content-Type", "image/png"), *headers]) as response:
        assert response.status == 400
        assert refusal(await response.read()) == ("duplicate_payment", False)
    assert fake.requests == []


@pytest.mark.case("H11")
async def test_a_client_that_goes_before_it_is_charged_is_not_charged(
    shop: RunningShop, fake: FakeImageService
) -> None:
    async def never(_: EditRequest, __: Context) -> AsyncIterator[EditResponse]:
        await asyncio.Event().wait()
        yield header(0)

    fake.behaviour = never
    request = asyncio.create_task(shop.post(x402()))
    await asyncio.wait_for(fake.started.wait(), 30)
    request.cancel()
    await asyncio.wait_for(fake.cancelled.wait(), 30)
    fake.reset()
    for _ in range(100):  # Until the claim is given back.
        response, _ = await shop.post(x402())
        if response.status == 200:
            break
        await asyncio.sleep(0.05)
    assert response.status == 200
    assert shop.x402.settled == ["x402:one"]


@pytest.mark.case("H11")
async def test_a_client_that_goes_while_it_is_charged_finds_its_result_later(
    shop: RunningShop, fake: FakeImageService
) -> None:
    shop.x402.release.clear()
    request = asyncio.create_task(shop.post(x402()))
    await asyncio.wait_for(shop.x402.settling.wait(), 30)
    request.cancel()
    await asyncio.wait({request})
    shop.x402.release.set()
    for _ in range(100):
        response, body = await shop.post(x402())
        if response.status == 200:
            break
        await asyncio.sleep(0.05)
    assert (response.status, body) == (200, PNG)
    assert len(fake.requests) == 1
    assert shop.x402.settled == ["x402:one"]


async def test_no_credential_reaches_the_log(
    shop: RunningShop, fake: FakeImageService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for headers in (x402("canary-7c1"), mpp("canary-7c1")):
        await shop.post(headers)
        fake.behaviour = fail(CODE.UNKNOWN, "broken")
        await shop.post(headers | {"X-PAYMENT": "canary-7c2"} if "X-PAYMENT" in headers else headers)
        fake.reset()
    assert "remove-background" in caplog.text
    assert "canary" not in caplog.text
