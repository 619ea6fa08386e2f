"""Payers of x402: one that pays with the official client, and one that signs whatever a test wants."""

import base64
import dataclasses
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

from eth_account import Account
from x402 import x402Client
from x402.http.utils import decode_payment_required_header, encode_payment_signature_header
from x402.mechanisms.evm.exact import register_exact_evm_client
from x402.schemas.v1 import PaymentRequiredV1

from adapter.payments.charge import Charge, digest_request
from adapter.payments.payment import Payment
from adapter.payments.rail import Challenge, Headers, Rail
from adapter.payments.x402.networks import NETWORKS, Network

PRICE = 50_000
SEPOLIA = NETWORKS["base-sepolia"]
CHARGE = Charge(
    operation="remove-background",
    resource="https://x402.test/v1/remove-background",
    amount=PRICE,
    description="Remove the background of one image",
    body=b"picture",
    digest=digest_request("remove-background", {}, b"picture"),
)
_TYPES = {
    "TransferWithAuthorization": [
        {"name": "from", "type": "address"},
        {"name": "to", "type": "address"},
        {"name": "value", "type": "uint256"},
        {"name": "validAfter", "type": "uint256"},
        {"name": "validBefore", "type": "uint256"},
        {"name": "nonce", "type": "bytes32"},
    ]
}


async def pay(challenge: Challenge, key: str, *, version: int = 2) -> Headers:
    """Pays what a 402 asks for, as the official Python client does; returns the header of the second request."""
    client = register_exact_evm_client(x402Client(), Account.from_key(key))
    if version == 1:
        required: Any = PaymentRequiredV1.model_validate_json(challenge.body)
    else:
        required = decode_payment_required_header(dict(challenge.headers)["PAYMENT-REQUIRED"])
    payload = await client.create_payment_payload(required)
    name = "X-PAYMENT" if version == 1 else "PAYMENT-SIGNATURE"
    return [(name, encode_payment_signature_header(payload))]


def sign(
    key: str,
    pay_to: str,
    *,
    amount: int = PRICE,
    payer: str | None = None,
    valid_after: int = 0,
    life_s: int = 120,
    nonce: str | None = None,
    network: Network = SEPOLIA,
    name: str | None = None,
) -> dict[str, Any]:
    """Signs an authorisation, as odd as is wanted; returns the payload. `payer`: whose it pretends to be."""
    account = Account.from_key(key)
    authorization = {
        "from": payer or account.address,
        "to": pay_to,
        "value": str(amount),
        "validAfter": str(valid_after),
        "validBefore": str(int(time.time()) + life_s),
        "nonce": nonce or "0x" + secrets.token_hex(32),
    }
    domain = {
        "name": name or network.token_name,
        "version": network.token_version,
        "chainId": network.chain_id,
        "verifyingContract": network.token,
    }
    numbers = {field: int(authorization[field]) for field in ("value", "validAfter", "validBefore")}
    message = {**authorization, **numbers, "nonce": bytes.fromhex(authorization["nonce"][2:])}
    signed = account.sign_typed_data(domain, _TYPES, message)
    return {"signature": "0x" + bytes(signed.signature).hex(), "authorization": authorization}


def present(payload: Mapping[str, Any], *, version: int = 2, **changes: Any) -> Headers:
    """Puts a payload into a header. `changes`: other fields of `accepted` (version 2), or of the document (1)."""
    if version == 1:
        return encode(
            "X-PAYMENT",
            {"x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": payload, **changes},
        )
    accepted = {
        "scheme": "exact",
        "network": SEPOLIA.caip2,
        "asset": SEPOLIA.token,
        "amount": str(PRICE),
        "payTo": payload["authorization"]["to"],
        "maxTimeoutSeconds": 180,
        "extra": {"name": SEPOLIA.token_name, "version": SEPOLIA.token_version},
        **changes,
    }
    return encode("PAYMENT-SIGNATURE", {"x402Version": 2, "payload": payload, "accepted": accepted})


def encode(name: str, document: object) -> Headers:
    """Puts a document into a header, as JSON in base64."""
    return [(name, base64.b64encode(json.dumps(document).encode()).decode())]


async def verify(rail: Rail, headers: Headers, charge: Charge = CHARGE) -> Payment:
    """Reads and verifies a payment as the gate does."""
    payment = await rail.parse(headers, charge)
    assert payment is not None
    return dataclasses.replace(payment, facts=await rail.verify(payment, charge))
