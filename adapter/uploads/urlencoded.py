"""Reads a form that came as application/x-www-form-urlencoded, as plain HTML forms and curl's `-d` send it."""

import asyncio
import io
from collections.abc import Collection
from urllib.parse import parse_qsl

from aiohttp import hdrs, web

from adapter.errors import MalformedBodyError, PayloadTooLargeError
from adapter.uploads.body import UploadLimits, body_deadline, check_length, invite_body, read_chunks, refuse_encoding
from adapter.uploads.budget import Reservation
from adapter.uploads.form import Form

MEDIA_TYPE = "application/x-www-form-urlencoded"


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
    limit = limits.form_bytes(len(files))
    check_length(request, limit, limits.describe())
    refuse_encoding(request.headers.get(hdrs.CONTENT_ENCODING))
    await invite_body(request)
    content = io.BytesIO()
    try:
        async with body_deadline(limits):
            async for chunk in read_chunks(request, limits, limit, limits.describe()):
                reservation.grow(len(chunk))
                content.write(chunk)
    except web.RequestPayloadError as error:
        message = "The request body is not complete."
        raise MalformedBodyError(message) from error
    # In a thread: 25 MiB take a quarter of a second.
    return await asyncio.to_thread(_parse, content.getvalue(), limits, files)


def _parse(body: bytes, limits: UploadLimits, files: Collection[str]) -> Form:
    if body.count(b"&") >= limits.parts:
        raise PayloadTooLargeError(limits.describe())
    form = Form()
    try:
        for name, value in parse_qsl(body):
            key = name.decode()
            if len(value) > (limits.image_bytes if key in files else limits.field_bytes):
                raise PayloadTooLargeError(limits.describe())
            if key in files:
                form.files[key] = value
            else:
                form.fields[key] = value.decode()
    except UnicodeDecodeError as error:
        message = "A text field of the form is not UTF-8."
        raise MalformedBodyError(message) from error
    return form
