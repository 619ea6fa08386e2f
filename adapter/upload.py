"""Reads a multipart form while it arrives, every limit enforced on the way.

aiohttp's own multipart reader neither counts the bytes it reads nor the parts, so the body goes in raw
chunks into a push parser that does.
"""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import multipart
from aiohttp import hdrs, web

from adapter.budget import Reservation
from adapter.errors import MalformedBodyError, PayloadTooLargeError, UnsupportedMediaTypeError, UploadTimeoutError

_PLAIN_ENCODINGS = {"binary", "8bit", "7bit", "identity"}


@dataclass(frozen=True)
class UploadLimits:
    """Bounds of one upload."""

    image_bytes: int = 25 * 1024 * 1024  # The public contract's "25 MB".
    field_bytes: int = 4096  # Colours and names are tens of bytes; this leaves room for a long prompt.
    parts: int = 32  # An operation has fewer than ten fields.
    envelope_bytes: int = 64 * 1024  # All that is not the image: boundaries, part headers, other fields.
    idle_timeout_s: float = 10.0
    total_timeout_s: float = 120.0

    @property
    def body_bytes(self) -> int:
        """The longest body that can hold an acceptable form."""
        return self.image_bytes + self.envelope_bytes

    def describe(self) -> str:
        """The limits as one sentence for the caller."""
        return (
            f"The request is too large: at most {self.image_bytes} bytes for the image, "
            f"{self.field_bytes} for another field, {self.parts} parts."
        )


@dataclass
class Form:
    """A form that was read: the bytes of its `image` part, empty where there is none, and its text fields."""

    image: bytes = b""
    fields: dict[str, str] = field(default_factory=dict)


async def read_form(request: web.Request, limits: UploadLimits, reservation: Reservation) -> Form:
    """Reads the body of `request`.

    Raises:
        UnsupportedMediaTypeError: The body is not multipart/form-data, or it or a part of it is compressed or encoded.
        PayloadTooLargeError: A limit was passed; nothing was read where Content-Length says so.
        MalformedBodyError: The body is not a whole form.
        UploadTimeoutError: The body stalled, or took too long.
        OverloadedError: The uploads in flight fill their budget.
    """
    parser = _make_parser(request, limits)
    await _invite_body(request)
    collector = _FormCollector(limits)
    try:
        async with asyncio.timeout(limits.total_timeout_s):
            async for chunk in _read_chunks(request, limits):
                reservation.grow(len(chunk))
                for event in parser.parse(chunk):
                    collector.add(event)
        parser.close()
    except TimeoutError as error:
        message = "The request body did not arrive in time."
        raise UploadTimeoutError(message) from error
    except multipart.ParserLimitReached as error:
        raise PayloadTooLargeError(limits.describe()) from error
    except (multipart.MultipartError, web.RequestPayloadError) as error:
        message = "The request body is not a complete multipart/form-data form."
        raise MalformedBodyError(message) from error
    return collector.form


def _make_parser(request: web.Request, limits: UploadLimits) -> multipart.PushMultipartParser:
    """Checks all that the request's headers tell, before a byte of the body is read."""
    if request.content_length is not None and request.content_length > limits.body_bytes:
        raise PayloadTooLargeError(limits.describe())
    media_type, options = multipart.parse_options_header(request.headers.get(hdrs.CONTENT_TYPE, ""))
    if media_type != "multipart/form-data":
        message = "The request must be multipart/form-data with the picture in the field image."
        raise UnsupportedMediaTypeError(message)
    _refuse_encoding(request.headers.get(hdrs.CONTENT_ENCODING))
    boundary = options.get("boundary", "")
    if not 1 <= len(boundary) <= 70:  # RFC 2046 §5.1.1
        message = "The Content-Type must name a boundary of 1 to 70 characters."
        raise MalformedBodyError(message)
    # Not strict: that mode refuses the CRLF after the last boundary when it comes in a packet of its own.
    return multipart.PushMultipartParser(boundary, max_segment_size=limits.image_bytes, max_segment_count=limits.parts)


async def _invite_body(request: web.Request) -> None:
    """Answers `Expect: 100-continue`, only now that the headers were found good."""
    expectation = request.headers.get(hdrs.EXPECT)
    if expectation is not None:
        if expectation.lower() != "100-continue":
            raise web.HTTPExpectationFailed
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # Interim responses do not count as the beginning of the answer.


async def _read_chunks(request: web.Request, limits: UploadLimits) -> AsyncIterator[bytes]:
    received = 0
    while True:
        async with asyncio.timeout(limits.idle_timeout_s):
            chunk = await request.content.readany()
        if not chunk:
            return
        received += len(chunk)
        if received > limits.body_bytes:
            raise PayloadTooLargeError(limits.describe())
        yield chunk


class _FormCollector:
    """Builds a Form from the parser's events: a segment, its bytes, None at its end."""

    def __init__(self, limits: UploadLimits) -> None:
        self.form = Form()
        self._limits = limits
        self._name = ""
        self._content: io.BytesIO | None = None  # None: a part that nobody asked for, dropped as it comes.

    def add(self, event: multipart.MultipartSegment | bytes | None) -> None:
        if isinstance(event, multipart.MultipartSegment):
            self._begin(event)
        elif event is None:
            self._end()
        elif self._content is not None:
            self._content.write(event)
            if self._name != "image" and self._content.tell() > self._limits.field_bytes:
                raise PayloadTooLargeError(self._limits.describe())

    def _begin(self, segment: multipart.MultipartSegment) -> None:
        if (segment.content_type or "").startswith("multipart/"):
            message = "Nested multipart bodies are not accepted."
            raise MalformedBodyError(message)
        headers = dict(segment.headerlist)
        _refuse_encoding(headers.get("Content-Encoding"))
        _refuse_encoding(headers.get("Content-Transfer-Encoding"))
        if segment.name == "image" and self.form.image:
            message = "The form has more than one image."
            raise MalformedBodyError(message)
        self._name = segment.name
        self._content = io.BytesIO() if segment.name == "image" or segment.filename is None else None

    def _end(self) -> None:
        if self._content is None:
            return
        content = self._content.getvalue()  # Shares the buffer, copies nothing.
        if self._name == "image":
            self.form.image = content
            return
        try:
            self.form.fields[self._name] = content.decode()
        except UnicodeDecodeError as error:
            message = "A text field of the form is not UTF-8."
            raise MalformedBodyError(message) from error


def _refuse_encoding(encoding: str | None) -> None:
    if encoding is not None and encoding.strip().lower() not in _PLAIN_ENCODINGS:
        message = "Compressed or encoded bodies are not accepted."
        raise UnsupportedMediaTypeError(message)
