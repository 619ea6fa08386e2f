"""The boxes of an ISO or QuickTime file (ISO/IEC 14496-12), read only as far as they can lie about how much there is.

FFmpeg makes an entry of 24 bytes for each sample that a table claims, and a table claims any number in 4 bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from server.errors import InvalidVideoError
from server.video.task import VideoLimits

_INSIDE = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf"}
_DEPTH = 6  # of those in one another
_MOST_BOXES = 100_000
_MOST_SAMPLES = 1 << 20  # of a track; two hours at 120 frames a second
_MOST_SOUND_SAMPLES = 1 << 25  # uncompressed sound counts each moment: 10 minutes at 48 kHz
_HEAD = 8


@dataclass(frozen=True)
class _Box:
    """`kind`: four bytes. `first`, `end`: of its content, as places in the file."""

    kind: bytes
    first: int
    end: int


def refuse_lies(file: BinaryIO, size: int, limits: VideoLimits) -> None:
    """Raise InvalidVideoError where a file's header claims more than a video of these limits can have."""
    tracks = samples = 0
    sound = False
    for number, box in enumerate(_boxes(file, 0, size, _DEPTH)):
        if number > _MOST_BOXES:
            raise InvalidVideoError("The video is cut into more parts than a video may have.")
        match box.kind:
            case b"trak":
                tracks += 1
                sound = False
                if tracks > limits.streams:
                    raise InvalidVideoError(f"The video has more than {limits.streams} streams.")
            case b"hdlr":
                sound = _read(file, box.first + 8, 4) == b"soun"
            case b"stsz" | b"stz2" | b"trun":
                # A run of samples counts from its fifth byte on, a table from its ninth.
                count = int.from_bytes(_read(file, box.first + (4 if box.kind == b"trun" else 8), 4))
                samples = samples + count if box.kind == b"trun" else count
                if samples > (_MOST_SOUND_SAMPLES if sound else _MOST_SAMPLES):
                    raise InvalidVideoError(f"The video claims {samples} frames in one stream.")
            case b"cmov":
                raise InvalidVideoError("The video's header is compressed, which is not read.")


def _boxes(file: BinaryIO, first: int, end: int, depth: int) -> Iterator[_Box]:
    """Walk over the boxes, each before what is in it."""
    place = first
    while place + _HEAD <= end:
        head = _read(file, place, 16)
        size, kind, body = int.from_bytes(head[:4]), head[4:8], place + _HEAD
        if size == 1:
            size, body = int.from_bytes(head[8:16]), place + 16
        elif size == 0:  # to the end
            size = end - place
        if size < body - place:
            return
        box = _Box(kind, body, min(place + size, end))
        yield box
        if kind in _INSIDE and depth:
            yield from _boxes(file, box.first, box.end, depth - 1)
        place += size


def _read(file: BinaryIO, place: int, size: int) -> bytes:
    file.seek(place)
    return file.read(size)
