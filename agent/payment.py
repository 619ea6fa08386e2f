"""Payments between MCP, where they travel beside the arguments, and HTTP, where they travel as headers.

Nothing is verified here: the service does that. x402 asks in the result of the call and is paid in its metadata
(x402's own MCP transport); MPP asks in an error (draft-payment-transport-mcp), or in a result's metadata where x402
has the result.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, CallToolResult, TextContent
from mpp import Challenge, Receipt
from mpp._parsing import ParseError
from mpp.extensions.mcp.constants import (
    CODE_PAYMENT_REQUIRED,
    CODE_PAYMENT_VERIFICATION_FAILED,
    META_CREDENTIAL,
    META_RECEIPT,
)
from mpp.extensions.mcp.types import MCPChallenge, MCPCredential, MCPReceipt

X402_PAYMENT, X402_RECEIPT = "x402/payment", "x402/payment-response"
MPP_REQUIRED = "org.paymentauth/payment-required"
"""How MPP's clients find its challenges in a result, for servers that cannot answer with an error."""

_PAYMENT_REQUIRED = 402
_OPAQUE = "opaque"
_SETTLEMENT = ("amount", "currency")  # What of a challenge its receipt repeats.


@dataclass(frozen=True)
class Payment:
    """What a call brings to pay with; perhaps nothing."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    mpp: MCPCredential | None = field(default=None, repr=False)

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self.headers)


def read_payment(meta: Mapping[str, Any]) -> Payment:
    """The payment in a call's metadata.

    Raises:
        MCPError: It cannot be read, or there are two.
    """
    x402, mpp = meta.get(X402_PAYMENT), meta.get(META_CREDENTIAL)
    if x402 is not None and mpp is not None:
        raise MCPError(INVALID_PARAMS, "The call brings two payments; send one.")
    if x402 is not None:
        return _read_x402(x402)
    return _read_mpp(mpp) if mpp is not None else Payment()


def ask(response: httpx.Response, payment: Payment) -> CallToolResult:
    """Tells what a 402 asks for.

    Raises:
        MCPError: There is no other way to pay than MPP, or it was tried: its own words are an error.
    """
    offer = _decode(response.headers.get("PAYMENT-REQUIRED", ""))
    challenges = _read_challenges(response)
    required = {"httpStatus": _PAYMENT_REQUIRED, "challenges": challenges}
    if challenges and (offer is None or payment.mpp is not None):
        refused = payment.mpp is not None
        more = {"problem": response.json()} if "problem+json" in response.headers.get("Content-Type", "") else {}
        raise MCPError(
            CODE_PAYMENT_VERIFICATION_FAILED if refused else CODE_PAYMENT_REQUIRED,
            "Payment Verification Failed" if refused else "Payment Required",
            {**required, **more},
        )
    if offer is None:
        raise MCPError(INTERNAL_ERROR, "The service asks for a payment and names no way to pay.")
    meta = {MPP_REQUIRED: required} if challenges else None
    text = TextContent(text=json.dumps(offer))
    return CallToolResult(content=[text], structured_content=offer, is_error=True, _meta=meta)


def read_receipts(response: httpx.Response, payment: Payment) -> dict[str, Any]:
    """The receipts of an answer, as the metadata of a result."""
    receipts: dict[str, Any] = {}
    for name in ("PAYMENT-RESPONSE", "X-PAYMENT-RESPONSE"):
        if (settled := _decode(response.headers.get(name, ""))) is not None:
            receipts[X402_RECEIPT] = settled
    if payment.mpp is not None and "Payment-Receipt" in response.headers:
        challenge = payment.mpp.challenge
        settlement = {name: challenge.request[name] for name in _SETTLEMENT if name in challenge.request}
        with suppress(ParseError):  # What is paid for is handed over whatever its receipt looks like.
            receipt = Receipt.from_payment_receipt(response.headers["Payment-Receipt"])
            told = MCPReceipt.from_core(receipt, challenge.id, challenge.method, settlement)
            receipts[META_RECEIPT] = told.to_dict()
    return receipts


def _read_x402(payload: object) -> Payment:
    if not isinstance(payload, dict):
        raise MCPError(INVALID_PARAMS, f"{X402_PAYMENT} must be an object.")
    name = "X-PAYMENT" if payload.get("x402Version") == 1 else "PAYMENT-SIGNATURE"
    return Payment({name: base64.b64encode(json.dumps(payload).encode()).decode()})


def _read_mpp(value: object) -> Payment:
    try:
        credential = MCPCredential.from_dict(_open_opaque(value))
        return Payment({"Authorization": credential.to_core().to_authorization()}, credential)
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise MCPError(
            INVALID_PARAMS, f"{META_CREDENTIAL} cannot be read.", {"httpStatus": _PAYMENT_REQUIRED}
        ) from error


def _open_opaque(value: Any) -> dict[str, Any]:  # noqa: ANN401 - what it is not, is found out by taking it so.
    """A credential, from the form that mppx gives it to the one that pympp reads: with what is opaque in the open."""
    challenge = value["challenge"]
    if not isinstance(challenge.get(_OPAQUE), str):
        return dict(value)
    opened = json.loads(base64.urlsafe_b64decode(challenge[_OPAQUE] + "=="))
    return {**value, "challenge": {**challenge, _OPAQUE: opened}}


def _read_challenges(response: httpx.Response) -> list[dict[str, Any]]:
    found = []
    for value in response.headers.get_list("WWW-Authenticate"):
        try:
            challenge = Challenge.from_www_authenticate(value)
        except ParseError:  # Another scheme's.
            continue
        told = MCPChallenge.from_core(challenge, challenge.realm, challenge.expires, challenge.description).to_dict()
        # As it stands in the header: mppx reads no other form of it.
        found.append(told | ({_OPAQUE: challenge.to_echo().opaque} if _OPAQUE in told else {}))
    return found


def _decode(header: str) -> dict[str, Any] | None:
    """The JSON in a header of x402."""
    try:
        document = json.loads(base64.b64decode(header))
    except (binascii.Error, ValueError):
        return None
    return document if isinstance(document, dict) else None
