"""Reads the body of a request while it arrives, every limit enforced on the way.

aiohttp's own `client_max_size` does not bound `request.content`, and it has no timeout for a body.
"""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import hdrs, web

from adapter.errors import MalformedBodyError, PayloadTooLargeError, UnsupportedMediaTypeError, UploadTimeoutError
from adapter.uploads.budget import Reservation

_PLAIN_ENCODINGS = {"binary", "8bit", "7bit", "identity"}


@dataclass(frozen=True)
class UploadLimits:
    """Bounds of one upload."""

    image_bytes: int = 25 * 1024 * 1024  # The public contract's "25 MB".
    field_bytes: int = 4096  # Colours and names are tens of bytes; this leaves room for a long prompt.
    parts: int = 32  # An operation has fewer than ten fields.
    envelope_bytes: int = 64 * 1024  # All that is no image: boundaries, part headers, other fields.
    idle_timeout_s: float = 10.0
    total_timeout_s: float = 120.0

    def form_bytes(self, files: int) -> int:
        """The longest body that can hold an acceptable form of at most `files` pictures."""
        return files * self.image_bytes + self.envelope_bytes

    def describe(self) -> str:
        """The limits as one sentence for the caller."""
        return (
            f"The request is too large: at most {self.image_bytes} bytes for an image, "
            f"{self.field_bytes} for another field, {self.parts} parts."
        )


async def read_raw(request: web.Request, limits: UploadLimits, reservation: Reservation) -> bytes:
    """Reads a body that is the picture itself; empty where there is none.

    Raises:
        PayloadTooLargeError: It is over the limit; nothing was read where Content-Length says so.
        UnsupportedMediaTypeError: It is compressed.
        MalformedBodyError: It broke off.
        UploadTimeoutError: It stalled, or took too long.
        OverloadedError: The uploads in flight fill their budget.
    """
    message = f"The picture is too large: at most {limits.image_bytes} bytes."
    check_length(request, limits.image_bytes, message)
    refuse_encoding(request.headers.get(hdrs.CONTENT_ENCODING))
    await invite_body(request)
    content = io.BytesIO()
    try:
        async with body_deadline(limits):
            async for chunk in read_chunks(request, limits, limits.image_bytes, message):
                reservation.grow(len(chunk))
                content.write(chunk)
    except web.RequestPayloadError as error:
        message = "The request body is not complete."
        raise MalformedBodyError(message) from error
    return content.getvalue()  # Shares the buffer, copies nothing.


def check_length(request: web.Request, limit: int, message: str) -> None:
    """Raises PayloadTooLargeError with `message` where Content-Length already says more than `limit` bytes."""
    if request.content_length is not None and request.content_length > limit:
        raise PayloadTooLargeError(message)


def refuse_encoding(encoding: str | None) -> None:
    """Raises UnsupportedMediaTypeError for an encoding that would have to be undone."""
    if encoding is not None and encoding.strip().lower() not in _PLAIN_ENCODINGS:
        message = "Compressed or encoded bodies are not accepted."
        raise UnsupportedMediaTypeError(message)


async def invite_body(request: web.Request) -> None:
    """Answers `Expect: 100-continue`, only now that the headers were found good."""
    expectation = request.headers.get(hdrs.EXPECT)
    if expectation is not None:
        if expectation.lower() != "100-continue":
            raise web.HTTPExpectationFailed
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # Interim responses do not count as the beginning of the answer.


@asynccontextmanager
async def body_deadline(limits: UploadLimits) -> AsyncIterator[None]:
    """Bounds the whole arrival of a body; raises UploadTimeoutError for that and for a stalled one."""
    try:
        async with asyncio.timeout(limits.total_timeout_s):
            yield
    except TimeoutError as error:
        message = "The request body did not arrive in time."
        raise UploadTimeoutError(message) from error


async def read_chunks(request: web.Request, limits: UploadLimits, limit: int, message: str) -> AsyncIterator[bytes]:
    """Yields the body as it comes.

    Raises PayloadTooLargeError with `message` over `limit` bytes, TimeoutError when nothing comes.
    """
    received = 0
    while True:
        async with asyncio.timeout(limits.idle_timeout_s):
            chunk = await request.content.readany()
        if not chunk:
            return
        received += len(chunk)
        if received > limit:
            raise PayloadTooLargeError(message)
        yield chunk


async def leave_expectation(_: web.Request) -> None:
    """In place of aiohttp's answer to `Expect`, which invites a body before anything is known of it."""
