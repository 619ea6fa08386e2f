"""The hot key that settles: x402's own signer, with the holes in its broadcasting closed.

`FacilitatorWeb3Signer` never gives back the nonce of a broadcast that was refused, so that all later ones wait behind a
gap for ever; and it calls a broadcast failed whose reply was lost, though it may well have arrived.
"""

import logging
import random
import threading
import time
from typing import Any

from eth_account.datastructures import SignedTransaction
from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import TransactionNotFound, Web3RPCError
from web3.middleware import AttributeDictMiddleware, ExtraDataToPOAMiddleware
from web3.types import TxParams
from x402.mechanisms.evm import FacilitatorWeb3Signer, TransactionReceipt

from adapter.payments.x402.node import WatchedProvider

_log = logging.getLogger(__name__)

# Threads that compute at a time. All take turns with the event loop, which must not wait for many of them.
_COMPUTING_THREADS = 4
# Base makes a block every two seconds.
_POLL_S = 0.25
# A node behind a balancer may count our last transaction a little late; after this long its count is right, and ours
# may be wrong: a node that was restarted forgets what was not mined.
_COUNT_TRUSTED_S = 15.0
# Other processes may settle with the same key: then both take the same nonce now and then, and one tries again.
_NONCE_ATTEMPTS = 8
# Longest pause before the next attempt, times how many there were; at random, or both try again together.
_NONCE_PAUSE_S = 0.05
_NONCE_TAKEN = ("nonce too low", "underpriced", "nonce has already been used", "already known")


class BroadcastRefusedError(Exception):
    """The node refused a transaction, and does not know it: nothing was sent."""


class SettlementSigner(FacilitatorWeb3Signer):
    """Signs and broadcasts, one at a time, with every nonce given back that was not used."""

    def __init__(self, key: str, provider: WatchedProvider, *, settle_s: float) -> None:
        super().__init__(key, str(provider.endpoint_uri), confirmation_timeout_seconds=settle_s)
        self.provider = provider
        # Without web3's own middleware: one asks for the chain's id before every call, others are for names and gas
        # prices, which are not used here.
        self._w3 = Web3(provider, middleware=[(AttributeDictMiddleware, "attrdict"), (ExtraDataToPOAMiddleware, "poa")])
        self._sending = threading.Lock()
        self.computing = threading.BoundedSemaphore(_COMPUTING_THREADS)
        """Held by whoever has this signer settle something."""
        self._next = 0
        self._sent_at = float("-inf")

    def write_contract(
        self,
        address: str,
        abi: list[dict[str, Any]],
        function_name: str,
        *args: Any,  # noqa: ANN401 (the contract's own)
        data_suffix: str | None = None,
    ) -> str:
        """Broadcast a contract call; return its transaction's hash, also where it is unknown whether it arrived.

        Raises BroadcastRefusedError where certainly nothing was sent.
        """
        contract = self._w3.eth.contract(address=Web3.to_checksum_address(address), abi=abi)
        data = contract.encode_abi(function_name, args=list(args)) + (data_suffix or "").removeprefix("0x")
        tip = self._w3.eth.max_priority_fee
        base_fee = self._w3.eth.get_block("latest")["baseFeePerGas"]
        transaction = TxParams(
            {
                "to": contract.address,
                "data": HexBytes(data),
                "value": Web3.to_wei(0, "wei"),
                "gas": self._gas_limit,
                "maxFeePerGas": Web3.to_wei(2 * base_fee + tip, "wei"),
                "maxPriorityFeePerGas": tip,
                "chainId": self.get_chain_id(),
            }
        )
        with self._sending:
            return self._send(transaction)

    def wait_for_transaction_receipt(self, tx_hash: str) -> TransactionReceipt:
        """Wait for a transaction to be mined, and let another thread compute meanwhile.

        Raises web3.exceptions.TimeExhausted where it is not mined within the time for a settlement.
        """
        self.computing.release()
        try:
            receipt = self._w3.eth.wait_for_transaction_receipt(
                HexBytes(tx_hash), timeout=self._confirmation_timeout_seconds, poll_latency=_POLL_S
            )
        finally:
            self.computing.acquire()
        return TransactionReceipt(receipt["status"], receipt["blockNumber"], tx_hash, list(receipt["logs"]))

    def get_gas(self) -> int:
        """Return what the key holds to pay gas with, in wei."""
        return self._w3.eth.get_balance(self._account.address)

    def knows(self, transaction: str) -> bool:
        """Tell whether the node has heard of a transaction, mined or not."""
        try:
            self._w3.eth.get_transaction(HexBytes(transaction))
        except TransactionNotFound:
            return False
        return True

    def close(self) -> None:
        """Close the connections to the node."""
        self.provider.close()

    def _send(self, transaction: TxParams) -> str:
        refusal = ""
        for attempt in range(_NONCE_ATTEMPTS):
            time.sleep(random.uniform(0, _NONCE_PAUSE_S * attempt))  # noqa: S311 (no secret)
            nonce = self._take_nonce()
            signed = self._account.sign_transaction({**transaction, "nonce": nonce})
            sent, refusal = self._broadcast(signed, nonce)
            if sent:
                return Web3.to_hex(signed.hash)
            if not any(words in refusal.lower() for words in _NONCE_TAKEN):
                break
        _log.error("the node refuses to broadcast settlements: %s", refusal)
        self.provider.troubles.refused = True
        raise BroadcastRefusedError(refusal)

    def _take_nonce(self) -> int:
        count = self._w3.eth.get_transaction_count(self._account.address, "pending")
        if time.monotonic() - self._sent_at > _COUNT_TRUSTED_S:
            return count
        return max(count, self._next)

    def _broadcast(self, signed: SignedTransaction, nonce: int) -> tuple[bool, str]:
        """Return whether the transaction may have been sent, and the node's words where it was not."""
        try:
            self._w3.eth.send_raw_transaction(signed.raw_transaction)
        except Web3RPCError as error:
            # The next nonce is the node's to say again; its refusal may also mean that it has this very transaction.
            self._sent_at = float("-inf")
            return self.knows(Web3.to_hex(signed.hash)), str(error.message)[:200]
        except (OSError, ValueError):
            # No answer: it may have arrived. Only the next transaction needs to know the truth, and asks the node.
            self._sent_at = float("-inf")
            return True, ""
        self._next, self._sent_at = nonce + 1, time.monotonic()
        return True, ""
