"""One 402 for clients of both versions."""

import base64
import json
import re
from typing import Any

from x402.http.utils import decode_payment_required_header
from x402.schemas.v1 import PaymentRequiredV1

from adapter.payments.rail import Challenge
from adapter.payments.x402.config import Listing, X402Config
from adapter.payments.x402.networks import NETWORKS
from adapter.payments.x402.offer import Offers
from tests.support.x402_payer import CHARGE

_PAY_TO = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
_LISTING = Listing(
    input={"bodyType": "text", "body": {}, "queryParams": {"format": "png"}},
    input_schema={
        "bodyType": {"const": "text"},
        "body": {"description": "the picture"},
        "queryParams": {"type": "object", "properties": {"format": {"enum": ["png", "webp"]}}},
    },
    output={"type": "image/png"},
)


def offers(name: str = "base", **settings: Any) -> Offers:
    return Offers(
        X402Config(network=NETWORKS[name], pay_to=_PAY_TO, rpc_url="http://node.test", key="11" * 32, **settings)
    )


def header(challenge: Challenge) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(dict(challenge.headers)["PAYMENT-REQUIRED"]))
    return found


def test_the_body_is_version_1_to_the_letter() -> None:
    challenge = offers().challenge(CHARGE, None)
    assert challenge.content_type == "application/json"
    assert json.loads(challenge.body) == {
        "x402Version": 1,
        "error": "Payment required",
        "accepts": [
            {
                "scheme": "exact",
                "network": "base",
                "maxAmountRequired": "50000",
                "resource": CHARGE.resource,
                "description": CHARGE.description,
                "mimeType": "image/png",
                "payTo": _PAY_TO,
                "maxTimeoutSeconds": 180,
                "asset": NETWORKS["base"].token,
                "extra": {"name": "USD Coin", "version": "2"},
            }
        ],
    }


def test_the_header_is_version_2() -> None:
    found = header(offers("base-sepolia").challenge(CHARGE, None))
    assert found["x402Version"] == 2
    assert found["resource"] == {"url": CHARGE.resource, "description": CHARGE.description, "mimeType": "image/png"}
    assert found["accepts"] == [
        {
            "scheme": "exact",
            "network": "eip155:84532",
            "asset": NETWORKS["base-sepolia"].token,
            "amount": "50000",
            "payTo": _PAY_TO,
            "maxTimeoutSeconds": 180,
            "extra": {"name": "USDC", "version": "2"},
        }
    ]


def test_the_official_client_reads_both() -> None:
    challenge = offers().challenge(CHARGE, None)
    required = decode_payment_required_header(dict(challenge.headers)["PAYMENT-REQUIRED"])
    assert [one.amount for one in required.accepts if hasattr(one, "amount")] == ["50000"]
    assert PaymentRequiredV1.model_validate_json(challenge.body).accepts[0].max_amount_required == "50000"


def test_a_refused_payment_is_told_why() -> None:
    challenge = offers().challenge(CHARGE, ("amount_mismatch", "The price is 50000 base units."))
    assert json.loads(challenge.body)["error"] == header(challenge)["error"] == "amount_mismatch"


def test_the_answer_to_one_charge_is_not_given_to_another() -> None:
    offered = offers()
    for amount in (1, 2, 1):
        cheap = type(CHARGE)(CHARGE.operation, CHARGE.resource, amount, CHARGE.description)
        assert json.loads(offered.challenge(cheap, None).body)["accepts"][0]["maxAmountRequired"] == str(amount)


def test_the_extensions_say_how_to_call_and_how_to_name_a_request() -> None:
    extensions = header(offers(listings={"remove-background": _LISTING}).challenge(CHARGE, None))["extensions"]
    bazaar = extensions["bazaar"]
    assert bazaar["info"]["input"] == {"type": "http", "method": "POST", **_LISTING.input}
    assert set(bazaar["schema"]["properties"]["input"]["properties"]) == set(bazaar["info"]["input"])
    identifier = extensions["payment-identifier"]
    assert identifier["info"] == {"required": False}
    assert re.fullmatch(identifier["schema"]["properties"]["id"]["pattern"], "order-2026-11-21-0001")


def test_an_operation_without_a_listing_is_not_listed() -> None:
    assert "bazaar" not in header(offers().challenge(CHARGE, None))["extensions"]
