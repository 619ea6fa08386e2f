"""The facilitator in this process: x402's own, synchronous, in threads of its own.

Its asynchronous sister blocks the event loop for as long as a settlement takes.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from web3.exceptions import Web3Exception
from x402 import x402FacilitatorSync
from x402.mechanisms.evm.constants import (
    ERR_NONCE_ALREADY_USED,
    ERR_SETTLEMENT_PENDING,
    ERR_TRANSFER_EVENT_MISMATCH,
)
from x402.mechanisms.evm.exact import ExactEvmFacilitatorScheme, ExactEvmSchemeConfig
from x402.pending_settlement_store import InMemoryPendingSettlementStore
from x402.schemas import PaymentPayload, PaymentRequirements, SettleResponse, VerifyResponse

from adapter.payments.errors import RailUnavailableError
from adapter.payments.x402.config import X402Config
from adapter.payments.x402.facilitator import Attempt
from adapter.payments.x402.node import WatchedProvider
from adapter.payments.x402.signer import SettlementSigner

_log = logging.getLogger(__name__)

# What web3 and x402 raise where the node fails them.
_NODE_ERRORS = (OSError, ValueError, RuntimeError, Web3Exception)
# A verification takes milliseconds, a settlement as long as a block: neither waits behind the other.
_VERIFYING_THREADS = 4
_SETTLING_THREADS = 32
# After these it is the chain that knows whether the payment was taken.
_OPEN_REASONS = {ERR_SETTLEMENT_PENDING, ERR_NONCE_ALREADY_USED, ERR_TRANSFER_EVENT_MISMATCH}


class _KnownTransactions(InMemoryPendingSettlementStore):
    """Broadcasts whose outcome is not known, as long as the node knows them: what never arrived is sent anew."""

    def __init__(self, signer: SettlementSigner) -> None:
        super().__init__()
        self._signer = signer

    def get(self, key: str) -> str | None:
        transaction = super().get(key)
        return transaction if transaction and self._signer.knows(transaction) else None


class LocalFacilitator:
    """Verifies and settles with web3 and a hot key. Deploys no wallets (EIP-6492); deployed ones (EIP-1271) may pay."""

    def __init__(self, config: X402Config) -> None:
        provider = WatchedProvider(config.rpc_url, connections=_VERIFYING_THREADS + _SETTLING_THREADS)
        self._signer = SettlementSigner(config.key, provider, settle_s=config.settle_s)
        scheme = ExactEvmFacilitatorScheme(
            self._signer,
            ExactEvmSchemeConfig(simulate_in_settle=True),
            _KnownTransactions(self._signer),
        )
        self._facilitator = x402FacilitatorSync()
        self._facilitator.register([config.network.caip2], scheme)
        self._verifying = ThreadPoolExecutor(_VERIFYING_THREADS, thread_name_prefix="x402-verify")
        self._settling = ThreadPoolExecutor(_SETTLING_THREADS, thread_name_prefix="x402-settle")
        # It logs what nodes answer and where they are, which may hold a key.
        logging.getLogger("x402").setLevel(logging.CRITICAL)

    async def start(self) -> None:
        """Load what web3 loads with its first call, and look whether there is gas to settle with."""
        loop = asyncio.get_running_loop()
        try:
            gas = await loop.run_in_executor(self._verifying, self._signer.get_gas)
        except (OSError, ValueError, Web3Exception) as error:
            _log.warning("the node cannot be asked for the settling key's balance: %s", type(error).__name__)
        else:
            (_log.info if gas else _log.error)("%s settles x402 payments and holds %d wei", self._signer.address, gas)

    async def verify(self, payload: PaymentPayload, requirements: PaymentRequirements) -> str:
        """See `Facilitator.verify`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._verifying, self._verify, payload, requirements)

    async def settle(self, payload: PaymentPayload, requirements: PaymentRequirements) -> Attempt:
        """See `Facilitator.settle`. Cancelled while it waits for a thread, it does nothing; later, it goes on."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._settling, self._settle, payload, requirements)

    async def close(self) -> None:
        """Wait for the settlements in flight, and close the connections."""
        for pool in (self._verifying, self._settling):
            await asyncio.to_thread(pool.shutdown, cancel_futures=True)
        self._signer.close()

    def _verify(self, payload: PaymentPayload, requirements: PaymentRequirements) -> str:
        troubles = self._signer.provider.begin()
        result: VerifyResponse | None = None
        try:
            result = self._facilitator.verify(payload, requirements)
        except _NODE_ERRORS as error:
            _log.warning("a payment could not be verified: %s", type(error).__name__)
        if result is not None and result.is_valid:
            return ""
        # x402 makes a verdict of every failure; none is believed that was reached while the node did not answer.
        if result is None or troubles.unanswered:
            raise RailUnavailableError("chain_unavailable", "The payment network does not answer. Try again.")
        return result.invalid_reason or "invalid_payment"

    def _settle(self, payload: PaymentPayload, requirements: PaymentRequirements) -> Attempt:
        troubles = self._signer.provider.begin()
        try:
            with self._signer.computing:
                result: SettleResponse = self._facilitator.settle(payload, requirements)
        except _NODE_ERRORS as error:
            _log.warning("a settlement failed: %s", type(error).__name__)
            return Attempt(reason="chain_unavailable")
        if result.success:
            return Attempt(transaction=result.transaction)
        reason = result.error_reason or "settlement_failed"
        return Attempt(
            reason=reason, final=reason not in _OPEN_REASONS and not troubles.unanswered and not troubles.refused
        )
