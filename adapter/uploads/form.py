"""Reads a multipart form while it arrives.

aiohttp's own multipart reader neither counts the bytes it reads nor the parts, so the body goes in raw
chunks into a push parser that does.
"""

import io
from collections.abc import Collection
from dataclasses import dataclass, field

import multipart
from aiohttp import hdrs, web

from adapter.errors import MalformedBodyError, PayloadTooLargeError, UnsupportedMediaTypeError
from adapter.uploads.body import UploadLimits, body_deadline, check_length, invite_body, read_chunks, refuse_encoding
from adapter.uploads.budget import Reservation


@dataclass
class Form:
    """A form that was read: its pictures as bytes, and its text fields, by their names."""

    files: dict[str, bytes] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)


async def read_form(
    request: web.Request, limits: UploadLimits, reservation: Reservation, files: Collection[str]
) -> Form:
    """Reads the body of `request`. `files` are the names of the fields that are taken as bytes.

    Raises:
        UnsupportedMediaTypeError: The body is not multipart/form-data, or it or a part of it is compressed or encoded.
        PayloadTooLargeError: A limit was passed; nothing was read where Content-Length says so.
        MalformedBodyError: The body is not a whole form.
        UploadTimeoutError: The body stalled, or took too long.
        OverloadedError: The uploads in flight fill their budget.
    """
    limit = limits.form_bytes(len(files))
    parser = _make_parser(request, limits, limit)
    await invite_body(request)
    collector = _FormCollector(limits, files)
    try:
        async with body_deadline(limits):
            async for chunk in read_chunks(request, limits, limit, limits.describe()):
                reservation.grow(len(chunk))
                for event in parser.parse(chunk):
                    collector.add(event)
        parser.close()
    except multipart.ParserLimitReached as error:
        raise PayloadTooLargeError(limits.describe()) from error
    except (multipart.MultipartError, web.RequestPayloadError) as error:
        message = "The request body is not a complete multipart/form-data form."
        raise MalformedBodyError(message) from error
    return collector.form


def _make_parser(request: web.Request, limits: UploadLimits, limit: int) -> multipart.PushMultipartParser:
    """Checks all that the request's headers tell, before a byte of the body is read."""
    check_length(request, limit, limits.describe())
    media_type, options = multipart.parse_options_header(request.headers.get(hdrs.CONTENT_TYPE, ""))
    if media_type != "multipart/form-data":
        message = "The request must be multipart/form-data with the picture in the field image."
        raise UnsupportedMediaTypeError(message)
    refuse_encoding(request.headers.get(hdrs.CONTENT_ENCODING))
    boundary = options.get("boundary", "")
    if not 1 <= len(boundary) <= 70:  # RFC 2046 §5.1.1
        message = "The Content-Type must name a boundary of 1 to 70 characters."
        raise MalformedBodyError(message)
    # Not strict: that mode refuses the CRLF after the last boundary when it comes in a packet of its own.
    return multipart.PushMultipartParser(boundary, max_segment_size=limits.image_bytes, max_segment_count=limits.parts)


class _FormCollector:
    """Builds a Form from the parser's events: a segment, its bytes, None at its end."""

    def __init__(self, limits: UploadLimits, files: Collection[str]) -> None:
        self.form = Form()
        self._limits = limits
        self._files = files
        self._name = ""
        self._content: io.BytesIO | None = None  # None: a part that nobody asked for, dropped as it comes.

    def add(self, event: multipart.MultipartSegment | bytes | None) -> None:
        if isinstance(event, multipart.MultipartSegment):
            self._begin(event)
        elif event is None:
            self._end()
        elif self._content is not None:
            self._content.write(event)
            if self._name not in self._files and self._content.tell() > self._limits.field_bytes:
                raise PayloadTooLargeError(self._limits.describe())

    def _begin(self, segment: multipart.MultipartSegment) -> None:
        if (segment.content_type or "").startswith("multipart/"):
            message = "Nested multipart bodies are not accepted."
            raise MalformedBodyError(message)
        headers = dict(segment.headerlist)
        refuse_encoding(headers.get("Content-Encoding"))
        refuse_encoding(headers.get("Content-Transfer-Encoding"))
        if self.form.files.get(segment.name):
            message = f"The form has more than one {segment.name}."
            raise MalformedBodyError(message)
        self._name = segment.name
        self._content = io.BytesIO() if segment.name in self._files or segment.filename is None else None

    def _end(self) -> None:
        if self._content is None:
            return
        content = self._content.getvalue()  # Shares the buffer, copies nothing.
        if self._name in self._files:
            self.form.files[self._name] = content
            return
        try:
            self.form.fields[self._name] = content.decode()
        except UnicodeDecodeError as error:
            message = "A text field of the form is not UTF-8."
            raise MalformedBodyError(message) from error
