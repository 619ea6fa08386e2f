"""A reverse proxy that keeps what a client sends, so that a test can send the same request again, or hold it back."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from tests.support.http import Answer

PAYMENT_HEADERS = ("X-PAYMENT", "PAYMENT-SIGNATURE", "Authorization")
_OF_THE_CONNECTION = ("Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length")


@dataclass(frozen=True)
class Call:
    """One request as it came, with the host that it was meant for, and what was answered; None when nothing was."""

    method: str
    path: str
    headers: CIMultiDict[str]
    body: bytes = field(repr=False)
    answer: Answer | None

    @property
    def paid(self) -> bool:
        """Whether it carries a payment."""
        return any(name in self.headers for name in PAYMENT_HEADERS)

    @property
    def credential(self) -> str:
        """Its payment header's value."""
        return next(self.headers[name] for name in PAYMENT_HEADERS if name in self.headers)


class Recorder:
    """The proxy's memory and its switch: while `holding`, a paid request is kept and answered with 503 unforwarded."""

    def __init__(self, session: aiohttp.ClientSession, upstream: str) -> None:
        self._session = session
        self.upstream = upstream
        self.address = ""
        self.calls: list[Call] = []
        self.holding = False

    def url(self, path: str) -> str:
        """The address of a route through the proxy."""
        return f"http://{self.address}{path}"

    def paid_calls(self) -> list[Call]:
        """The requests with a payment, in order."""
        return [call for call in self.calls if call.paid]

    async def send(self, call: Call, upstream: str = "", headers: Mapping[str, str] | None = None) -> Answer:
        """Send a kept request again, to the upstream or to another adapter, with other headers on top."""
        changed = call.headers.copy()
        changed.update(headers or {})
        url = f"http://{upstream or self.upstream}{call.path}"
        async with self._session.request(call.method, url, headers=changed, data=call.body) as response:
            return Answer(response.status, response.headers, await response.read())

    async def handle(self, request: web.Request) -> web.Response:
        """Forward one request, or hold it back."""
        headers = request.headers.copy()
        for name in _OF_THE_CONNECTION:
            headers.popall(name, None)
        call = Call(request.method, request.path_qs, headers, await request.read(), None)
        if call.paid and self.holding:
            self.calls.append(call)
            return web.Response(status=503, text="held back")
        try:
            answer = await self.send(call)
        except aiohttp.ClientError:
            self.calls.append(call)
            return web.Response(status=502, text="the connection broke")
        self.calls.append(Call(call.method, call.path, call.headers, call.body, answer))
        passed = answer.headers.copy()
        for name in _OF_THE_CONNECTION:
            passed.popall(name, None)
        return web.Response(status=answer.status, headers=passed, body=answer.body)


@asynccontextmanager
async def recording(upstream: str) -> AsyncIterator[Recorder]:
    """Run the proxy before `upstream`, HOST:PORT, on a free port."""
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as session:
        recorder = Recorder(session, upstream)
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", recorder.handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            recorder.address = f"{host}:{port}"
            yield recorder
        finally:
            await asyncio.shield(runner.cleanup())
