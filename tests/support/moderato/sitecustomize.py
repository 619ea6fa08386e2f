"""Programs that find this on their path meet the local chain, TEMPO_RPC, where they ask for Tempo's public testnet."""

import os

import httpx
import mpp.methods.tempo.client as tempo

_PUBLIC = "rpc.moderato.tempo.xyz"
_send = httpx.AsyncHTTPTransport.handle_async_request


async def _send_to_local_chain(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
    if request.url.host == _PUBLIC:
        local = httpx.URL(os.environ["TEMPO_RPC"])
        headers = {"Content-Type": "application/json"}
        request = httpx.Request("POST", local, headers=headers, content=request.content, extensions=request.extensions)
    return await _send(self, request)


httpx.AsyncHTTPTransport.handle_async_request = _send_to_local_chain  # type: ignore[method-assign]
# The local chain is older than the public one: it takes transactions that live for 30 s at the most, not for 300.
tempo.EXPIRING_NONCE_VALID_BEFORE_SECS = 25
