"""A small Internet: a public address, an inner one next to it, names for both, and a server that misbehaves as told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any

from adapter.fetching.fetcher import Fetcher
from adapter.fetching.policy import FetchPolicy
from adapter.uploads.budget import UploadBudget

PUBLIC, INNER = "127.0.0.1", "127.0.0.2"  # Both are loopback's; the policy of these tests takes the first for public.
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def plain(body: bytes = PICTURE, status: str = "200 OK", **headers: str) -> Answer:
    """A whole response; `Content-Length` is right where none is given."""
    lines = {"content-length": str(len(body))} | {name.replace("_", "-"): value for name, value in headers.items()}
    head = f"HTTP/1.1 {status}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(head.encode() + b"\r\n" + body)
        await writer.drain()

    return send


def redirect(location: str, status: str = "302 Found") -> Answer:
    return plain(b"", status, location=location)


def chunked(chunk: bytes, count: int, *, pause_s: float = 0.0, end: bool = True, start: bytes = PICTURE) -> Answer:
    """`start`, then `chunk` again and again, as chunks of a body whose length nobody knows."""

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (start, *[chunk] * count):
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
            await asyncio.sleep(pause_s)
        if end:
            writer.write(b"0\r\n\r\n")
        await writer.drain()

    return send


@dataclass
class Site:
    """A server on one address; remembers what it was asked."""

    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[dict[str, str]] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):  # Whoever has enough hangs up.
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
            path = first.split(" ")[1]
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            self.requests.append({":path": path, **headers})
            await self.answers.get(path, plain())(writer)
        writer.close()


@dataclass
class Names:
    """The answers of DNS; each look-up of a name takes the next, and the last one stays."""

    answers: dict[str, list[list[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def __call__(self, name: str) -> list[str]:
        self.asked.append(name)
        known = self.answers.get(name)
        if known is None:
            raise OSError("no such name")
        return known.pop(0) if len(known) > 1 else known[0]


@dataclass
class Web:
    """The public site, the inner one on the same port, and the names."""

    public: Site
    inner: Site
    names: Names
    policy: FetchPolicy

    def url(self, path: str, host: str = PUBLIC) -> str:
        return f"http://{host}:{self.public.port}{path}"

    def fetcher(self, **changes: Any) -> Fetcher:
        return Fetcher(replace(self.policy, **changes), self.names)

    async def fetch(self, url: str, budget: UploadBudget | None = None, **changes: Any) -> bytes:
        with (budget or UploadBudget(1 << 40)).reserve() as reservation:
            return await self.fetcher(**changes).fetch(url, reservation)


@asynccontextmanager
async def small_web() -> AsyncIterator[Web]:
    public, inner = Site(), Site()
    async with (
        await asyncio.start_server(public.serve, PUBLIC, 0) as front,
        await asyncio.start_server(inner.serve, INNER, front.sockets[0].getsockname()[1]),
    ):
        public.port = front.sockets[0].getsockname()[1]
        policy = FetchPolicy(
            allows=lambda address: address == ip_address(PUBLIC), ports=frozenset({public.port}), total_timeout_s=60
        )
        yield Web(public, inner, Names(), policy)
