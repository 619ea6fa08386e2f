"""Which bytes of a result are asked for: RFC 9110 §13 and §14, single ranges."""

import re
from dataclasses import dataclass

from aiohttp import ETag, hdrs, web

_NOT_ONE_BYTE = re.compile(r"bytes=-0+", re.IGNORECASE)  # The last no bytes: aiohttp reads it as all of them.


@dataclass(frozen=True)
class Part:
    """Bytes of a result, from `start`."""

    start: int
    length: int
    size: int
    """Of the whole result."""

    @property
    def is_whole(self) -> bool:
        """Whether that is all of it."""
        return self.length == self.size

    @property
    def content_range(self) -> str:
        """The value of the header that says so."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


class UnsatisfiableError(Exception):
    """None of the bytes that are asked for exist."""


def read_part(request: web.Request, etag: str, size: int) -> tuple[Part, bool]:
    """The part that is asked for, and whether it is answered as one (206).

    A range that cannot be read, several ranges, one of another version of the result (If-Range), and a range of
    anything but a GET count as none, as the RFC has it.

    Raises:
        UnsatisfiableError: The range lies behind the end.
    """
    whole = Part(0, size, size)
    header = request.headers.get(hdrs.RANGE, "").strip()
    if request.method != hdrs.METH_GET or not header or not _is_of(request, etag):
        return whole, False
    if _NOT_ONE_BYTE.fullmatch(header):
        raise UnsatisfiableError
    try:
        wanted = request.http_range
    except ValueError:
        return whole, False
    start = 0 if wanted.start is None else wanted.start
    if start < 0:
        start = max(0, size + start)
    if start >= size:
        raise UnsatisfiableError
    end = size if wanted.stop is None else min(size, wanted.stop)
    return Part(start, end - start, size), True


def is_known(request: web.Request, etag: str) -> bool:
    """Whether the caller has this result already (If-None-Match)."""
    return request.if_none_match is not None and _matches(request.if_none_match, etag, weakly=True)


def is_another(request: web.Request, etag: str) -> bool:
    """Whether the caller wants another result than this (If-Match)."""
    return request.if_match is not None and not _matches(request.if_match, etag, weakly=False)


def _matches(tags: tuple[ETag, ...], etag: str, *, weakly: bool) -> bool:
    return any(tag.value == "*" or (tag.value == etag and (weakly or not tag.is_weak)) for tag in tags)


def _is_of(request: web.Request, etag: str) -> bool:
    """Whether If-Range names this result; a date never does, for results have none."""
    named = request.headers.get(hdrs.IF_RANGE)
    return named is None or named.strip() == f'"{etag}"'
