"""Just enough HTTP/2 to be a caller that no library would be: one that begins a message and stops."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

DATA, HEADERS, RST_STREAM, SETTINGS = 0, 1, 3, 4
END_HEADERS, ACK = 4, 1


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def header(name: str, value: str) -> bytes:
    """A literal header field that is not indexed (RFC 7541, 6.2.2), without Huffman coding."""
    return b"\0" + b"".join(bytes([len(part)]) + part.encode() for part in (name, value))


class StalledCall:
    """A call whose message is said to be longer than what is ever sent of it."""

    def __init__(self, connection: socket.socket, path: str, claimed_bytes: int, sent_bytes: int) -> None:
        self._connection = connection
        fields = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "test"}
        fields |= {"content-type": "application/grpc", "te": "trailers"}
        block = b"".join(header(name, value) for name, value in fields.items())
        message = struct.pack(">BI", 0, claimed_bytes) + bytes(sent_bytes)
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, b""))
        connection.sendall(frame(HEADERS, END_HEADERS, 1, block) + frame(DATA, 0, 1, message))

    def wait_for_its_end(self) -> int:
        """Read until the server ends the call; the kind of the frame that did."""
        while True:
            head = self._read(9)
            kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
            self._read(int.from_bytes(head[:3], "big"))
            if kind == SETTINGS and not flags & ACK:
                self._connection.sendall(frame(SETTINGS, ACK, 0, b""))
            if stream == 1 and (kind == RST_STREAM or (kind == HEADERS and flags & 1)):
                return kind

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self._connection.recv(count - len(data))
            assert part, "the server closed the connection"
            data += part
        return data


@contextmanager
def stalled_call(address: str, path: str, claimed_bytes: int, sent_bytes: int) -> Iterator[StalledCall]:
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        yield StalledCall(connection, path, claimed_bytes, sent_bytes)
