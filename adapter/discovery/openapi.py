"""The OpenAPI 3.1 document, written from the tables that the code itself uses."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version

from adapter.discovery.listings import MEDIA_TYPES
from adapter.discovery.way import WayToPay
from adapter.operations import IMAGE, OPERATIONS, PAID, Operation
from adapter.sale.offers import Priced
from adapter.uploads.body import UploadLimits

Json = Mapping[str, object]

_ERRORS: Mapping[int, str] = {
    400: "Invalid image: bad format, not what Content-Type says, or a side over 10,000 pixels; or a malformed payment.",
    401: "No way to pay is offered on this host.",
    403: "The payment was used up elsewhere.",
    408: "The body did not arrive in time.",
    409: "The payment, or its idempotency key, first came with another request.",
    410: "The payment was delivered, and its result is kept no longer.",
    413: "The body is over 25 MB.",
    415: "Content-Type is none of the accepted ones.",
    422: "A query parameter is malformed.",
    429: "Too many requests without payment.",
    500: "Processing failed; the same request may be sent again.",
    503: "Unavailable, or the payment's outcome is not known yet; send the same request again, with the same payment.",
}
_FORM_ERRORS: Mapping[int, str] = {
    400: "No picture, or one that is too large for this endpoint.",
    413: "The body is over its limit.",
    415: "Not multipart/form-data, or not PNG, JPEG or WebP.",
    422: "A field is missing or malformed.",
    500: "Internal server error.",
    503: "Unavailable; try again later.",
    504: "The picture was not ready in time.",
}
_BINARY: Json = {"type": "string", "contentMediaType": "application/octet-stream"}


def build_document(base_url: str, priced: Priced, ways: Sequence[WayToPay]) -> Json:
    """The document for one host."""
    paths: dict[str, object] = {operation.path: {"post": _describe_form(operation)} for operation in OPERATIONS}
    paths[priced.path] = {"post": _describe_paid(priced, ways)}
    paths["/health"] = {"get": _describe_probe("Whether the service is alive.")}
    paths["/ready"] = {"get": _describe_probe("Whether the service can serve, with what model, and how it is paid.")}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ClearCanvas",
            "version": version("clearcanvas"),
            "summary": "Background removal, paid by call.",
        },
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {
            "schemas": {
                "Error": {
                    "type": "object",
                    "required": ["error", "message", "retryable", "request_id"],
                    "properties": {
                        "error": {"type": "string", "description": "A machine code."},
                        "message": {"type": "string"},
                        "retryable": {"type": "boolean"},
                        "request_id": {"type": "string"},
                        "fields": {"type": "object", "additionalProperties": {"type": "string"}},
                    },
                },
                "FormError": {
                    "type": "object",
                    "required": ["message"],
                    "properties": {
                        "message": {"type": "string"},
                        "fields": {"type": "object", "additionalProperties": {"type": "string"}},
                    },
                },
            }
        },
        "x-service-info": {"categories": ["image", "background-removal"]},
    }


def _describe_paid(priced: Priced, ways: Sequence[WayToPay]) -> Json:
    operation: dict[str, object] = {
        "operationId": priced.name,
        "summary": priced.description,
        "parameters": [
            {"name": option.name, "in": "query", "required": False, "schema": dict(option.schema)}
            for option in PAID.options
        ],
        "requestBody": {"required": True, "content": {media_type: {"schema": {}} for media_type in MEDIA_TYPES}},
        "responses": {
            "200": _pictures("The picture, paid for, with the receipt in the headers.", ("image/png", "image/webp")),
            "402": {
                "description": "Payment required: x402 in the body and in PAYMENT-REQUIRED, MPP in WWW-Authenticate.",
                "headers": {
                    "PAYMENT-REQUIRED": {"schema": {"type": "string"}},
                    "WWW-Authenticate": {"schema": {"type": "string"}},
                },
            },
            **{str(status): _error(text, "Error") for status, text in _ERRORS.items()},
        },
    }
    if ways:
        operation["x-payment-info"] = {
            "offers": [
                {
                    "intent": way.intent,
                    "method": way.method,
                    "amount": str(priced.amount),
                    "currency": way.currency,
                    "network": way.network,
                    "description": priced.description,
                }
                for way in ways
            ]
        }
    return operation


def _describe_form(operation: Operation) -> Json:
    properties: dict[str, object] = {name: {**_BINARY, "description": text} for name, text in operation.files.items()}
    properties |= {option.name: dict(option.schema) for option in operation.options}
    required = [IMAGE, *(option.name for option in operation.options if option.required)]
    limits = UploadLimits()
    return {
        "operationId": operation.path.strip("/").replace("/", "-"),
        "summary": operation.summary,
        "description": f"The picture has at most {operation.max_pixels} pixels and {limits.image_bytes} bytes.",
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": {"type": "object", "required": required, "properties": properties}}
            },
        },
        "responses": {
            "200": _pictures("The picture.", MEDIA_TYPES),
            **{str(status): _error(text, "FormError") for status, text in _FORM_ERRORS.items()},
        },
    }


def _describe_probe(summary: str) -> Json:
    answer = {"content": {"application/json": {"schema": {"type": "object"}}}}
    return {
        "summary": summary,
        "responses": {"200": {"description": "Yes.", **answer}, "503": {"description": "No.", **answer}},
    }


def _pictures(description: str, media_types: Sequence[str]) -> Json:
    return {"description": description, "content": {media_type: {"schema": {}} for media_type in media_types}}


def _error(description: str, schema: str) -> Json:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {"description": description, "content": {"application/json": {"schema": reference}}}
