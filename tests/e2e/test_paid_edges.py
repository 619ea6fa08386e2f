"""What a payer may get wrong, or try, through the whole stack."""

import asyncio
import base64
import io
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from tests.support.clients import MPP_PULL, X402_V1, X402_V2, Client, pay
from tests.support.http import Answer
from tests.support.paid_pictures import make_paid_photo
from tests.support.paid_stack import PATH, PaidStack, Payer, RunningAdapter
from tests.support.recorder import Call, recording

pytestmark = pytest.mark.usefixtures("client_packages")
ONE_OF_EACH = pytest.mark.parametrize("client", [X402_V1, X402_V2, MPP_PULL], ids=lambda client: client.name)


async def hold(stack: PaidStack, adapter: RunningAdapter, client: Client, folder: Path) -> tuple[Call, Payer]:
    """A paid request as the client sends it, which has not reached the adapter; and who pays."""
    payer = await stack.payer(client.rail)
    async with recording(adapter.http) as recorder:
        recorder.holding = True
        await pay(client, recorder.url(PATH), make_paid_photo(), folder, key=payer.key, rpc_url=payer.rpc_url)
    return recorder.paid_calls()[0], payer


async def post(adapter: RunningAdapter, body: bytes, headers: list[tuple[str, str]]) -> Answer:
    """Post a body with exactly these headers, the same name possibly more than once."""
    async with aiohttp.ClientSession() as session, session.post(adapter.url(), data=body, headers=headers) as response:
        return Answer(response.status, response.headers, await response.read())


def paid_headers(call: Call) -> list[tuple[str, str]]:
    """The headers of a kept request that matter."""
    wanted = ("host", "content-type", "x-payment", "payment-signature", "authorization")
    return [(name, value) for name, value in call.headers.items() if name.lower() in wanted]


@pytest.mark.case("P16")
async def test_a_challenge_is_for_every_kind_of_client_and_is_never_cached(paid_adapter: RunningAdapter) -> None:
    answer = await post(paid_adapter, make_paid_photo(), [("Content-Type", "image/png")])
    assert answer.status == 402
    assert "no-store" in answer.headers["Cache-Control"]
    (offer,) = json.loads(answer.body)["accepts"]
    assert (offer["maxAmountRequired"], offer["network"], offer["scheme"]) == ("50000", "base-sepolia", "exact")
    (offer,) = json.loads(base64.b64decode(answer.headers["PAYMENT-REQUIRED"]))["accepts"]
    assert (offer["amount"], offer["network"]) == ("50000", "eip155:84532")
    assert answer.headers["WWW-Authenticate"].startswith("Payment ")


@pytest.mark.case("P16")
@ONE_OF_EACH
async def test_what_was_paid_is_never_cached_for_others(
    paid_stack: PaidStack, paid_adapter: RunningAdapter, client: Client, tmp_path: Path
) -> None:
    call, payer = await hold(paid_stack, paid_adapter, client, tmp_path)
    answer = await post(paid_adapter, call.body, paid_headers(call))
    assert answer.status == 200
    assert "private" in answer.headers["Cache-Control"]
    assert len(await payer.charges()) == 1


@pytest.mark.case("P15")
async def test_payment_headers_that_come_twice_or_for_two_rails_are_refused(
    paid_stack: PaidStack, paid_adapter: RunningAdapter, tmp_path: Path
) -> None:
    held = [await hold(paid_stack, paid_adapter, client, tmp_path) for client in (X402_V1, X402_V2, MPP_PULL)]
    own = [
        [header for header in paid_headers(call) if header[0].lower() not in {"host", "content-type"}]
        for call, _ in held
    ]
    frame, body = [("Content-Type", "image/png"), ("Host", held[0][0].headers["Host"])], held[0][0].body
    for first, second in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)):
        answer = await post(paid_adapter, body, [*frame, *own[first], *own[second]])
        assert answer.status == 400, (own[first][0][0], own[second][0][0])
        assert json.loads(answer.body)["retryable"] is False
        assert "WWW-Authenticate" not in answer.headers
    for _, payer in held:
        assert await payer.charges() == []


@pytest.mark.case("P5")
@ONE_OF_EACH
async def test_a_credential_that_came_with_one_picture_buys_no_other(
    paid_stack: PaidStack, paid_adapter: RunningAdapter, client: Client, tmp_path: Path
) -> None:
    call, payer = await hold(paid_stack, paid_adapter, client, tmp_path)
    first = await post(paid_adapter, call.body, paid_headers(call))
    assert first.status == 200
    other = await post(paid_adapter, make_paid_photo(200), paid_headers(call))
    assert other.status == 409
    assert (await post(paid_adapter, call.body, paid_headers(call))).body == first.body
    assert len(await payer.charges()) == 1


async def test_an_idempotency_key_gets_the_first_result_and_spends_no_second_credential(
    paid_stack: PaidStack, paid_adapter: RunningAdapter, tmp_path: Path
) -> None:
    payer, photo, headers = await paid_stack.payer("mpp"), make_paid_photo(), {"Idempotency-Key": "order-7"}
    async with recording(paid_adapter.http) as recorder:
        recorder.holding = True
        for body in (photo, photo, make_paid_photo(200)):
            await pay(MPP_PULL, recorder.url(PATH), body, tmp_path, key=payer.key, rpc_url=payer.rpc_url)
        first, second, other = [await recorder.send(call, headers=headers) for call in recorder.paid_calls()]
    assert [first.status, second.status, other.status] == [200, 200, 409]
    assert second.body == first.body
    assert second.headers["Payment-Receipt"] == first.headers["Payment-Receipt"]
    assert len(await payer.charges()) == 1


async def test_webp_is_paid_for_as_webp(paid_stack: PaidStack, paid_adapter: RunningAdapter, tmp_path: Path) -> None:
    payer = await paid_stack.payer("x402")
    async with recording(paid_adapter.http) as recorder:
        url = recorder.url(f"{PATH}?format=webp")
        paid = await pay(X402_V2, url, make_paid_photo(), tmp_path, key=payer.key, rpc_url=payer.rpc_url)
        (call,) = recorder.paid_calls()
        as_png = await recorder.send(replace(call, path=PATH))
    assert (paid.status, paid.headers["content-type"]) == (200, "image/webp")
    picture = Image.open(io.BytesIO(paid.picture))
    assert (picture.format, picture.mode, picture.size) == ("WEBP", "RGBA", (256, 256))
    assert as_png.status == 409
    assert len(await payer.charges()) == 1


@pytest.mark.case("P6")
async def test_the_hash_of_a_transaction_that_was_paid_with_buys_nothing(
    paid_stack: PaidStack, paid_adapter: RunningAdapter, tmp_path: Path
) -> None:
    call, payer = await hold(paid_stack, paid_adapter, MPP_PULL, tmp_path)
    paid = await post(paid_adapter, call.body, paid_headers(call))
    assert paid.status == 200
    (charge,) = await payer.charges()
    credential = json.loads(_decode(call.credential.removeprefix("Payment ")))
    fresh_call, _ = await hold(paid_stack, paid_adapter, MPP_PULL, tmp_path)
    fresh = json.loads(_decode(fresh_call.credential.removeprefix("Payment ")))
    for challenge in (credential["challenge"], fresh["challenge"]):
        forged = {**credential, "challenge": challenge, "payload": {"type": "hash", "hash": charge.transaction}}
        headers = [("Content-Type", "image/png"), ("Host", call.headers["Host"]), ("Authorization", _encode(forged))]
        answer = await post(paid_adapter, make_paid_photo(200), headers)
        assert answer.status in {403, 409}, answer.body
        assert "WWW-Authenticate" not in answer.headers
    assert len(await payer.charges()) == 1


@pytest.mark.case("H7")
async def test_thirty_unpaid_requests_a_minute_over_all_adapters_and_the_paid_pass(
    paid_stack: PaidStack, redis_url: str, tmp_path: Path
) -> None:
    photo = make_paid_photo()
    shared: dict[str, Any] = {"unpaid_per_minute": 30, "rate_limit_storage": f"{redis_url}/7"}
    async with (
        paid_stack.adapter(tmp_path / "one", **shared) as one,
        paid_stack.adapter(tmp_path / "two", **shared) as two,
    ):
        call, payer = await hold(paid_stack, one, X402_V2, tmp_path)  # The first unpaid one.
        unpaid = [("Content-Type", "image/png")]
        answers = [
            answer
            for _ in range(10)  # A few at a time: adapters that wait long for Redis would count alone.
            for answer in await asyncio.gather(*(post(adapter, photo, unpaid) for adapter in (one, two, one, two)))
        ]
        assert Counter(answer.status for answer in answers) == {402: 29, 429: 11}
        for refused in (answer for answer in answers if answer.status == 429):
            assert 1 <= int(refused.headers["Retry-After"]) <= 60
            assert refused.headers["RateLimit-Remaining"] == "0"
        assert (await post(one, call.body, paid_headers(call))).status == 200
    assert len(await payer.charges()) == 1


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encode(credential: object) -> str:
    return "Payment " + base64.urlsafe_b64encode(json.dumps(credential).encode()).decode().rstrip("=")
