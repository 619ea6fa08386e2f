"""Format and size of an encoded picture, read from its first bytes in pure Python.

This runs in the service process, before anything is decoded: no C code touches the bytes, every step
forward is bounded, and what is read is enough to refuse a picture and to estimate its cost. The worker
compares it with libvips' own reading and refuses a picture on which the two disagree.
"""

import mmap
from collections.abc import Callable
from dataclasses import dataclass

from server.errors import DimensionExceededError, InvalidImageError, UnsupportedFormatError
from server.output import ImageFormat

Encoded = bytes | memoryview | mmap.mmap
"""An encoded picture, as its receiver holds it."""

MAX_SIDE = 10_000
"""Longest side in pixels that is accepted."""

# A picture from a camera has tens of segments before its pixels; a walk of millions is an attack on this process.
_MAX_SEGMENTS = 2_000
# libjpeg skips bytes between segments. Cameras leave a few; this many cost a few milliseconds to skip here.
_MAX_STRAY_BYTES = 65_536

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_CHANNELS = {0: 1, 2: 3, 3: 4, 4: 2, 6: 4}  # by colour type; a palette is expanded, its tRNS with it
_SOF_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE_MARKERS = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_STANDALONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD8)})


class EndsInHeaderError(InvalidImageError):
    """The bytes end inside the header."""

    @property
    def needed_bytes(self) -> int:
        """How many bytes of the picture lead further, where these are only its first ones."""
        return int(self.metadata["needed_bytes"])


@dataclass(frozen=True)
class ImageHeader:
    """Facts of an encoded picture.

    `width`, `height`: pixels as stored, before EXIF orientation. `held_bytes_per_pixel`: what a decoder must keep in
    memory of the whole picture (0 where it can be read in strips). `may_turn`: an EXIF block may ask for a turn.
    """

    format: ImageFormat
    width: int
    height: int
    held_bytes_per_pixel: float = 0
    may_turn: bool = False


def read_header(data: Encoded) -> ImageHeader:
    """Return the header of the encoded picture in `data`; only its first part is looked at.

    Raises UnsupportedFormatError for what is not PNG, JPEG or WebP by its content, InvalidImageError for a damaged
    header (EndsInHeaderError where the bytes end too soon), DimensionExceededError for a side over MAX_SIDE.
    """
    view = memoryview(data)
    header = _reader(bytes(view[:16]))(view)
    if header.width < 1 or header.height < 1:
        raise InvalidImageError("The picture has no pixels.")
    if max(header.width, header.height) > MAX_SIDE:
        raise DimensionExceededError(
            f"The picture is {header.width} × {header.height} pixels; a side may have at most {MAX_SIDE}.",
            {"width": str(header.width), "height": str(header.height), "max_side": str(MAX_SIDE)},
        )
    return header


def _reader(start: bytes) -> Callable[[memoryview], ImageHeader]:
    if start.startswith(_PNG_SIGNATURE):
        return _read_png
    if start.startswith(b"\xff\xd8\xff"):
        return _read_jpeg
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return _read_webp
    raise UnsupportedFormatError("The picture is not PNG, JPEG or WebP.")


def _take(view: memoryview, start: int, count: int) -> bytes:
    """Return exactly `count` bytes, or refuse the picture."""
    part = bytes(view[start : start + count])
    if len(part) < count:
        raise EndsInHeaderError("The picture ends inside its header.", {"needed_bytes": str(start + count)})
    return part


def _read_png(view: memoryview) -> ImageHeader:
    start = _take(view, 8, 21)
    if start[:8] != b"\0\0\0\x0dIHDR":
        raise InvalidImageError("The PNG does not start with its header.")
    width, height = int.from_bytes(start[8:12], "big"), int.from_bytes(start[12:16], "big")
    bit_depth, colour_type, interlace = start[16], start[17], start[20]
    if colour_type not in _PNG_CHANNELS or bit_depth not in {1, 2, 4, 8, 16}:
        raise InvalidImageError("The PNG has an unknown pixel type.")
    # An interlaced picture comes in seven passes, each over the whole of it.
    held = _PNG_CHANNELS[colour_type] * (2 if bit_depth == 16 else 1) if interlace else 0
    may_turn = False
    position = 33
    for _ in range(_MAX_SEGMENTS):
        length, kind = int.from_bytes(_take(view, position, 4), "big"), _take(view, position + 4, 4)
        if kind == b"IDAT":
            return ImageHeader(ImageFormat.PNG, width, height, held, may_turn)
        may_turn = may_turn or kind == b"eXIf"
        position += 12 + length
    raise InvalidImageError("The PNG has too many chunks before its pixels.")


def _read_jpeg(view: memoryview) -> ImageHeader:
    position, stray, may_turn = 2, 0, False
    for _ in range(_MAX_SEGMENTS):
        while (marker := _take(view, position, 2))[0] != 0xFF or marker[1] in {0xFF, 0x00}:
            position, stray = position + 1, stray + 1
            if stray > _MAX_STRAY_BYTES:
                raise InvalidImageError("The JPEG has too many bytes between its segments.")
        position, code = position + 2, marker[1]
        if code in _STANDALONE_MARKERS:
            continue
        length = int.from_bytes(_take(view, position, 2), "big")
        if code in _SOF_MARKERS:
            return _jpeg_frame(_take(view, position + 2, length - 2), code, may_turn=may_turn)
        if length < 2 or code in {0xD8, 0xD9, 0xDA}:
            break
        may_turn = may_turn or (code == 0xE1 and _take(view, position + 2, min(6, length - 2)) == b"Exif\0\0")
        position += length
    raise InvalidImageError("The JPEG has no frame header before its pixels.")


def _jpeg_frame(frame: bytes, code: int, *, may_turn: bool) -> ImageHeader:
    if len(frame) < 6 or len(frame) != 6 + 3 * frame[5] or not frame[5]:
        raise InvalidImageError("The JPEG's frame header is damaged.")
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    held = 0.0
    if code in _PROGRESSIVE_MARKERS:
        # libjpeg keeps two bytes for each coefficient of the whole picture, subsampled components fewer.
        areas = [(sampling >> 4) * (sampling & 15) for sampling in frame[7::3]]
        held = 2 * sum(areas) / max(1, *areas)
    return ImageHeader(ImageFormat.JPEG, width, height, held, may_turn)


def _read_webp(view: memoryview) -> ImageHeader:
    kind = _take(view, 12, 4)
    body = _take(view, 20, 10)
    may_turn = False
    if kind == b"VP8X":
        may_turn = bool(body[0] & 0x08)
        width, height = 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    elif kind == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width = int.from_bytes(body[6:8], "little") & 0x3FFF
        height = int.from_bytes(body[8:10], "little") & 0x3FFF
    else:
        raise InvalidImageError("The WebP's first chunk is damaged.")
    # libwebp decodes a frame whole, to RGBA, and libvips lays that over a canvas of its own.
    return ImageHeader(ImageFormat.WEBP, width, height, 8, may_turn)
