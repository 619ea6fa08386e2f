"""Questions to a chain's node, over JSON-RPC."""

import asyncio
import logging
from typing import Any

from web3 import AsyncHTTPProvider
from web3.types import RPCEndpoint

from adapter.payments.errors import RailUnavailableError

_log = logging.getLogger(__name__)

# A dropped connection is common, and so is a node that has just left the block it was asked about behind. Few enough
# that they make no storm.
_ATTEMPTS = 3
# What aiohttp raises, as web3's own provider names it; and what is no JSON.
_FAILURES: tuple[type[BaseException], ...] = (
    *AsyncHTTPProvider().exception_retry_configuration.errors,
    OSError,
    ValueError,
)


class CallRevertedError(Exception):
    """The chain would refuse this call; the text is the contract's own reason, where it gives one."""


class Rpc:
    """One node. Only for questions: each may be asked several times."""

    def __init__(self, rpc_url: str, *, timeout_s: float) -> None:
        self._provider = AsyncHTTPProvider(rpc_url, exception_retry_configuration=None)
        self._timeout_s = timeout_s
        # It names the node's address, which may hold a key, whenever it disconnects.
        logging.getLogger("web3").setLevel(logging.WARNING)

    async def ask(self, method: str, *params: object) -> Any:  # noqa: ANN401 (JSON)
        """Return the node's answer.

        Raises CallRevertedError, and RailUnavailableError where there is no answer within the time for one.
        """
        trouble = ""
        try:
            async with asyncio.timeout(self._timeout_s):
                for _ in range(_ATTEMPTS):
                    try:
                        answer = await self._provider.make_request(RPCEndpoint(method), params)
                    except _FAILURES as error:
                        trouble = type(error).__name__
                        continue
                    if "result" in answer:
                        return answer["result"]
                    trouble = _read_error(answer.get("error"))
        except TimeoutError:
            trouble = "TimeoutError"
        # No more than its kind: the text may hold the node's address, and that a key.
        _log.warning("%s failed: %s", method, trouble)
        raise unavailable()

    async def close(self) -> None:
        """Close the connections to the node."""
        await self._provider.disconnect()


def unavailable() -> RailUnavailableError:
    """Return the error for a node that does not answer, or answers nonsense."""
    return RailUnavailableError(
        "chain_unavailable", "The payment network does not answer. Try again with the same payment."
    )


def is_revert(error: object) -> bool:
    """Tell whether a JSON-RPC error is a contract's answer, and not the node's trouble."""
    if not isinstance(error, dict):
        return False
    return error.get("code") == 3 or "revert" in str(error.get("message", "")).lower()


def _read_error(error: object) -> str:
    """Return the kind of a JSON-RPC error. Raises CallRevertedError where it is a contract's."""
    if not isinstance(error, dict):
        return "no answer"
    if is_revert(error):
        raise CallRevertedError(str(error.get("message", "")))
    return f"error {error.get('code')}"
