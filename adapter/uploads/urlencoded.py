"""Reads a form that came as application/x-www-form-urlencoded, as plain HTML forms and curl's `-d` send it."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from aiohttp import web

from adapter.errors import MalformedBodyError, PayloadTooLargeError
from adapter.uploads.body import UploadLimits, read_raw
from adapter.uploads.budget import Reservation
from adapter.uploads.form import Form

MEDIA_TYPE = "application/x-www-form-urlencoded"

_SLICE = 64 * 1024


async def read_urlencoded(
    request: web.Request, limits: UploadLimits, reservation: Reservation, files: Collection[str]
) -> Form:
    """Reads the body of `request`. `files` are the names of the fields that are taken as bytes, such as base64.

    Raises:
        UnsupportedMediaTypeError: The body is compressed.
        PayloadTooLargeError: A limit was passed; nothing was read where Content-Length says so.
        MalformedBodyError: The body broke off, or a text field is not UTF-8.
        UploadTimeoutError: The body stalled, or took too long.
        OverloadedError: The uploads in flight fill their budget.
    """
    body = await read_raw(request, replace(limits, image_bytes=limits.form_bytes(len(files))), reservation)
    reservation.grow(len(body))  # For the form that it becomes.
    # In a thread: 25 MiB take a quarter of a second.
    return await asyncio.to_thread(parse_urlencoded, body, limits, files)


def parse_urlencoded(body: bytes, limits: UploadLimits, files: Collection[str]) -> Form:
    """Reads a whole body; raises as `read_urlencoded`."""
    if body.count(b"&") >= limits.parts:
        raise PayloadTooLargeError(limits.describe())
    form = Form()
    try:
        for pair in body.split(b"&"):
            name, _, value = pair.partition(b"=")
            key = _unquote(name).decode()
            content = _unquote(value)
            if len(content) > (limits.image_bytes if key in files else limits.field_bytes):
                raise PayloadTooLargeError(limits.describe())
            if key in files:
                form.files[key] = content
            elif key:
                form.fields[key] = content.decode()
    except UnicodeDecodeError as error:
        message = "A text field of the form is not UTF-8."
        raise MalformedBodyError(message) from error
    return form


def _unquote(text: bytes) -> bytes:
    """Undoes the escapes in slices: urllib makes an object of each, and a hostile body has nothing else."""
    result, start = bytearray(), 0
    while start < len(text):
        end = start + _SLICE
        cut = text.rfind(b"%", end - 2, end)  # An escape is not cut in two.
        end = cut if cut > start and end < len(text) else end
        result += unquote_to_bytes(text[start:end].replace(b"+", b" "))
        start = end
    return bytes(result)
