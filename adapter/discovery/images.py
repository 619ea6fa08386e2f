"""The image operations for OpenAPI, written from their own table."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapter.access import NEVER_FREE
from adapter.discovery.answers import describe_body_answers, describe_form_answers
from adapter.discovery.components import ANY_KEY, refer
from adapter.discovery.listings import MEDIA_TYPES
from adapter.operations import BACKGROUND, IMAGE, PAID, Operation
from adapter.options.backgrounds import BG_IMAGE_URL
from adapter.options.generation import GENERATION
from adapter.options.option import Json, Option
from adapter.uploads.body import UploadLimits

FILE: Json = {"type": "string", "minLength": 1, "contentMediaType": "application/octet-stream"}
"""A field that holds a file; `encoding` says of what types it may be."""
TAG = "Images"


def describe_body() -> dict[str, object]:
    """The operation whose body is the picture."""
    return {
        "operationId": PAID.name,
        "tags": [TAG],
        "summary": PAID.summary,
        "description": "Paid by call, without an account. A request without a body asks for the price.",
        "security": [],
        "parameters": [
            refer("parameters", "RequestId"),
            *({"name": option.name, "in": "query", "schema": describe_option(option)} for option in PAID.options),
        ],
        "requestBody": {"required": True, "content": {media_type: {} for media_type in MEDIA_TYPES}},
        "responses": describe_body_answers(MEDIA_TYPES),
    }


def describe_form(operation: Operation) -> dict[str, object]:
    """An operation that takes a form."""
    properties: dict[str, Json] = {name: {**FILE, "description": text} for name, text in operation.files.items()}
    properties |= {option.name: describe_option(option) for option in operation.options}
    required = [IMAGE, *(option.name for option in operation.options if option.required)]
    schema: dict[str, object] = {"type": "object", "required": required, "properties": properties}
    if BACKGROUND in operation.files:
        schema["oneOf"] = [{"required": [BACKGROUND]}, {"required": [BG_IMAGE_URL.name]}]
    limits = UploadLimits()
    return {
        "operationId": name_operation(operation.path),
        "tags": [TAG],
        "summary": operation.summary,
        "description": f"At most {limits.image_bytes} bytes a picture, {operation.max_pixels} pixels before and after.",
        "security": [*ANY_KEY, {}],
        "parameters": [refer("parameters", "RequestId"), *_ask_for_free(operation)],
        "requestBody": {
            "required": True,
            "content": describe_form_body(schema, dict.fromkeys(operation.files, MEDIA_TYPES)),
        },
        "responses": describe_form_answers(MEDIA_TYPES, painted=GENERATION[0] in operation.options),
    }


def _ask_for_free(operation: Operation) -> list[Json]:
    return [] if operation.name in NEVER_FREE else [refer("parameters", "Playground")]


def describe_form_body(schema: Json, files: Mapping[str, Sequence[str]]) -> dict[str, Json]:
    """The content of a form; `files`: the types that each of its files may be of."""
    encoding = {name: {"contentType": ", ".join(types)} for name, types in files.items()}
    return {"multipart/form-data": {"schema": schema, "encoding": encoding}}


def describe_option(option: Option[Any]) -> Json:
    """The schema of a field, its other names in the description."""
    aliases = f" Also: {', '.join(option.names[1:])}." if option.names[1:] else ""
    return {**option.schema, "description": f"{option.schema['description']}{aliases}"}


def name_operation(path: str) -> str:
    """The operationId of what is served at `path`."""
    return path.strip("/").replace("/", "-")
