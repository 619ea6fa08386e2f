"""A node's front door: what public nodes offer and anvil 1.7.1 does not, translated.

anvil refuses the time limit of `eth_sendRawTransactionSync` (EIP-7966), and a simulation of a Tempo transaction ends
its process. It makes a block only for a transaction, so that an idle chain's clock stands still: here one comes also
when somebody looks and the last is old.
"""

import asyncio
import json
import time
from typing import Any

from aiohttp import web

from devnet.rpc import Rpc

BLOCK_TIME_S = 2
"""Of Base; Tempo's is shorter."""

_SYNC_LIMIT_MS = 20_000
_POLL_S = 0.02
_TIMEOUT = 4  # The error code of EIP-7966 for a transaction that is known and not mined in time.
_NOT_OFFERED = -32601
_ENDS_ANVIL = frozenset({"eth_simulateV1", "tempo_simulateV1"})

Message = dict[str, Any]


class Shim:
    """Stands before one anvil."""

    def __init__(self, anvil: Rpc) -> None:
        self._anvil = anvil
        self._clock = asyncio.Lock()
        self._looked_at = 0.0

    def app(self) -> web.Application:
        """The HTTP application that answers in anvil's place."""
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_post("/", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            message = await request.json()
        except json.JSONDecodeError:
            return web.json_response(_error(None, -32700, "parse error"))
        await self._keep_time()
        if isinstance(message, list):
            return web.json_response([await self._translate(one) for one in message])
        return web.json_response(await self._translate(message))

    async def _translate(self, message: Any) -> Any:  # noqa: ANN401 - whatever anvil says.
        if not isinstance(message, dict):
            return _error(None, -32600, "invalid request")
        match message.get("method"):
            case "eth_sendRawTransactionSync":
                return await self._send_and_wait(message)
            case method if method in _ENDS_ANVIL:
                return _error(message, _NOT_OFFERED, f"the method {method} is not offered by this local chain")
            case "evm_setAutomine":
                async with self._clock:  # So that no block of ours comes once it is off.
                    return await self._anvil.send(message)
        return await self._anvil.send(message)

    async def _send_and_wait(self, message: Message) -> Message:
        """Send a transaction and wait for its receipt, for as long as the call says, in milliseconds."""
        transaction, *rest = message.get("params", [None])
        sent: Message = await self._anvil.send({**message, "method": "eth_sendRawTransaction", "params": [transaction]})
        if "error" in sent:
            return sent
        limit_ms = int(rest[0]) if rest else _SYNC_LIMIT_MS
        try:
            async with asyncio.timeout(limit_ms / 1000):
                receipt = await self._receipt(sent["result"])
        except TimeoutError:
            return _error(message, _TIMEOUT, "the transaction was not mined in time", data=sent["result"])
        return {"jsonrpc": "2.0", "id": message.get("id"), "result": receipt}

    async def _receipt(self, transaction: str) -> Message:
        while True:
            receipt: Message | None = await self._anvil.call("eth_getTransactionReceipt", transaction)
            if receipt:
                return receipt
            await asyncio.sleep(_POLL_S)

    async def _keep_time(self) -> None:
        """Have an empty block made where the last is older than those of a public chain ever are."""
        if time.monotonic() - self._looked_at < BLOCK_TIME_S:
            return
        async with self._clock:
            self._looked_at = time.monotonic()
            if not await self._anvil.call("anvil_getAutomine"):
                return
            block = await self._anvil.call("eth_getBlockByNumber", "latest", False)  # noqa: FBT003 - JSON-RPC's own.
            if int(block["timestamp"], 16) + BLOCK_TIME_S <= time.time():
                await self._anvil.call("evm_mine")


def _error(message: Message | None, code: int, text: str, **more: str) -> Message:
    error = {"code": code, "message": text, **more}
    return {"jsonrpc": "2.0", "id": (message or {}).get("id"), "error": error}
