"""How the operations are called, for the directories of x402 (`bazaar`), written from the operations' own table."""

from collections.abc import Iterable, Mapping
from typing import Any

from adapter.jobs.orders import OPERATION, VIDEO
from adapter.jobs.paid_desk import HD
from adapter.operations import IMAGE, OPERATIONS, OUTPUT_OPTIONS, PAID, REMOVE_BACKGROUND, Operation
from adapter.options.jobs import MATTING, VIDEO_FORMAT, WEBHOOK_URL
from adapter.options.option import Json, Option
from adapter.payments.x402.config import Listing

MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp")
_BYTES = "(the bytes of the picture)"


def _list_paid() -> Listing:
    return Listing(
        input={
            "headers": {"Content-Type": "image/png"},
            "queryParams": {"format": "png"},
            "bodyType": "text",  # The extension knows json, form-data and text; this is the one that means: as it is.
            "body": _BYTES,
        },
        input_schema={
            "headers": {
                "type": "object",
                "properties": {"Content-Type": {"enum": list(MEDIA_TYPES)}},
                "required": ["Content-Type"],
            },
            "queryParams": {"type": "object", "properties": _outline(PAID.options)},
            "bodyType": {"const": "text"},
            "body": {"type": "string"},
        },
        output={"type": "image/png"},
    )


def _list_form(operation: Operation) -> Listing:
    files = {name: {"type": "string"} for name in operation.files}
    needed = {IMAGE: _BYTES} | {option.name: f"({option.name})" for option in operation.own_options if option.required}
    return Listing(
        input={"bodyType": "form-data", "body": needed},
        input_schema={
            "bodyType": {"const": "form-data"},
            "body": {
                "type": "object",
                "properties": files | _outline(operation.own_options),
                "required": list(needed),
            },
        },
        output={"type": "image/png"},
    )


def _list_job(file: str, bytes_of: str, options: Iterable[Option[Any]]) -> Listing:
    return Listing(
        input={"bodyType": "form-data", "body": {file: bytes_of}},
        input_schema={
            "bodyType": {"const": "form-data"},
            "body": {
                "type": "object",
                "properties": {file: {"type": "string"}, **_outline(options)},
                "required": [file],
            },
        },
        output={"type": "json"},
    )


def _outline(options: Iterable[Option[Any]]) -> dict[str, Json]:
    """The bare schemas: a client sends all of this back with its payment, in one header."""
    return {
        option.name: {key: value for key, value in option.schema.items() if key in {"type", "enum"}}
        for option in options
    }


SERVICE_NAME, SERVICE_TAGS = "ClearCanvas", ("image", "video", "background-removal", "photo-editing")
"""As directories name and sort the service."""
LISTINGS: Mapping[str, Listing] = {
    REMOVE_BACKGROUND: _list_paid(),
    **{operation.name: _list_form(operation) for operation in OPERATIONS},
    HD: _list_job(IMAGE, _BYTES, (OPERATION, *OUTPUT_OPTIONS, WEBHOOK_URL)),
    VIDEO: _list_job(VIDEO, "(the bytes of the video)", (OPERATION, VIDEO_FORMAT, MATTING, WEBHOOK_URL)),
}
