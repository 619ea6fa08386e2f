"""A receiver of webhooks as somebody would write it: checks what it gets with the public library, and answers."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from aiohttp import web
from multidict import CIMultiDictProxy
from standardwebhooks import Webhook

from egress.courier import Courier
from egress.policy import EgressPolicy

HOST = "127.0.0.1"


@dataclass
class Receiver:
    """`answers` are given in turn, the last again and again. Nothing is answered while it is not `free`."""

    port: int = 0
    answers: list[web.Response] = field(default_factory=lambda: [web.Response(status=204)])
    free: asyncio.Event = field(default_factory=asyncio.Event)
    got: list[tuple[CIMultiDictProxy[str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        """The ids of all deliveries, as they came."""
        return [headers["webhook-id"] for headers, _ in self.got]

    def courier(self, timeout_s: float = 30.0) -> Courier:
        """One that takes this receiver's address for public, and no other."""
        policy = EgressPolicy(lambda address: address == ip_address(HOST), frozenset({self.port}))
        return Courier(policy, timeout_s=timeout_s)

    def read(self, secret: str, nth: int = -1) -> dict[str, Any]:
        """What a delivery says, once its signature and its time are found right."""
        headers, body = self.got[nth]
        said = Webhook(secret).verify(body, dict(headers))
        assert said == json.loads(body)
        return dict(said)

    async def answer(self, request: web.Request) -> web.Response:
        """One delivery, or whatever else comes."""
        self.got.append((request.headers, await request.read()))
        await self.free.wait()
        given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=given.status, headers=given.headers, body=given.body)


@asynccontextmanager
async def running_receiver() -> AsyncIterator[Receiver]:
    """Listen on loopback until the end of the block."""
    receiver = Receiver()
    receiver.free.set()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        receiver.free.set()
        await runner.cleanup()
