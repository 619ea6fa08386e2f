"""The extensions of version 2 that are offered: `payment-identifier` and `bazaar`.

Written out here because the SDK's package of extensions imports all of them, with a JSON Schema validator that only
facilitators need.
"""

from typing import Any

from adapter.payments.x402.config import Listing

PAYMENT_IDENTIFIER = "payment-identifier"
BAZAAR = "bazaar"
IDENTIFIER = r"[a-zA-Z0-9_-]{16,128}"
"""Form of a payment-identifier."""

_SCHEMA = "https://json-schema.org/draft/2020-12/schema"


def declare_identifier() -> dict[str, Any]:
    """Return the offer to take a payer's own name for its request."""
    name = {"type": "string", "minLength": 16, "maxLength": 128, "pattern": f"^{IDENTIFIER}$"}
    return {
        "info": {"required": False},
        "schema": {
            "$schema": _SCHEMA,
            "type": "object",
            "properties": {"required": {"type": "boolean"}, "id": name},
            "required": ["required"],
        },
    }


def declare_listing(listing: Listing) -> dict[str, Any]:
    """Return how an operation is called, for a directory. The SDK's own helper knows JSON bodies only."""
    call = {"type": "http", "method": "POST", **listing.input}
    properties = {"type": {"const": "http"}, "method": {"enum": ["POST"]}, **listing.input_schema}
    return {
        "info": {"input": call, "output": dict(listing.output)},
        "schema": {
            "$schema": _SCHEMA,
            "type": "object",
            "properties": {
                "input": {
                    "type": "object",
                    "properties": properties,
                    "required": sorted(call),
                    "additionalProperties": False,
                },
                "output": {"type": "object"},
            },
            "required": ["input"],
        },
    }
