"""Reads of an EVM chain that the payment SDKs leave out: transfers as they happened, and uses of authorisations.

Writes nothing and holds no key. Addresses and hashes go in and come out as lower-case hex with 0x. Plain JSON-RPC: what
web3 has for contracts takes milliseconds a call, which the event loop does not have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from web3 import Web3

from adapter.payments.rpc import CallRevertedError, Rpc, unavailable

__all__ = ["AuthorizationUse", "Block", "CallRevertedError", "Chain", "Receipt", "Transfer"]


def _topic(signature: str) -> str:
    return Web3.to_hex(Web3.keccak(text=signature))


_TRANSFER = _topic("Transfer(address,address,uint256)")
_TRANSFER_WITH_MEMO = _topic("TransferWithMemo(address,address,uint256,bytes32)")
_AUTHORIZATION_USED = _topic("AuthorizationUsed(address,bytes32)")
_AUTHORIZATION_CANCELED = _topic("AuthorizationCanceled(address,bytes32)")
_BALANCE_OF = _topic("balanceOf(address)")[:10]
_AUTHORIZATION_STATE = _topic("authorizationState(address,bytes32)")[:10]
# Public nodes answer eth_getLogs for at most 500 to 10,000 blocks at a time.
_LOG_WINDOW_BLOCKS = 500


@dataclass(frozen=True)
class Block:
    """A block's number, and its Unix time in seconds."""

    number: int
    timestamp: int


@dataclass(frozen=True)
class Transfer:
    """One Transfer event of a token; `amount` in base units, `index` its place among the block's events.

    A TIP-20 transfer with a memo shows twice: as a plain Transfer, and as one whose `memo` is 0x and 64 hex digits.
    """

    token: str
    sender: str
    recipient: str
    amount: int
    index: int
    memo: str | None = None


@dataclass(frozen=True)
class Receipt:
    """A transaction that was mined. `transfers` is empty where it was reverted."""

    transaction: str
    succeeded: bool
    block: int
    transfers: tuple[Transfer, ...]


@dataclass(frozen=True)
class AuthorizationUse:
    """Where an EIP-3009 authorisation was used up. `transfer` is its very own transfer; None where it was cancelled."""

    transaction: str
    block: int
    transfer: Transfer | None


class Chain:
    """One chain behind a JSON-RPC address, read without blocking the event loop.

    Every method raises RailUnavailableError where the node does not answer within `timeout_s`, or answers nonsense.
    """

    def __init__(self, rpc_url: str, *, timeout_s: float = 10.0) -> None:
        self._rpc = Rpc(rpc_url, timeout_s=timeout_s)

    async def close(self) -> None:
        """Close the connections to the node."""
        await self._rpc.close()

    async def chain_id(self) -> int:
        """Return the number of the chain that the node serves."""
        return _number(await self._rpc.ask("eth_chainId"))

    async def head(self) -> Block:
        """Return the latest block."""
        return await self._block("latest")

    async def timestamp(self) -> int:
        """Return the chain's own clock: the time of the latest block, Unix seconds."""
        return (await self.head()).timestamp

    async def block_timestamp(self, number: int) -> int:
        """Return the time of block `number`, Unix seconds."""
        return (await self._block(hex(number))).timestamp

    async def balance(self, token: str, owner: str) -> int:
        """Return `owner`'s balance of `token`, in base units."""
        return await self._read_word(token, _BALANCE_OF + _word(owner))

    async def call(self, to: str, data: bytes, *, sender: str) -> bytes:
        """Run a call on the latest state without sending it, and return its result.

        Raises CallRevertedError where the chain would refuse it.
        """
        request = {"to": to, "from": sender, "data": "0x" + data.hex()}
        return _bytes(await self._rpc.ask("eth_call", request, "latest"))

    async def receipt(self, transaction: str) -> Receipt | None:
        """Return what became of a transaction; None where no block holds it."""
        found = await self._rpc.ask("eth_getTransactionReceipt", transaction)
        if found is None:
            return None
        try:
            return Receipt(
                transaction=found["transactionHash"].lower(),
                succeeded=_number(found["status"]) == 1,
                block=_number(found["blockNumber"]),
                transfers=_read_transfers(found["logs"]),
            )
        except (LookupError, TypeError, AttributeError):
            raise unavailable() from None

    async def authorization_used(self, token: str, payer: str, nonce: str, *, at_block: int | None = None) -> bool:
        """Tell whether an EIP-3009 authorisation was used or cancelled, as of a block (default: the latest)."""
        data = _AUTHORIZATION_STATE + _word(payer) + _word(nonce)
        return await self._read_word(token, data, "latest" if at_block is None else hex(at_block)) == 1

    async def authorization_use(
        self, token: str, payer: str, nonce: str, *, first_block: int, last_block: int
    ) -> AuthorizationUse | None:
        """Find the event that used or cancelled an authorisation, from `first_block` to `last_block`, both included.

        USDC emits AuthorizationUsed and the Transfer it stands for one directly after the other. Only that Transfer is
        returned: another one of the same transaction may belong to another authorisation.
        """
        topics = [[_AUTHORIZATION_USED, _AUTHORIZATION_CANCELED], "0x" + _word(payer), nonce]
        for start in range(first_block, last_block + 1, _LOG_WINDOW_BLOCKS):
            end = min(start + _LOG_WINDOW_BLOCKS - 1, last_block)
            wanted = {"address": token, "topics": topics, "fromBlock": hex(start), "toBlock": hex(end)}
            if logs := await self._rpc.ask("eth_getLogs", wanted):
                return await self._describe_use(logs)
        return None

    async def _describe_use(self, logs: Any) -> AuthorizationUse:  # noqa: ANN401 (JSON)
        try:
            log = logs[0]
            transaction, token, index = log["transactionHash"], log["address"].lower(), _number(log["logIndex"])
            used = log["topics"][0] == _AUTHORIZATION_USED
        except (LookupError, TypeError, AttributeError):
            raise unavailable() from None
        receipt = await self.receipt(transaction)
        if receipt is None:
            raise unavailable()  # Its event was seen a moment ago: another node, which is behind.
        own = (moved for moved in receipt.transfers if used and moved.index == index + 1 and moved.token == token)
        return AuthorizationUse(receipt.transaction, receipt.block, next(own, None))

    async def _block(self, place: str) -> Block:
        found = await self._rpc.ask("eth_getBlockByNumber", place, False)  # noqa: FBT003 (hashes will do)
        try:
            return Block(_number(found["number"]), _number(found["timestamp"]))
        except (LookupError, TypeError):
            raise unavailable() from None

    async def _read_word(self, contract: str, data: str, place: str = "latest") -> int:
        """Call a view that returns one number. A contract that is not there, or reverts, is a node of another chain."""
        try:
            answer = _bytes(await self._rpc.ask("eth_call", {"to": contract, "data": data}, place))
        except CallRevertedError:
            raise unavailable() from None
        if len(answer) != 32:
            raise unavailable()
        return int.from_bytes(answer)


def _word(value: str) -> str:
    return value.removeprefix("0x").lower().rjust(64, "0")


def _number(value: Any) -> int:  # noqa: ANN401 (JSON)
    try:
        return int(value, 16)
    except (TypeError, ValueError):
        raise unavailable() from None


def _bytes(value: Any) -> bytes:  # noqa: ANN401 (JSON)
    try:
        return bytes.fromhex(value.removeprefix("0x"))
    except (AttributeError, ValueError):
        raise unavailable() from None


def _read_transfers(logs: Sequence[dict[str, Any]]) -> tuple[Transfer, ...]:
    kinds = {_TRANSFER: 3, _TRANSFER_WITH_MEMO: 4}
    found = []
    for log in logs:
        topics = log["topics"]
        if not topics or kinds.get(topics[0]) != len(topics) or len(log["data"]) != 66:
            continue
        found.append(
            Transfer(
                token=log["address"].lower(),
                sender="0x" + topics[1][-40:].lower(),
                recipient="0x" + topics[2][-40:].lower(),
                amount=_number(log["data"]),
                index=_number(log["logIndex"]),
                memo=topics[3].lower() if len(topics) == 4 else None,
            )
        )
    return tuple(found)
