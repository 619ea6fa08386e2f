"""A facilitator over HTTP, as others run them: x402's own behind aiohttp. It can also lie, break and be slow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from x402 import x402FacilitatorSync
from x402.mechanisms.evm import FacilitatorWeb3Signer
from x402.mechanisms.evm.exact import register_exact_evm_facilitator
from x402.schemas import PaymentPayload, PaymentRequirements

_NEVER_S = 3600


class FacilitatorServer:
    """Set `verify` and `settle` to say what befalls the next requests; empty for nothing.

    Both: `hang`, `hang_up`, `error`, `garbage`. `verify`: `yes` (whatever it is). `settle`: `lie` (says it is settled,
    and is not), `deny` (settles and says `transaction_failed`), `poor` (says the payer has no money, and does nothing);
    `late_*`: one of the first four, after the settlement.
    """

    def __init__(self, key: str, rpc_url: str, network: str) -> None:
        self._facilitator = register_exact_evm_facilitator(
            x402FacilitatorSync(), FacilitatorWeb3Signer(key, rpc_url), networks=network
        )
        self.url = ""
        self.verify = ""
        self.settle = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["FacilitatorServer"]:
        """Serves on a free port of this machine."""
        app = web.Application()
        app.add_routes(
            [
                web.post("/verify", self._verify),
                web.post("/settle", self._settle),
                web.get("/supported", self._supported),
            ]
        )
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _supported(self, request: web.Request) -> web.Response:
        return web.json_response(self._facilitator.get_supported().model_dump(by_alias=True))

    async def _verify(self, request: web.Request) -> web.StreamResponse:
        if self.verify == "yes":
            return web.json_response({"isValid": True})
        if self.verify:
            return await _break(request, self.verify)
        result = await asyncio.to_thread(self._facilitator.verify, *await _read(request))
        return web.json_response(result.model_dump(by_alias=True))

    async def _settle(self, request: web.Request) -> web.StreamResponse:
        payload, requirements = await _read(request)
        answer: dict[str, Any] = {"success": False, "transaction": "", "network": requirements.network}
        if self.settle == "lie":
            return web.json_response({**answer, "success": True, "transaction": "0x" + "12" * 32})
        if self.settle == "poor":
            return web.json_response({**answer, "errorReason": "insufficient_funds"})
        if self.settle in ("hang", "hang_up", "error", "garbage"):
            return await _break(request, self.settle)
        result = await asyncio.to_thread(self._facilitator.settle, payload, requirements)
        if self.settle == "deny":
            return web.json_response({**answer, "errorReason": "transaction_failed"})
        if self.settle:
            return await _break(request, self.settle.removeprefix("late_"))
        return web.json_response(result.model_dump(by_alias=True))


async def _read(request: web.Request) -> tuple[PaymentPayload, PaymentRequirements]:
    fields = await request.json()
    assert fields["x402Version"] == 2, "there is one path, and it is version 2's"
    return (
        PaymentPayload.model_validate(fields["paymentPayload"]),
        PaymentRequirements.model_validate(fields["paymentRequirements"]),
    )


async def _break(request: web.Request, how: str) -> web.StreamResponse:
    if how == "hang":
        await asyncio.sleep(_NEVER_S)
    if how == "hang_up":
        assert request.transport is not None
        request.transport.abort()
    return web.Response(status=500 if how == "error" else 200, text="<html>oops</html>")
