"""A facilitator elsewhere, over HTTP. It is asked, and not believed: what it says it settled is looked up."""

import asyncio
import logging

import httpx
from x402.http import FacilitatorConfig, HTTPFacilitatorClient
from x402.mechanisms.evm.constants import ERR_INSUFFICIENT_BALANCE
from x402.schemas import PaymentPayload, PaymentRequirements, SettleResponse

from adapter.payments.chain import Chain
from adapter.payments.errors import RailUnavailableError
from adapter.payments.x402.config import X402Config
from adapter.payments.x402.facilitator import Attempt

_log = logging.getLogger(__name__)

_VERIFY_TIMEOUT_S = 10.0
# Connections at a time; more requests wait for one, and no longer than `_VERIFY_TIMEOUT_S`.
_LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=16)
# The codes of the SDK and of the specification.
_NO_FUNDS = {ERR_INSUFFICIENT_BALANCE, "insufficient_funds"}
# Our own node may see a block a little later than the facilitator's.
_SIGHT_STEPS = 24
_SIGHT_STEP_S = 0.25


class RemoteFacilitator:
    """Verifies and settles through a service; `chain` is our own view of what it did."""

    def __init__(self, config: X402Config, chain: Chain) -> None:
        self._network = config.network
        self._chain = chain
        self._settle_s = config.settle_s
        # No redirects: a credential goes to the address that was configured, and nowhere else.
        self._http = httpx.AsyncClient(limits=_LIMITS, timeout=max(_VERIFY_TIMEOUT_S, config.settle_s))
        # It names every address it calls, which may hold a key.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._client = HTTPFacilitatorClient(
            FacilitatorConfig(url=config.facilitator_url, timeout=_VERIFY_TIMEOUT_S, http_client=self._http)
        )

    async def start(self) -> None:
        """Ask what the service supports. Raises ValueError where this network is not among it."""
        try:
            supported = await asyncio.to_thread(self._client.get_supported)
        except (httpx.HTTPError, ValueError) as error:
            _log.warning("the x402 facilitator cannot be asked what it supports: %s", type(error).__name__)
            return
        if not any(
            kind.x402_version == 2 and kind.scheme == "exact" and kind.network in (self._network.caip2, "eip155:*")
            for kind in supported.kinds
        ):
            raise ValueError(f"the x402 facilitator does not support `exact` on {self._network.caip2}")

    async def verify(self, payload: PaymentPayload, requirements: PaymentRequirements) -> str:
        """See `Facilitator.verify`."""
        try:
            async with asyncio.timeout(_VERIFY_TIMEOUT_S):
                result = await self._client.verify(payload, requirements)
        except (httpx.HTTPError, ValueError, TimeoutError) as error:
            _log.warning("the x402 facilitator does not verify: %s", type(error).__name__)
            raise RailUnavailableError("facilitator_unavailable", "The payment cannot be verified now.") from None
        return "" if result.is_valid else _clip(result.invalid_reason or "invalid_payment")

    async def settle(self, payload: PaymentPayload, requirements: PaymentRequirements) -> Attempt:
        """See `Facilitator.settle`. Never says that it is settled: only our own look at the chain does."""
        try:
            async with asyncio.timeout(self._settle_s):
                result = await self._client.settle(payload, requirements)
        except (httpx.HTTPError, ValueError, TimeoutError) as error:
            _log.warning("the x402 facilitator does not settle: %s", type(error).__name__)
            return Attempt(reason="facilitator_unavailable")
        if result.transaction:
            await self._await_sight(result)
        reason = "unconfirmed" if result.success else _clip(result.error_reason or "settlement_failed")
        final = not result.transaction and reason in _NO_FUNDS and await self._is_short(payload, requirements)
        return Attempt(reason=reason, final=final)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _await_sight(self, result: SettleResponse) -> None:
        """Wait until our own node has the transaction too, or it takes too long."""
        for _ in range(_SIGHT_STEPS):
            try:
                if await self._chain.receipt(result.transaction) is not None:
                    return
            except RailUnavailableError:
                return
            await asyncio.sleep(_SIGHT_STEP_S)
        _log.warning("a transaction that the x402 facilitator named is not on the chain")

    async def _is_short(self, payload: PaymentPayload, requirements: PaymentRequirements) -> bool:
        """Tell whether the payer cannot pay as our own node sees it; no where that cannot be told."""
        try:
            balance = await self._chain.balance(requirements.asset, payload.payload["authorization"]["from"])
        except RailUnavailableError:
            return False
        return balance < int(requirements.amount)


def _clip(reason: str) -> str:
    """Keep a stranger's words short: they go out to the payer."""
    return reason[:80]
