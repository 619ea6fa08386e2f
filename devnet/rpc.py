"""JSON-RPC calls to a chain."""

from typing import Any

import aiohttp

from devnet.errors import RpcError


class Rpc:
    """Calls one chain. `session` is the caller's to close."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    async def call(self, method: str, *params: object) -> Any:  # noqa: ANN401 - what a method gives is its own.
        """Call `method` and return its result.

        Raises:
            RpcError: The chain answered with an error.
            aiohttp.ClientError: The chain did not answer.
        """
        answer = await self.send({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        if "error" in answer:
            message = f"{method}: {answer['error'].get('message', answer['error'])}"
            raise RpcError(message)
        return answer["result"]

    async def send(self, message: object) -> Any:  # noqa: ANN401 - an object, or a list where `message` is one.
        """Send a message as it is, and return the whole answer."""
        async with self._session.post(self.url, json=message) as response:
            return await response.json(content_type=None)
