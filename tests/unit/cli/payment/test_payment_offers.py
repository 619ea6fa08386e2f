"""What is read off a 402, and off the answer to a payment."""

import base64
import json
from typing import Any

import httpx
import pytest
from eth_account import Account
from mpp import Challenge
from mpp.methods.tempo import TempoAccount

from cli.payment import mpp, x402
from cli.payment.mpp import MppRail
from cli.payment.offer import NETWORKS, PayError
from cli.payment.x402 import X402Rail

KEY = "0x" + "11" * 32
RECIPIENT = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
SEPOLIA = NETWORKS["eip155:84532"]
MODERATO = NETWORKS["eip155:42431"]


def header(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def v2_entry(**changes: Any) -> dict[str, Any]:
    entry = {
        "scheme": "exact",
        "network": "eip155:84532",
        "asset": SEPOLIA.token,
        "amount": "50000",
        "payTo": RECIPIENT,
        "maxTimeoutSeconds": 180,
        "extra": {"name": "USDC", "version": "2"},
    }
    return entry | changes


def v2(*entries: dict[str, Any]) -> httpx.Response:
    resource = {"url": "https://example.org/x", "description": "", "mimeType": "image/png"}
    required = {"x402Version": 2, "resource": resource, "accepts": list(entries)}
    return httpx.Response(402, headers={"PAYMENT-REQUIRED": header(required)})


def v1(**changes: Any) -> httpx.Response:
    entry = {
        "scheme": "exact",
        "network": "base-sepolia",
        "maxAmountRequired": "50000",
        "resource": "https://example.org/x",
        "description": "one picture",
        "mimeType": "image/png",
        "payTo": RECIPIENT,
        "maxTimeoutSeconds": 180,
        "asset": SEPOLIA.token,
        "extra": {"name": "USDC", "version": "2"},
    }
    return httpx.Response(402, json={"x402Version": 1, "error": "Payment required", "accepts": [entry | changes]})


def challenge(**changes: Any) -> str:
    request = {
        "amount": "50000",
        "currency": MODERATO.token,
        "recipient": RECIPIENT,
        "methodDetails": {"chainId": 42431},
    }
    made = Challenge.create(
        secret_key="s" * 32, realm="clearcanvas", method="tempo", intent="charge", request=request | changes
    )
    return made.to_www_authenticate("clearcanvas")


def mpp_402(*values: str) -> httpx.Response:
    return httpx.Response(402, headers=[("WWW-Authenticate", value) for value in values])


def x402_rail() -> X402Rail:
    return X402Rail(Account.from_key(KEY))


def mpp_rail() -> MppRail:
    return MppRail(TempoAccount.from_key(KEY), {})


@pytest.mark.parametrize("response", [v2(v2_entry()), v1()], ids=["v2", "v1"])
async def test_an_x402_offer_is_read_and_signed_in_its_version(response: httpx.Response) -> None:
    rail = x402_rail()
    offer = rail.read_offer(response)
    assert (offer.network, offer.recipient, offer.amount, str(offer.price)) == (SEPOLIA, RECIPIENT, 50_000, "0.05")
    (name,) = headers = await rail.sign(offer)
    assert name == ("PAYMENT-SIGNATURE" if "PAYMENT-REQUIRED" in response.headers else "X-PAYMENT")
    authorization = json.loads(base64.b64decode(headers[name]))["payload"]["authorization"]
    assert (authorization["to"], authorization["value"]) == (RECIPIENT, "50000")


async def test_the_entry_that_was_shown_is_the_one_that_is_signed() -> None:
    rail = x402_rail()
    foreign = v2_entry(asset="0x" + "22" * 20, amount="1", extra={"name": "Other", "version": "1"})
    dearer = v2_entry(amount="60000")
    offer = rail.read_offer(v2(foreign, dearer, v2_entry()))
    assert offer.amount == 60_000
    signed = json.loads(base64.b64decode((await rail.sign(offer))["PAYMENT-SIGNATURE"]))
    assert signed["payload"]["authorization"]["value"] == "60000"


@pytest.mark.parametrize(
    "response",
    [
        v2(v2_entry(asset="0x" + "22" * 20)),
        v2(v2_entry(network="eip155:1")),
        v2(v2_entry(network="eip155:8453")),  # USDC of another chain.
        v2(v2_entry(amount="5e4")),
        v2(v2_entry(scheme="upto")),
        v2(),
        v1(network="polygon"),
    ],
)
def test_money_that_is_not_known_is_not_offered(response: httpx.Response) -> None:
    with pytest.raises(PayError, match="no token"):
        x402_rail().read_offer(response)


@pytest.mark.parametrize(
    "response", [mpp_402(challenge()), httpx.Response(402, content=b"<html>"), httpx.Response(402, json=[1])]
)
def test_a_service_without_x402_is_named_as_such(response: httpx.Response) -> None:
    with pytest.raises(PayError, match="does not offer x402"):
        x402_rail().read_offer(response)


@pytest.mark.parametrize(
    "values",
    [
        (challenge(),),
        ('Basic realm="x"', challenge()),
        (f"{challenge(currency='0x' + '33' * 20)}, {challenge()}",),
        ('Payment id="x"', challenge(methodDetails={"chainId": 1}), challenge()),
    ],
)
def test_an_mpp_offer_is_found_among_others(values: tuple[str, ...]) -> None:
    offer = mpp_rail().read_offer(mpp_402(*values))
    assert (offer.network, offer.recipient, offer.amount) == (MODERATO, RECIPIENT, 50_000)


@pytest.mark.parametrize("values", [(), ('Basic realm="x"',), ('Payment id="broken"',)])
def test_a_service_without_mpp_is_named_as_such(values: tuple[str, ...]) -> None:
    with pytest.raises(PayError, match="does not offer MPP"):
        mpp_rail().read_offer(mpp_402(*values))


@pytest.mark.parametrize(
    "value",
    [challenge(currency="0x" + "33" * 20), challenge(methodDetails={}), challenge(amount="0.05")],
)
def test_pathusd_alone_is_paid_over_mpp(value: str) -> None:
    with pytest.raises(PayError, match="no token"):
        mpp_rail().read_offer(mpp_402(value))


def test_receipts_name_the_transaction_and_broken_ones_none() -> None:
    settled = header({"success": True, "transaction": "0xabc", "network": "eip155:84532", "payer": RECIPIENT})
    assert x402.read_receipt(httpx.Headers({"PAYMENT-RESPONSE": settled})) == "0xabc"
    assert x402.read_receipt(httpx.Headers({"X-PAYMENT-RESPONSE": settled})) == "0xabc"
    receipt = {"status": "success", "timestamp": "2026-01-01T00:00:00Z", "reference": "0xdef", "method": "tempo"}
    encoded = base64.urlsafe_b64encode(json.dumps(receipt).encode()).decode().rstrip("=")
    assert mpp.read_receipt(httpx.Headers({"Payment-Receipt": encoded})) == "0xdef"
    for broken in ("", "!!", header({}), header([])):
        assert x402.read_receipt(httpx.Headers({"PAYMENT-RESPONSE": broken})) is None
        assert mpp.read_receipt(httpx.Headers({"Payment-Receipt": broken})) is None
