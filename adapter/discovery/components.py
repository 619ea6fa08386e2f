"""The headers, parameters and keys that many operations share: OpenAPI's components, beside the schemas."""

from collections.abc import Mapping

from adapter.access import API_KEY, PLAYGROUND
from adapter.options.option import Json

_TEXT: Json = {"type": "string"}
_COUNT: Json = {"type": "integer", "minimum": 0}

_NUMBERS: Mapping[str, str] = {
    "RateLimit-Limit": "Requests that may be sent in a minute.",
    "RateLimit-Remaining": "Those that are left.",
    "RateLimit-Reset": "Seconds until all of them are left again.",
    "Retry-After": "Seconds to wait before the same request is sent again.",
}
_TEXTS: Mapping[str, str] = {
    "X-Request-ID": "The request's id, in the service's log too: the caller's own, or a new one.",
    "WWW-Authenticate": "What the request lacks: a key (Bearer), or an MPP payment (Payment), one challenge a line.",
    "PAYMENT-REQUIRED": "What x402 asks for, in its version 2: JSON in base64.",
    "PAYMENT-RESPONSE": "The receipt of an x402 payment, version 2: JSON in base64.",
    "X-PAYMENT-RESPONSE": "The receipt of an x402 payment, version 1: JSON in base64.",
    "Payment-Receipt": "The receipt of an MPP payment.",
}
HEADERS: Mapping[str, Json] = {
    **{name: {"description": text, "schema": _COUNT} for name, text in _NUMBERS.items()},
    **{name: {"description": text, "schema": _TEXT} for name, text in _TEXTS.items()},
}
RECEIPTS = ("PAYMENT-RESPONSE", "X-PAYMENT-RESPONSE", "Payment-Receipt")

PARAMETERS: Mapping[str, Json] = {
    "RequestId": {
        "name": "X-Request-ID",
        "in": "header",
        "description": "An id of yours for the request: 1 to 128 letters, digits and .:_-; any other is replaced.",
        "schema": _TEXT,
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A name of yours for the request: sent again with it, it is the same job.",
        "schema": {"type": "string", "pattern": "^[!-~]([ -~]{0,253}[!-~])?$"},
    },
    "Playground": {
        "name": PLAYGROUND,
        "in": "header",
        "description": "`free` asks for one of the pictures that the operator gives away, where any are left.",
        "schema": _TEXT,
    },
    "JobId": {"name": "uuid", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}},
    "Range": {
        "name": "Range",
        "in": "header",
        "description": "One range of bytes; what cannot be read as that counts as none.",
        "schema": _TEXT,
    },
    "IfRange": {
        "name": "If-Range",
        "in": "header",
        "description": "The ETag that the part is of.",
        "schema": _TEXT,
    },
    "LastEventId": {
        "name": "Last-Event-ID",
        "in": "header",
        "description": "As browsers send it when they come back; after the last event they are told to stay away.",
        "schema": _TEXT,
    },
}

KEYS: Mapping[str, Json] = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": API_KEY},
    "Bearer": {"type": "http", "scheme": "bearer", "description": "The same keys."},
}
ANY_KEY: tuple[Json, ...] = tuple({name: []} for name in KEYS)


def refer(kind: str, name: str) -> Json:
    """A reference to a component, such as `schemas` and `Error`."""
    return {"$ref": f"#/components/{kind}/{name}"}


def refer_headers(*names: str) -> dict[str, Json]:
    """References to HEADERS."""
    return {name: refer("headers", name) for name in names}
