"""Reads an x402 credential of either version. Strictly: one authorisation has one spelling, and so one name.

Only the form is judged here, by rules that neither time nor settings change.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.payments.errors import MalformedPaymentError
from adapter.payments.payment import Payment, PaymentFacts
from adapter.payments.rail import Headers
from adapter.payments.x402.extensions import IDENTIFIER, PAYMENT_IDENTIFIER
from adapter.payments.x402.networks import NETWORKS

_HEADERS = {"x-payment": 1, "payment-signature": 2}
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_NONCE = re.compile(r"0x[0-9a-fA-F]{64}")
_SIGNATURE = re.compile(r"0x(?:[0-9a-fA-F]{2})+")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_CHAIN = re.compile(r"eip155:[1-9][0-9]{0,17}")
# What a ledger's integer column holds: no token has as many units, no date lies as far.
_NUMBER_LIMIT = 2**63
_URL = re.compile(r"\S{1,2048}")
_V1_NETWORK = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True)
class Authorization:
    """An EIP-3009 TransferWithAuthorization. Addresses and nonce lower-case; dates are Unix seconds."""

    payer: str
    recipient: str
    amount: int
    valid_after: int
    valid_before: int
    nonce: str


@dataclass(frozen=True)
class Offer:
    """What the payer says it accepted. Version 1 names the network only; None stands for what was not said."""

    network: str
    token: str | None = None
    amount: int | None = None
    recipient: str | None = None
    resource: str | None = None


@dataclass(frozen=True)
class Credential:
    """A payment as its payer sent it, in canonical spelling."""

    version: int
    offer: Offer
    authorization: Authorization
    signature: str = field(repr=False)


def read_credential(headers: Headers, token: str) -> Payment | None:
    """Read the payment in `headers`; None where there is none. `token`: what a version 1 payment, naming none, is in.

    Raises MalformedPaymentError.
    """
    found = [(_HEADERS[name.lower()], value) for name, value in headers if name.lower() in _HEADERS]
    if not found:
        return None
    if len(found) > 1:
        raise MalformedPaymentError("duplicate_payment", "Send one payment header, once.")
    version, value = found[0]
    document = _Fields(_decode(value), "payment")
    if document.get("x402Version") != version:
        raise _malformed("x402Version does not fit the header it came in")
    offer = _read_offer_v1(document) if version == 1 else _read_offer_v2(document)
    payload = document.fields("payload")
    credential = Credential(
        version, offer, _read_authorization(payload.fields("authorization")), payload.text("signature", _SIGNATURE)
    )
    return Payment(_state_facts(credential, offer.token or token, _read_identifier(document)), credential)


def _state_facts(credential: Credential, token: str, identifier: str | None) -> PaymentFacts:
    paid, network = credential.authorization, credential.offer.network
    chain_id = network.removeprefix("eip155:")
    return PaymentFacts(
        rail="x402",
        network=network,
        token=token,
        payer=paid.payer,
        recipient=paid.recipient,
        amount=paid.amount,
        keys=(f"x402:{chain_id}:{token}:{paid.payer}:{paid.nonce}",),
        expires_at=paid.valid_before,
        evidence={"nonce": paid.nonce, "version": str(credential.version)},
        idempotency_key=identifier,
        proof=hashlib.sha256(bytes.fromhex(credential.signature[2:])).hexdigest(),
    )


def _decode(header: str) -> object:
    try:
        return json.loads(base64.b64decode(header, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise _malformed("it is not base64 of JSON") from None


def _read_offer_v1(document: "_Fields") -> Offer:
    _require_exact(document)
    network = NETWORKS.get(document.text("network", _V1_NETWORK))
    if network is None:
        raise _malformed("its network is not known here")
    return Offer(network.caip2)


def _read_offer_v2(document: "_Fields") -> Offer:
    accepted = document.fields("accepted")
    _require_exact(accepted)
    resource = document.get("resource")
    return Offer(
        network=accepted.text("network", _CHAIN),
        token=accepted.text("asset", _ADDRESS).lower(),
        amount=accepted.number("amount"),
        recipient=accepted.text("payTo", _ADDRESS).lower(),
        resource=None if resource is None else _Fields(resource, "resource").text("url", _URL),
    )


def _require_exact(fields: "_Fields") -> None:
    if fields.get("scheme") != "exact":
        raise _malformed("its scheme is not `exact`")


def _read_authorization(fields: "_Fields") -> Authorization:
    return Authorization(
        payer=fields.text("from", _ADDRESS).lower(),
        recipient=fields.text("to", _ADDRESS).lower(),
        amount=fields.number("value"),
        valid_after=fields.number("validAfter"),
        valid_before=fields.number("validBefore"),
        nonce=fields.text("nonce", _NONCE).lower(),
    )


def _read_identifier(document: "_Fields") -> str | None:
    extensions = document.get("extensions")
    extension = extensions.get(PAYMENT_IDENTIFIER) if isinstance(extensions, dict) else None
    info = extension.get("info") if isinstance(extension, dict) else None
    identifier = info.get("id") if isinstance(info, dict) else None
    if identifier is None:
        return None
    if not isinstance(identifier, str) or not re.fullmatch(IDENTIFIER, identifier):
        raise _malformed("its payment-identifier is not 16 to 128 letters, digits, - and _")
    return identifier


def _malformed(why: str) -> MalformedPaymentError:
    return MalformedPaymentError("invalid_payload", f"The payment cannot be read: {why}.")


class _Fields:
    """A JSON object whose fields are taken out by form. Error texts name a field and never its value."""

    def __init__(self, value: object, name: str) -> None:
        if not isinstance(value, dict):
            raise _malformed(f"{name} is not an object")
        self._value: Mapping[str, Any] = value

    def get(self, name: str) -> Any:  # noqa: ANN401 (JSON)
        return self._value.get(name)

    def fields(self, name: str) -> "_Fields":
        return _Fields(self._value.get(name), name)

    def text(self, name: str, form: re.Pattern[str]) -> str:
        value = self._value.get(name)
        if not isinstance(value, str) or not form.fullmatch(value):
            raise _malformed(f"{name} is missing or ill-formed")
        return value

    def number(self, name: str) -> int:
        number = int(self.text(name, _NUMBER))
        if number >= _NUMBER_LIMIT:
            raise _malformed(f"{name} is out of range")
        return number
