"""Just enough HTTP/2 to be a caller that no library would be: one that begins and stops, or asks too much."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_HEADERS, ACK = 4, 1
CANCEL, ENHANCE_YOUR_CALM = 8, 11


@dataclass(frozen=True)
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def header(name: str, value: str) -> bytes:
    """A literal header field that is not indexed (RFC 7541, 6.2.2), without Huffman coding."""
    return b"\0" + b"".join(bytes([len(part)]) + part.encode() for part in (name, value))


def call_headers(path: str) -> bytes:
    """The header block of a gRPC call."""
    fields = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "test"}
    fields |= {"content-type": "application/grpc", "te": "trailers"}
    return b"".join(header(name, value) for name, value in fields.items())


class Connection:
    """A connection that has said hello, and answers the peer's settings as it reads."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.closed = threading.Event()
        """Set once `drain` has come to the end."""
        self.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, b""))

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def read(self) -> Frame | None:
        """The next frame; None once the peer has closed the connection."""
        head = self._read(9)
        if head is None:
            return None
        payload = self._read(int.from_bytes(head[:3], "big"))
        if payload is None:
            return None
        read = Frame(head[3], head[4], int.from_bytes(head[5:], "big"), payload)
        if read.kind == SETTINGS and not read.flags & ACK:
            self.send(frame(SETTINGS, ACK, 0, b""))
        return read

    def drain(self) -> None:
        """Read on until the peer has closed the connection, in whichever way."""
        with suppress(ConnectionError):
            while self.read() is not None:
                pass
        self.closed.set()

    def _read(self, count: int) -> bytes | None:
        data = b""
        while len(data) < count:
            part = self._connection.recv(count - len(data))
            if not part:
                return None
            data += part
        return data


class StalledCall:
    """A call whose message is said to be longer than what is ever sent of it."""

    def __init__(self, connection: Connection, path: str, claimed_bytes: int, sent_bytes: int) -> None:
        self._connection = connection
        message = struct.pack(">BI", 0, claimed_bytes) + bytes(sent_bytes)
        connection.send(frame(HEADERS, END_HEADERS, 1, call_headers(path)) + frame(DATA, 0, 1, message))

    def wait_for_its_end(self) -> int:
        """Read until the server ends the call; the kind of the frame that did."""
        while (read := self._connection.read()) is not None:
            if read.stream == 1 and (read.kind == RST_STREAM or (read.kind == HEADERS and read.flags & 1)):
                return read.kind
        raise AssertionError("the server closed the connection")


@contextmanager
def connected(address: str) -> Iterator[Connection]:
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        yield Connection(connection)


@contextmanager
def stalled_call(address: str, path: str, claimed_bytes: int, sent_bytes: int) -> Iterator[StalledCall]:
    with connected(address) as connection:
        yield StalledCall(connection, path, claimed_bytes, sent_bytes)


def ping_until_goodbye(connection: Connection, most: int) -> int | None:
    """Ping as soon as the last one is answered; the error of the peer's goodbye, None where it says none to `most`."""
    for number in range(most):
        connection.send(frame(PING, 0, 0, struct.pack(">Q", number)))
        while (read := connection.read()) is not None:
            if read.kind == GOAWAY:
                return int.from_bytes(read.payload[4:8], "big")
            if read.kind == PING:
                break
    return None


def begin_and_reset(connection: Connection, path: str, calls: int) -> None:
    """Begin calls and cancel each at once, faster than they can be answered; ends early where the peer hangs up."""
    block = call_headers(path)
    with _read_beside(connection):
        for stream in range(1, 2 * calls, 2):
            begun = frame(HEADERS, END_HEADERS, stream, block)
            connection.send(begun + frame(RST_STREAM, 0, stream, struct.pack(">I", CANCEL)))


def ping_without_pause(connection: Connection, pings: int) -> None:
    """Ping and never wait for the answer; ends early where the peer hangs up."""
    with _read_beside(connection):
        for _ in range(pings // 1000):
            connection.send(frame(PING, 0, 0, bytes(8)) * 1000)


@contextmanager
def _read_beside(connection: Connection) -> Iterator[None]:
    def read() -> None:
        with suppress(OSError):  # In the end the connection is closed under it.
            connection.drain()

    threading.Thread(target=read, daemon=True).start()
    with suppress(OSError):
        yield
