"""The way to the node for x402's own code, which is synchronous and hides what goes wrong on it."""

import threading
from dataclasses import dataclass
from typing import Any

from requests import Session
from requests.adapters import HTTPAdapter
from web3 import HTTPProvider
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


class WatchedProvider(HTTPProvider):
    """JSON-RPC that remembers in each thread whether the node failed to answer.

    x402 turns such failures into verdicts on the payment ("bad signature"); whoever asked for the verdict looks here.
    """

    def __init__(self, rpc_url: str, *, connections: int, timeout_s: float = 10.0) -> None:
        self._session = Session()
        self._session.trust_env = False  # As everywhere: no proxies, no .netrc, and no looking for them at every call.
        self._session.mount(rpc_url, HTTPAdapter(pool_maxsize=connections))
        super().__init__(
            rpc_url,
            request_kwargs={"timeout": timeout_s},
            session=self._session,
            exception_retry_configuration=None,
        )
        self._local = threading.local()

    def close(self) -> None:
        """Close the connections to the node."""
        self._session.close()

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
                response: RPCResponse = super().make_request(method, params)
            except (OSError, ValueError):  # Every error of `requests`, and what is no JSON.
                if attempt == attempts:
                    self.troubles.unanswered = True
                    raise
            else:
                if method == _SEND or "error" not in response or is_revert(response["error"]):
                    return response
        self.troubles.unanswered = True
        return response
