"""One authorisation has one spelling and one name; whatever is spelt otherwise is the same, or refused."""

import base64
import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.payments.errors import MalformedPaymentError
from adapter.payments.payment import Payment
from adapter.payments.rail import Headers
from adapter.payments.x402.credential import read_credential
from adapter.payments.x402.networks import NETWORKS
from tests.support.x402_payer import SEPOLIA, encode, present, sign

_KEY = "0x" + "42" * 32
_PAY_TO = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
_PAYLOAD = sign(_KEY, _PAY_TO, nonce="0x" + "ab" * 32)


def read(headers: Headers) -> Payment:
    payment = read_credential(headers, SEPOLIA.token)
    assert payment is not None
    return payment


def document(version: int) -> tuple[str, dict[str, Any]]:
    [(name, value)] = present(_PAYLOAD, version=version)
    return name, json.loads(base64.b64decode(value))


def changed(version: int, change: Callable[[dict[str, Any]], object]) -> Headers:
    """The good payment with one thing changed; `change` gets the document, with the authorisation as `a`."""
    name, fields = document(version)
    fields = copy.deepcopy(fields)
    change(fields)
    return encode(name, fields)


def authorization(fields: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = fields["payload"]["authorization"]
    return found


def test_no_payment_header_is_no_payment() -> None:
    assert read_credential([("Authorization", "Payment abc"), ("Accept", "*/*")], SEPOLIA.token) is None


@pytest.mark.parametrize("version", [1, 2])
def test_what_is_known_of_a_payment(version: int) -> None:
    payment = read(present(_PAYLOAD, version=version))
    facts, payer = payment.facts, _PAYLOAD["authorization"]["from"].lower()
    assert facts.keys == (f"x402:84532:{SEPOLIA.token}:{payer}:0x{'ab' * 32}",)
    assert (facts.payer, facts.recipient, facts.amount) == (payer, _PAY_TO.lower(), 50_000)
    assert facts.network == "eip155:84532"
    assert facts.expires_at == int(_PAYLOAD["authorization"]["validBefore"])
    assert len(facts.proof) == 64
    assert facts.proof not in _PAYLOAD["signature"]


@pytest.mark.case("P3")
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("field", ["nonce", "from", "to"])
def test_upper_case_is_the_same_payment(version: int, field: str) -> None:
    def shout(fields: dict[str, Any]) -> None:
        value = authorization(fields)[field]
        authorization(fields)[field] = "0x" + value[2:].upper()

    assert read(changed(version, shout)).facts == read(present(_PAYLOAD, version=version)).facts


@pytest.mark.case("P3")
def test_both_versions_name_one_authorization_alike() -> None:
    assert read(present(_PAYLOAD, version=1)).facts.keys == read(present(_PAYLOAD, version=2)).facts.keys


@pytest.mark.case("P3")
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("field", "respell"),
    [
        ("nonce", lambda text: "0X" + text[2:]),
        ("nonce", lambda text: text[2:]),
        ("nonce", lambda text: "0x00" + text[2:]),
        ("nonce", lambda text: text[:-2]),
        ("nonce", lambda text: text + "\n"),
        ("nonce", lambda text: " " + text),
        ("nonce", lambda text: int(text, 16)),
        ("nonce", lambda text: text.replace("a", "\uff41", 1)),
        ("from", lambda text: text[2:]),
        ("from", lambda text: "0x" + "00" * 12 + text[2:]),
        ("from", lambda text: text + " "),
        ("to", lambda text: "0X" + text[2:]),
        ("value", lambda text: "0" + text),
        ("value", lambda text: "+" + text),
        ("value", lambda text: text + ".0"),
        ("value", lambda text: "5_0000"),
        ("value", lambda text: "\u0665\u0660\u0660\u0660\u0660"),
        ("value", int),
        ("value", lambda text: "0xc350"),
        ("value", lambda text: "-50000"),
        ("validBefore", lambda text: text + "\n"),
        ("validBefore", lambda text: str(2**256 - 1)),
        ("validBefore", lambda text: str(2**63)),
        ("validAfter", lambda text: ""),
        ("validAfter", lambda text: None),
    ],
)
def test_another_spelling_is_refused(version: int, field: str, respell: Callable[[str], Any]) -> None:
    def change(fields: dict[str, Any]) -> None:
        authorization(fields)[field] = respell(authorization(fields)[field])

    with pytest.raises(MalformedPaymentError) as refused:
        read(changed(version, change))
    assert field in refused.value.message


@pytest.mark.case("P3")
@given(st.text(alphabet="0123456789abcdefABCDEFxX \n_-", max_size=70))
def test_no_text_is_read_as_two_nonces(nonce: str) -> None:
    def change(fields: dict[str, Any]) -> None:
        authorization(fields)["nonce"] = nonce

    try:
        facts = read(changed(2, change)).facts
    except MalformedPaymentError:
        return
    assert facts.keys[0].endswith(":" + nonce.lower())
    assert int(facts.evidence["nonce"], 16) == int(nonce, 16)


@pytest.mark.case("P4")
def test_the_same_nonce_on_another_token_or_chain_is_another_payment() -> None:
    token = "0x" + "cd" * 20
    names = {
        read(headers).facts.keys
        for headers in (present(_PAYLOAD), present(_PAYLOAD, asset=token), present(_PAYLOAD, network="eip155:8453"))
    }
    assert len(names) == 3


@pytest.mark.parametrize(
    "headers",
    [
        [("X-PAYMENT", "!!!")],
        [("X-PAYMENT", "")],
        [("PAYMENT-SIGNATURE", "e30=\n")],
        [("PAYMENT-SIGNATURE", base64.b64encode(b"\xff\xfe").decode())],
        [("PAYMENT-SIGNATURE", base64.b64encode(b"[" * 6000).decode())],
        [("PAYMENT-SIGNATURE", base64.b64encode(b"9" * 6000).decode())],
        encode("PAYMENT-SIGNATURE", []),
        encode("PAYMENT-SIGNATURE", None),
        encode("PAYMENT-SIGNATURE", {}),
        encode("X-PAYMENT", document(2)[1]),
        encode("PAYMENT-SIGNATURE", document(1)[1]),
        changed(2, lambda fields: fields.pop("accepted")),
        changed(2, lambda fields: fields["payload"].pop("authorization")),
        changed(2, lambda fields: fields["payload"].pop("signature")),
        changed(2, lambda fields: fields["payload"].update(signature="0xzz")),
        changed(2, lambda fields: fields["payload"].update(signature="0x123")),
        changed(2, lambda fields: fields["accepted"].update(scheme="upto")),
        changed(2, lambda fields: fields["accepted"].update(network="solana:mainnet")),
        changed(2, lambda fields: fields["accepted"].update(network="eip155:084532")),
        changed(2, lambda fields: fields["accepted"].update(asset="USDC")),
        changed(2, lambda fields: fields.update(resource="https://x402.test")),
        changed(1, lambda fields: fields.update(scheme="upto")),
        changed(1, lambda fields: fields.update(network="dogecoin")),
        changed(1, lambda fields: fields.update(payload=[])),
        changed(2, lambda fields: fields.update(extensions={"payment-identifier": {"info": {"id": "short"}}})),
        changed(2, lambda fields: fields.update(extensions={"payment-identifier": {"info": {"id": "a" * 20 + "\n"}}})),
        changed(2, lambda fields: fields.update(extensions={"payment-identifier": {"info": {"id": 7}}})),
    ],
)
def test_what_is_no_payment_is_malformed(headers: Headers) -> None:
    with pytest.raises(MalformedPaymentError):
        read(headers)


@pytest.mark.case("P15")
@pytest.mark.parametrize("names", [("X-PAYMENT", "x-payment"), ("X-PAYMENT", "Payment-Signature")])
def test_two_payments_are_none(names: tuple[str, str]) -> None:
    [(_, value)] = present(_PAYLOAD)
    with pytest.raises(MalformedPaymentError) as refused:
        read([(name, value) for name in names])
    assert refused.value.reason == "duplicate_payment"


def test_the_payers_own_name_for_its_request() -> None:
    named = {"payment-identifier": {"info": {"required": False, "id": "order-2026-11-21-0001"}}}
    assert (
        read(changed(2, lambda fields: fields.update(extensions=named))).facts.idempotency_key
        == "order-2026-11-21-0001"
    )
    assert read(present(_PAYLOAD)).facts.idempotency_key is None


def test_nothing_that_pays_is_ever_shown() -> None:
    payment = read(present(_PAYLOAD))
    assert _PAYLOAD["signature"][2:] not in f"{payment!r} {payment.credential!r} {payment.facts!r}"


def test_a_version_1_payment_on_each_network_we_know() -> None:
    for network in NETWORKS.values():
        headers = present(_PAYLOAD, version=1, network=network.name)
        payment = read_credential(headers, network.token)
        assert payment is not None
        assert payment.facts.keys[0].startswith(f"x402:{network.chain_id}:{network.token}:")
