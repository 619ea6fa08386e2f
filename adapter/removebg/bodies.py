"""The three kinds of bodies of remove.bg's API, each read into the same form."""

import asyncio
import json
from dataclasses import replace
from typing import Final

from aiohttp import hdrs, web

from adapter.errors import MalformedBodyError, PayloadTooLargeError, UnsupportedMediaTypeError
from adapter.uploads import urlencoded
from adapter.uploads.body import UploadLimits, read_raw
from adapter.uploads.budget import Reservation
from adapter.uploads.form import Form, read_form

ENCODED: Final = "image_file_b64"

_FILES = ("image_file", ENCODED, "bg_image_file")
_MAX_JSON_MARKS = 256  # The API has twenty parameters; this bounds what a body may become when it is parsed.


async def read_body(request: web.Request, limits: UploadLimits, reservation: Reservation) -> Form:
    """Reads the body of `request`: `files` are pictures, and base64 as it was sent, of sizes still to be checked.

    Raises:
        UnsupportedMediaTypeError: It is neither a form nor JSON, or it is compressed.
        PayloadTooLargeError: A limit was passed.
        MalformedBodyError: It is not what its Content-Type says.
        UploadTimeoutError: It stalled, or took too long.
        OverloadedError: The uploads in flight fill their budget.
    """
    # Base64 of the largest picture, with line ends and the head of a data: URL.
    wide = replace(limits, image_bytes=limits.image_bytes * 11 // 8)
    match request.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower():
        case "multipart/form-data":
            return await read_form(request, wide, reservation, _FILES)
        case urlencoded.MEDIA_TYPE:
            return await urlencoded.read_urlencoded(request, wide, reservation, {ENCODED})
        case "application/json":
            body = await read_raw(request, replace(wide, image_bytes=wide.form_bytes(1)), reservation)
            reservation.grow(len(body))  # For the form that it becomes.
            return await asyncio.to_thread(parse_json, body, limits)  # In a thread: 30 MB take a tenth of a second.
    message = f"The request must be multipart/form-data, {urlencoded.MEDIA_TYPE} or application/json."
    raise UnsupportedMediaTypeError(message)


def parse_json(body: bytes, limits: UploadLimits) -> Form:
    """Reads a JSON object as a form; null is not sent. Raises as `read_body`."""
    # Base64 has no such marks, so that this counts parameters, and a million little lists are never made.
    if sum(map(body.count, (b",", b"[", b"{"))) > _MAX_JSON_MARKS:
        raise PayloadTooLargeError(limits.describe())
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        message = "The request body is not JSON."
        raise MalformedBodyError(message) from error
    if not isinstance(values, dict):
        message = "The request body is not a JSON object."
        raise MalformedBodyError(message)
    form = Form()
    for name, value in values.items():
        text = _write(name, value)
        if name == ENCODED:
            form.files[name] = text.encode(errors="replace")
        elif len(text) > limits.field_bytes:
            raise PayloadTooLargeError(limits.describe())
        else:
            form.fields[name] = text
    return form


def _write(name: str, value: object) -> str:
    """A JSON value as a form has it."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool() | int() | float():
            return json.dumps(value)
        case _:
            message = f"The parameter {name[:64]!r} is neither text nor a number nor a boolean."
            raise MalformedBodyError(message)
