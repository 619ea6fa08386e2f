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
from adapter.uploads.spool import Spool


@dataclass
class Form:
    """A form that was read: its pictures as bytes, and its text fields, by their names."""

    files: dict[str, bytes] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)


async def read_form(
    request: web.Request,
    limits: UploadLimits,
    reservation: Reservation,
    files: Collection[str],
    spool: Spool | None = None,
) -> Form:
    """Reads the body of `request`. `files` are the names of the fields that are taken as bytes; what `spool` is for
    goes there, wherever in the form it stands.

    Raises:
        UnsupportedMediaTypeError: The body is not multipart/form-data, or it or a part of it is compressed or encoded.
        PayloadTooLargeError: A limit was passed; nothing was read where Content-Length says so.
        MalformedBodyError: The body is not a whole form.
        UploadTimeoutError: The body stalled, or took too long.
        OverloadedError: The uploads in flight fill their budget.
        SpoolError: The disk takes no more.
        AdapterError: What the spool's judge has raised.
    """
    limit = limits.form_bytes(len(files)) + (spool.max_bytes if spool else 0)
    parser = _make_parser(request, limits, limit, spool)
    await invite_body(request)
    collector = _FormCollector(limits, files, spool)
    try:
        async with body_deadline(limits):
            async for chunk in read_chunks(request, limits, limit, limits.describe()):
                before = spool.size if spool else 0
                if spool is None:
                    reservation.grow(len(chunk))
                for event in parser.parse(chunk):
                    collector.add(event)
                if spool is not None:  # Memory holds what the disk does not.
                    reservation.grow(max(0, len(chunk) - (spool.size - before)))
                    await spool.flush()
        parser.close()
    except multipart.ParserLimitReached as error:
        raise PayloadTooLargeError(limits.describe()) from error
    except (multipart.MultipartError, web.RequestPayloadError) as error:
        message = "The request body is not a complete multipart/form-data form."
        raise MalformedBodyError(message) from error
    return collector.form


def _make_parser(
    request: web.Request, limits: UploadLimits, limit: int, spool: Spool | None
) -> multipart.PushMultipartParser:
    """Checks all that the request's headers tell, before a byte of the body is read."""
    check_length(request, limit, limits.describe())
    media_type, options = multipart.parse_options_header(request.headers.get(hdrs.CONTENT_TYPE, ""))
    if media_type != "multipart/form-data":
        what = "file" if spool else "picture"
        field = next(iter(spool.names)) if spool else "image"
        message = f"The request must be multipart/form-data with the {what} in the field {field}."
        raise UnsupportedMediaTypeError(message)
    refuse_encoding(request.headers.get(hdrs.CONTENT_ENCODING))
    boundary = options.get("boundary", "")
    if not 1 <= len(boundary) <= 70:  # RFC 2046 §5.1.1
        message = "The Content-Type must name a boundary of 1 to 70 characters."
        raise MalformedBodyError(message)
    # Not strict: that mode refuses the CRLF after the last boundary when it comes in a packet of its own.
    largest = max(limits.image_bytes, spool.max_bytes if spool else 0)
    return multipart.PushMultipartParser(boundary, max_segment_size=largest, max_segment_count=limits.parts)


class _FormCollector:
    """Builds a Form from the parser's events: a segment, its bytes, None at its end."""

    def __init__(self, limits: UploadLimits, files: Collection[str], spool: Spool | None) -> None:
        self.form = Form()
        self._limits = limits
        self._files = files
        self._spool = spool
        self._to_disk: Spool | None = None  # The spool while its part arrives.
        self._name = ""
        self._content: io.BytesIO | None = None  # None: a part that nobody asked for, dropped as it comes.

    def add(self, event: multipart.MultipartSegment | bytes | None) -> None:
        if isinstance(event, multipart.MultipartSegment):
            self._begin(event)
        elif event is None:
            self._end()
        elif self._to_disk is not None:
            self._to_disk.add(event)
        elif self._content is not None:
            self._content.write(event)
            most = self._limits.image_bytes if self._name in self._files else self._limits.field_bytes
            if self._content.tell() > most:
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
        if self._spool is not None and segment.name in self._spool.names:
            self._spool.begin(segment.content_type or "")
            self._to_disk, self._content = self._spool, None
            return
        self._content = io.BytesIO() if segment.name in self._files or segment.filename is None else None

    def _end(self) -> None:
        if self._to_disk is not None:
            self._to_disk.end()
            self._to_disk = None
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
