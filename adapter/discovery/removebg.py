"""The routes of remove.bg's API for OpenAPI, written from the table of its parameters."""

from adapter.discovery.answers import (
    ACCOUNT_ERRORS,
    REMOVEBG_ERRORS,
    describe_errors,
    describe_file,
    describe_json,
    describe_picture_headers,
)
from adapter.discovery.components import ANY_KEY, refer
from adapter.discovery.images import FILE, describe_form_body, describe_option
from adapter.discovery.listings import MEDIA_TYPES
from adapter.middleware.shapes import REMOVEBG_PREFIX
from adapter.options.backgrounds import URL
from adapter.options.option import Json
from adapter.removebg.archive import MEDIA_TYPE as ZIP
from adapter.removebg.bodies import ENCODED
from adapter.removebg.parameters import PARAMETERS
from adapter.uploads import urlencoded

_TAG = "remove.bg"
_FILES = ("image_file", "bg_image_file")
_URL: Json = {"type": "string", "pattern": URL}
_BASE64 = (
    "^(?:data:[a-z0-9.+/-]{0,100};base64,)?(?:[A-Za-z0-9+/]{4})*[A-Za-z0-9+/]{2}(?:[A-Za-z0-9+/]{2}|[A-Za-z0-9+/]=|==)$"
)
_TEXTS: dict[str, Json] = {
    "image_url": {**_URL, "description": "Address of the picture."},
    ENCODED: {
        "type": "string",
        "pattern": _BASE64,
        "contentEncoding": "base64",
        "description": "The picture, also as a data: URL.",
    },
    "bg_image_url": {**_URL, "description": "Address of the background."},
}
_ANSWER_FACTS: dict[str, tuple[str, str]] = {
    "X-Credits-Charged": ("integer", "Results that were counted for the key."),
    "X-Type": ("string", "The kind of subject, as it was told."),
}


def describe_removebg() -> dict[str, dict[str, Json]]:
    """The paths."""
    return {
        f"{REMOVEBG_PREFIX}removebg": {"post": _describe_removal()},
        f"{REMOVEBG_PREFIX}account": {"get": _describe_account()},
    }


def _describe_removal() -> Json:
    fields = _TEXTS | {option.name: describe_option(option) for option in PARAMETERS}
    sources = [{"required": [name]} for name in ("image_url", ENCODED)]
    plain: Json = {"type": "object", "properties": fields, "oneOf": sources}
    values: Json = {
        **plain,
        "properties": {name: _take_values(schema) for name, schema in fields.items()},
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    }
    files: dict[str, Json] = {
        "image_file": {**FILE, "description": "The picture: PNG, JPEG or WebP."},
        "bg_image_file": {**FILE, "description": "The background: PNG, JPEG or WebP."},
    }
    form: Json = {
        "type": "object",
        "properties": files | fields,
        "oneOf": [*sources, {"required": ["image_file"]}],
    }
    facts = {name: {"description": text, "schema": {"type": kind}} for name, (kind, text) in _ANSWER_FACTS.items()}
    found = describe_file(
        "The picture, or with Accept: application/json the picture in base64.",
        (*MEDIA_TYPES, ZIP),
        describe_picture_headers() | facts,
        or_json="RemovebgResult",
    )
    content = {
        **describe_form_body(form, dict.fromkeys(_FILES, MEDIA_TYPES)),
        urlencoded.MEDIA_TYPE: {"schema": plain},
        "application/json": {"schema": values},
    }
    return {
        "operationId": "removebg",
        "tags": [_TAG],
        "summary": "Remove the background of a picture, as remove.bg's API does it.",
        "security": [*ANY_KEY, {}],
        "parameters": [refer("parameters", "RequestId")],
        "requestBody": {"required": True, "content": content},
        "responses": {"200": found, **describe_errors(REMOVEBG_ERRORS, "RemovebgErrors")},
    }


def _take_values(schema: Json) -> Json:
    """In JSON, null counts as not sent, and true is as good as "true"."""
    words = schema.get("enum")
    others = [True, False, 1, 0] if isinstance(words, list) and "true" in words else []
    return {"description": schema["description"], "anyOf": [schema, {"enum": [*others, None]}]}


def _describe_account() -> Json:
    told = {status: text for status, text in ACCOUNT_ERRORS.items() if status != 401}
    return {
        "operationId": "removebg-account",
        "tags": [_TAG],
        "summary": "What is left of a key's month, as credits; null where it has no end.",
        "security": list(ANY_KEY),
        "parameters": [refer("parameters", "RequestId")],
        "responses": {
            "200": describe_json("The key's credits.", "RemovebgAccount"),
            **describe_errors(told | {403: ACCOUNT_ERRORS[401]}, "RemovebgErrors"),
        },
    }
