"""Refuses PNG metadata that inflates to much more than any real picture carries."""

import zlib
from collections.abc import Iterator

from server.errors import InvalidImageError
from server.image.header import Encoded

MAX_INFLATED_BYTES = 8_000_000
"""Inflated metadata a PNG may carry before its pixels: libpng's own bound for one chunk. ICC profiles reach 4 MB."""

_FIRST_CHUNK = 8


def refuse_bombs(data: Encoded) -> None:
    """Inflate the compressed metadata before the pixels of a PNG, up to the bound, and keep none of it.

    libpng leaves such a chunk out and goes on; a sender of one is better told. Raises InvalidImageError beyond
    MAX_INFLATED_BYTES in all.
    """
    room = MAX_INFLATED_BYTES
    for kind, body in _chunks_before_pixels(memoryview(data)):
        stream = _deflated_part(kind, body)
        if not stream:
            continue
        try:
            room -= len(zlib.decompressobj().decompress(stream, room + 1))
        except zlib.error:
            # Broken metadata is not broken pixels: the decoder ignores it too.
            continue
        if room < 0:
            raise InvalidImageError("The PNG's metadata inflates to too much.")


def _chunks_before_pixels(view: memoryview) -> Iterator[tuple[bytes, bytes]]:
    position = _FIRST_CHUNK
    while len(view) >= position + 8 and (kind := bytes(view[position + 4 : position + 8])) != b"IDAT":
        length = int.from_bytes(view[position : position + 4], "big")
        yield kind, bytes(view[position + 8 : position + 8 + length])
        position += 12 + length


def _deflated_part(kind: bytes, body: bytes) -> bytes:
    """Return the zlib stream of a metadata chunk (PNG 3rd edition, 11.3), or nothing where it has none."""
    _, _, rest = body.partition(b"\0")
    if kind in {b"iCCP", b"zTXt"}:
        return rest[1:]
    if kind == b"iTXt" and rest[:1] == b"\1":
        return rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    return b""
