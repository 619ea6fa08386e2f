"""Payments over MCP: asked for as each rail's clients read it, carried to the service, and receipts back."""

import base64
import json
from typing import Any, cast

import httpx
import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, RequestParamsMeta
from mpp import Challenge, Receipt

from tests.support.fake_api import DONE, FACTS, IMAGE, LATER, TOO_LARGE, FakeApi, agent_of, call, words_of

OFFER = {"x402Version": 2, "accepts": [{"scheme": "exact"}]}
PAYMENT = {"x402Version": 2, "payload": {"signature": "0x1"}}


def encode(document: object) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


def ask(*, x402: bool, mpp: bool, **more: Any) -> httpx.Response:
    """A 402 of one rail, or of both."""
    headers = [("PAYMENT-REQUIRED", encode(OFFER))] if x402 else []
    if mpp:
        headers.append(("WWW-Authenticate", challenge().to_www_authenticate("service")))
    return httpx.Response(402, headers=headers, **more)


def challenge() -> Challenge:
    return Challenge.create(
        secret_key="s" * 32,
        realm="service",
        method="tempo",
        intent="charge",
        request={"amount": "50000", "currency": "0x20c0"},
        meta={"route": "matte"},
    )


def credential(asked: dict[str, Any]) -> dict[str, Any]:
    return {"org.paymentauth/credential": {"challenge": asked, "payload": {"type": "hash", "hash": "0x1"}}}


async def test_x402_is_asked_for_in_the_result_and_mpp_beside_it() -> None:
    result = await call(FakeApi(ask(x402=True, mpp=True)))
    assert json.loads(words_of(result)) == OFFER
    assert result.structured_content == OFFER
    required = (result.meta or {})["org.paymentauth/payment-required"]
    assert required["httpStatus"] == 402
    (asked,) = required["challenges"]
    assert (asked["request"]["amount"], asked["opaque"]) == ("50000", challenge().to_echo().opaque)


async def test_mpp_alone_is_asked_for_in_an_error() -> None:
    with pytest.raises(MCPError, match="Payment Required") as asked:
        await call(FakeApi(ask(x402=False, mpp=True)))
    assert asked.value.code == -32042
    assert asked.value.data["httpStatus"] == 402
    assert asked.value.data["challenges"][0]["method"] == "tempo"


async def test_a_payment_by_x402_travels_as_a_header_and_its_receipt_back() -> None:
    settled = {"success": True, "transaction": "0xabc"}
    paid = httpx.Response(200, headers=FACTS | {"PAYMENT-RESPONSE": encode(settled)}, content=b"cut-out")
    fake = FakeApi(paid)
    async with agent_of(fake, api_key="k") as client:
        result = await client.call_tool(
            "remove_background", IMAGE, meta=cast("RequestParamsMeta", {"x402/payment": PAYMENT})
        )
    assert json.loads(base64.b64decode(fake.requests[0].headers["PAYMENT-SIGNATURE"])) == PAYMENT
    assert "X-API-Key" not in fake.requests[0].headers
    assert (result.meta or {})["x402/payment-response"] == settled


async def test_a_payment_of_the_first_version_has_the_first_versions_header() -> None:
    fake = FakeApi(DONE)
    await call(fake, meta={"x402/payment": PAYMENT | {"x402Version": 1}})
    assert "X-PAYMENT" in fake.requests[0].headers


@pytest.mark.parametrize("opaque", [challenge().to_echo().opaque, {"route": "matte"}], ids=["mppx", "pympp"])
async def test_a_payment_by_mpp_travels_as_the_scheme_says_and_its_receipt_back(opaque: object) -> None:
    receipt = Receipt.success("0xabc", method="tempo").to_payment_receipt()
    fake = FakeApi(httpx.Response(200, headers=FACTS | {"Payment-Receipt": receipt}, content=b"cut-out"))
    echo = challenge().to_echo()
    asked = {
        "id": echo.id,
        "realm": echo.realm,
        "method": "tempo",
        "intent": "charge",
        "request": {"amount": "50000", "currency": "0x20c0"},
        "opaque": opaque,
    }
    result = await call(fake, meta=credential(asked))
    scheme, _, token = fake.requests[0].headers["Authorization"].partition(" ")
    sent = json.loads(base64.urlsafe_b64decode(token + "=="))
    assert scheme == "Payment"
    assert {name: sent["challenge"][name] for name in ("id", "request", "opaque")} == {
        "id": echo.id,
        "request": echo.request,
        "opaque": echo.opaque,
    }
    told = (result.meta or {})["org.paymentauth/receipt"]
    assert (told["reference"], told["challengeId"]) == ("0xabc", echo.id)
    assert told["settlement"] == {"amount": "50000", "currency": "0x20c0"}


async def test_what_is_paid_for_is_handed_over_whatever_its_receipts_look_like() -> None:
    odd = FACTS | {"Payment-Receipt": "?", "PAYMENT-RESPONSE": "?"}
    asked = {"id": "1", "realm": "service", "method": "tempo", "intent": "charge", "request": {}}
    result = await call(FakeApi(httpx.Response(200, headers=odd, content=b"cut-out")), meta=credential(asked))
    assert not result.is_error
    assert not {name for name in result.meta or {} if "receipt" in name or "x402" in name}


async def test_a_refused_credential_is_told_with_a_new_challenge() -> None:
    problem = {"type": "https://paymentauth.org/problems/payment-expired", "detail": "Too late."}
    refusal = ask(x402=True, mpp=True, content=json.dumps(problem).encode())
    refusal.headers["Content-Type"] = "application/problem+json"
    asked = {"id": "1", "realm": "service", "method": "tempo", "intent": "charge", "request": {}}
    with pytest.raises(MCPError) as refused:
        await call(FakeApi(refusal), meta=credential(asked))
    assert refused.value.code == -32043
    assert refused.value.data["problem"] == problem
    assert refused.value.data["challenges"]


@pytest.mark.parametrize(
    "meta",
    [
        {"x402/payment": "0x1"},
        {"org.paymentauth/credential": "Payment abc"},
        {"org.paymentauth/credential": {"challenge": {"id": "1"}, "payload": {}}},
        {"org.paymentauth/credential": {"challenge": {"opaque": "no base64"}, "payload": {}}},
        {"x402/payment": PAYMENT, "org.paymentauth/credential": {}},
    ],
)
async def test_a_malformed_payment_is_no_call(meta: dict[str, Any]) -> None:
    fake = FakeApi()
    with pytest.raises(MCPError) as refused:
        await call(fake, meta=meta)
    assert refused.value.code == INVALID_PARAMS
    assert fake.requests == []


async def test_what_is_paid_for_is_asked_for_again_while_nobody_knows_whether_it_is_paid() -> None:
    fake = FakeApi(LATER, httpx.ReadTimeout("slow"), DONE)
    assert not (await call(fake, meta={"x402/payment": PAYMENT})).is_error
    assert len({request.headers["PAYMENT-SIGNATURE"] for request in fake.requests}) == 1
    assert len(fake.requests) == 3


async def test_what_is_not_paid_for_is_asked_for_once() -> None:
    fake = FakeApi(LATER)
    assert "Not settled yet." in words_of(await call(fake))
    assert len(fake.requests) == 1


async def test_the_result_of_a_job_that_could_not_be_paid_is_not_asked_a_second_payment_for() -> None:
    fake = FakeApi(TOO_LARGE, httpx.Response(202, json={"uuid": "abc"}), ask(x402=True, mpp=True))
    told = words_of(await call(fake, meta={"x402/payment": PAYMENT}))
    assert "http://service/image/hd/result/abc" in told
    assert "PAYMENT-SIGNATURE" not in fake.requests[2].headers
