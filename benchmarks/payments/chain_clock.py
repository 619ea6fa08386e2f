"""`python -m benchmarks.payments.chain_clock URL`: a proxy before a chain that counts how long the chain was at work.

It runs as a process of its own, so that neither its work nor the bench's is counted as the chain's.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

_CALLS = 200  # To learn what the way to the chain takes.


class ChainClock:
    """Passes every call on. `busy_s` are the seconds during which at least one was not answered yet."""

    def __init__(self, chain: str, session: aiohttp.ClientSession) -> None:
        self._chain = chain
        self._session = session
        self._waiting = 0
        self._since_s = 0.0
        self.busy_s = 0.0
        self.calls = 0

    async def forward(self, request: web.Request) -> web.Response:
        """Sends one JSON-RPC request to the chain and its answer back."""
        body = await request.read()
        if not self._waiting:
            self._since_s = time.perf_counter()
        self._waiting += 1
        self.calls += 1
        try:
            async with self._session.post(
                self._chain, data=body, headers={"Content-Type": "application/json"}
            ) as answer:
                return web.Response(body=await answer.read(), content_type="application/json")
        finally:
            self._waiting -= 1
            if not self._waiting:
                self.busy_s += time.perf_counter() - self._since_s

    async def read(self, _: web.Request) -> web.Response:
        """Tells the clock."""
        return web.json_response({"busy_s": self.busy_s, "calls": self.calls})


async def serve(chain: str) -> None:
    """Serves on a free port until it is killed; prints the port first."""
    async with aiohttp.ClientSession() as session:
        clock, app = ChainClock(chain, session), web.Application()
        app.router.add_post("/", clock.forward)
        app.router.add_get("/clock", clock.read)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()


@dataclass(frozen=True)
class Reading:
    """What the clock of a chain says: its time at work so far, and its calls."""

    busy_s: float
    calls: int


@dataclass(frozen=True)
class Clock:
    """A running proxy: the chain's address through it, and its clock. `way_s`: what one call takes beside the chain."""

    rpc_url: str
    session: aiohttp.ClientSession
    way_s: float = 0.0

    async def read(self) -> Reading:
        """The clock now."""
        async with self.session.get(f"{self.rpc_url}/clock") as answer:
            return Reading(**await answer.json())

    async def since(self, before: Reading) -> float:
        """Seconds for which the chain was waited for since `before`, on the wire and in this proxy too."""
        now = await self.read()
        return now.busy_s - before.busy_s + (now.calls - before.calls) * self.way_s

    async def measure_way(self) -> "Clock":
        """The same clock with `way_s`, as a client sees it that does nothing but write and read."""
        target = urlsplit(self.rpc_url)
        body = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'
        request = f"POST / HTTP/1.1\r\nHost: {target.netloc}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        reader, writer = await asyncio.open_connection(target.hostname, target.port)
        before, began = await self.read(), time.perf_counter()
        for _ in range(_CALLS):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
        took_s = time.perf_counter() - began
        writer.close()
        return replace(self, way_s=(took_s - await self.since(before)) / _CALLS)


@asynccontextmanager
async def chain_clock(chain: str, session: aiohttp.ClientSession) -> AsyncIterator[Clock]:
    """Runs the proxy before the chain at the URL `chain`."""
    child = await asyncio.create_subprocess_exec(
        *("setpriv", "--pdeathsig", "KILL", "--", sys.executable, "-m", "benchmarks.payments.chain_clock", chain),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        port = int(await child.stdout.readline())
        yield await Clock(f"http://127.0.0.1:{port}", session).measure_way()
    finally:
        child.kill()
        await child.wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
