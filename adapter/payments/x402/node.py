"""The way to the node for x402's own code, which is synchronous and hides what goes wrong on it."""

import threading
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import urllib3
from web3.providers import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from adapter.payments.rpc import is_revert

_SEND = "eth_sendRawTransaction"
# A dropped connection is common, and so is a node that has just left the block it was asked about behind.
_READ_ATTEMPTS = 3


@dataclass
class Troubles:
    """What went wrong on the way to the node in one thread since it began its present task."""

    unanswered: bool = False
    refused: bool = False


class WatchedProvider(JSONBaseProvider):
    """JSON-RPC that remembers in each thread whether the node failed to answer.

    x402 turns such failures into verdicts on the payment ("bad signature"); whoever asked for the verdict looks here.
    Over urllib3 itself: a settlement makes eight calls, and web3's own provider would take most of its time.
    """

    def __init__(self, rpc_url: str, *, connections: int, timeout_s: float = 10.0) -> None:
        super().__init__()
        self.endpoint_uri = rpc_url
        self._pool = urllib3.PoolManager(
            maxsize=connections,
            block=True,
            retries=False,
            timeout=timeout_s,
            headers={"Content-Type": "application/json"},
        )
        self._local = threading.local()

    def close(self) -> None:
        """Close the connections to the node."""
        self._pool.clear()

    def begin(self) -> Troubles:
        """Forget this thread's troubles, and return the record that those to come will be written to."""
        self._local.troubles = Troubles()
        return self.troubles

    @property
    def troubles(self) -> Troubles:
        """This thread's record."""
        return self._local.troubles if hasattr(self._local, "troubles") else self.begin()

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:  # noqa: ANN401 (as web3 has it)
        """Ask the node: for what can be read a few times; to broadcast once, for a second time would be refused."""
        attempts = 1 if method == _SEND else _READ_ATTEMPTS
        for attempt in range(1, attempts + 1):
            try:
                response = self._post(method, params)
            except (OSError, ValueError):
                if attempt == attempts:
                    self.troubles.unanswered = True
                    raise
            else:
                if method == _SEND or "error" not in response or is_revert(response["error"]):
                    return response
        self.troubles.unanswered = True
        return response

    def _post(self, method: RPCEndpoint, params: Any) -> RPCResponse:  # noqa: ANN401 (as web3 has it)
        """Raises ConnectionError where there is no answer, ValueError where it is no JSON."""
        body = self.encode_rpc_request(method, params)
        try:
            answer = self._pool.request("POST", self.endpoint_uri, body=body, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            # Without its text, and its cause: both name the address, which may hold a key.
            raise ConnectionError(type(error).__name__) from None
        if answer.status != HTTPStatus.OK:
            raise ConnectionError(f"HTTP {answer.status}")
        return self.decode_rpc_response(answer.data)
