"""ISO files, box by box, for tests that lie in them."""

import struct
from pathlib import Path


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", 8 + len(body)) + kind + body


def patched(path: Path, kind: bytes, offset: int, value: bytes) -> Path:
    """Overwrite bytes in the content of the first box of that kind."""
    data = bytearray(path.read_bytes())
    place = data.index(kind) + 4 + offset
    data[place : place + len(value)] = value
    path.write_bytes(data)
    return path


def tracks(count: int) -> bytes:
    """A file that claims so many tracks."""
    header = box(b"mvhd", bytes(12), struct.pack(">II", 1000, 1000), bytes(80))
    track = box(b"trak", box(b"tkhd", bytes(84)), box(b"mdia", box(b"hdlr", bytes(8), b"vide", bytes(13))))
    return box(b"ftyp", b"isom", bytes(4), b"isom") + box(b"moov", header, track * count)


def run(samples: int) -> bytes:
    """A fragment that claims so many samples and holds none."""
    head = box(b"mfhd", bytes(8))
    part = box(b"tfhd", bytes(4), struct.pack(">I", 1))
    return box(b"moof", head, box(b"traf", part, box(b"trun", bytes(4), struct.pack(">I", samples))))


def pointed_elsewhere(path: Path, target: Path) -> Path:
    """Make the first track of a file, whose header is at its end, say that its samples lie in another file: with an
    alias, as QuickTime had them."""
    name = target.name.encode()
    where = str(target).encode()
    alias = b"".join(
        [
            bytes(4) + bytes(10) + b"\1x".ljust(28, b"\0") + bytes(12),
            bytes([len(name)]) + name.ljust(63, b"\0") + bytes(16),
            struct.pack(">HH", 1, 1) + bytes(16),
            struct.pack(">HH", 2, len(where)) + where.ljust(len(where) + len(where) % 2, b"\0"),
            struct.pack(">hH", -1, 0),
        ]
    )
    data = bytearray(path.read_bytes())
    place = data.index(b"url ", data.index(b"dref")) - 4
    entry = box(b"alis", alias)
    data[place : place + 12] = entry
    begin = data.index(b"moov")
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        head = data.index(kind, begin) - 4
        size = int.from_bytes(data[head : head + 4]) + len(entry) - 12
        data[head : head + 4] = struct.pack(">I", size)
    path.write_bytes(data)
    return path
