"""Reads of an EVM chain that the payment SDKs leave out: transfers as they happened, and uses of authorisations.

Writes nothing and holds no key. Addresses and hashes go in and come out as lower-case hex with 0x.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from eth_abi.exceptions import DecodingError
from hexbytes import HexBytes
from web3 import AsyncHTTPProvider, AsyncWeb3, Web3
from web3.contract import AsyncContract
from web3.exceptions import ContractLogicError, TransactionNotFound, Web3Exception
from web3.types import FilterParams, LogReceipt, RPCEndpoint, TxParams

from adapter.payments.errors import RailUnavailableError

_log = logging.getLogger(__name__)

T = TypeVar("T")


def _topic(signature: str) -> str:
    return Web3.to_hex(Web3.keccak(text=signature))


_TRANSFER = _topic("Transfer(address,address,uint256)")
_TRANSFER_WITH_MEMO = _topic("TransferWithMemo(address,address,uint256,bytes32)")
_AUTHORIZATION_USED = _topic("AuthorizationUsed(address,bytes32)")
_AUTHORIZATION_CANCELED = _topic("AuthorizationCanceled(address,bytes32)")
_TOKEN_ABI = [
    {
        "name": "balanceOf",
        "type": "function",
        "stateMutability": "view",
        "inputs": [{"name": "owner", "type": "address"}],
        "outputs": [{"name": "", "type": "uint256"}],
    },
    {
        "name": "authorizationState",
        "type": "function",
        "stateMutability": "view",
        "inputs": [{"name": "authorizer", "type": "address"}, {"name": "nonce", "type": "bytes32"}],
        "outputs": [{"name": "", "type": "bool"}],
    },
]
# Public nodes answer eth_getLogs for at most 500 to 10,000 blocks at a time.
_LOG_WINDOW_BLOCKS = 500
# A dropped connection is common, and so is a node that has just left the block it was asked about behind. Few enough
# that they make no storm.
_READ_ATTEMPTS = 3
# What aiohttp raises, as web3's own provider names it.
_TRANSPORT_ERRORS: tuple[type[BaseException], ...] = tuple(AsyncHTTPProvider().exception_retry_configuration.errors)
_FAILURES: tuple[type[BaseException], ...] = (
    *_TRANSPORT_ERRORS,
    Web3Exception,
    DecodingError,
    OSError,
    ValueError,
    TypeError,
    LookupError,
)


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


class CallRevertedError(Exception):
    """The chain would refuse this call; the text is the contract's own reason, where it gives one."""


class Chain:
    """One chain behind a JSON-RPC address, read without blocking the event loop.

    Every method raises RailUnavailableError where the node does not answer within `timeout_s`, or answers nonsense.
    """

    def __init__(self, rpc_url: str, *, timeout_s: float = 10.0) -> None:
        self._provider = AsyncHTTPProvider(rpc_url, exception_retry_configuration=None)  # Ours covers more.
        self._web3 = AsyncWeb3(self._provider)
        self._timeout_s = timeout_s

    async def close(self) -> None:
        """Close the connections to the node."""
        await self._provider.disconnect()

    async def chain_id(self) -> int:
        """Return the number of the chain that the node serves."""

        async def read() -> int:
            return await self._web3.eth.chain_id

        return await self._ask(read)

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

        async def read() -> int:
            return int(await self._token(token).functions.balanceOf(Web3.to_checksum_address(owner)).call())

        return await self._ask(read)

    async def call(self, to: str, data: bytes, *, sender: str) -> bytes:
        """Run a call on the latest state without sending it, and return its result.

        Raises CallRevertedError where the chain would refuse it.
        """
        request = TxParams(
            {"to": Web3.to_checksum_address(to), "from": Web3.to_checksum_address(sender), "data": HexBytes(data)}
        )

        async def read() -> bytes:
            try:
                return bytes(await self._web3.eth.call(request))
            except ContractLogicError as error:
                raise CallRevertedError(error.message or "") from None

        return await self._ask(read)

    async def receipt(self, transaction: str) -> Receipt | None:
        """Return what became of a transaction; None where no block holds it."""

        async def read() -> Receipt | None:
            try:
                receipt = await self._web3.eth.get_transaction_receipt(HexBytes(transaction))
            except TransactionNotFound:
                return None
            return Receipt(
                transaction=Web3.to_hex(receipt["transactionHash"]),
                succeeded=receipt["status"] == 1,
                block=receipt["blockNumber"],
                transfers=_read_transfers(receipt["logs"]),
            )

        return await self._ask(read)

    async def authorization_used(self, token: str, payer: str, nonce: str, *, at_block: int | None = None) -> bool:
        """Tell whether an EIP-3009 authorisation was used or cancelled, as of a block (default: the latest)."""

        async def read() -> bool:
            functions = self._token(token).functions
            state = functions.authorizationState(Web3.to_checksum_address(payer), HexBytes(nonce))
            return bool(await state.call(block_identifier="latest" if at_block is None else at_block))

        return await self._ask(read)

    async def authorization_use(
        self, token: str, payer: str, nonce: str, *, first_block: int, last_block: int
    ) -> AuthorizationUse | None:
        """Find the event that used or cancelled an authorisation, from `first_block` to `last_block`, both included.

        USDC emits AuthorizationUsed and the Transfer it stands for one directly after the other. Only that Transfer is
        returned: another one of the same transaction may belong to another authorisation.
        """
        for start in range(first_block, last_block + 1, _LOG_WINDOW_BLOCKS):
            wanted = FilterParams(
                address=Web3.to_checksum_address(token),
                topics=[[_AUTHORIZATION_USED, _AUTHORIZATION_CANCELED], _pad(payer), nonce],
                fromBlock=start,
                toBlock=min(start + _LOG_WINDOW_BLOCKS - 1, last_block),
            )
            if logs := await self._ask(partial(self._web3.eth.get_logs, wanted)):
                return await self._describe_use(logs[0])
        return None

    async def _describe_use(self, log: LogReceipt) -> AuthorizationUse:
        transaction = Web3.to_hex(log["transactionHash"])
        receipt = await self.receipt(transaction)
        if receipt is None:
            raise _unavailable()  # Its event was seen a moment ago: another node, which is behind.
        used = Web3.to_hex(log["topics"][0]) == _AUTHORIZATION_USED
        token = log["address"].lower()
        own = (t for t in receipt.transfers if used and t.index == log["logIndex"] + 1 and t.token == token)
        return AuthorizationUse(transaction, receipt.block, next(own, None))

    async def _block(self, place: str) -> Block:
        async def read() -> Block:
            # Raw: web3's own reading of a block refuses the long `extraData` that some chains write.
            response = await self._provider.make_request(RPCEndpoint("eth_getBlockByNumber"), [place, False])
            block = response["result"]
            return Block(int(block["number"], 16), int(block["timestamp"], 16))

        return await self._ask(read)

    def _token(self, address: str) -> AsyncContract:
        return self._web3.eth.contract(address=Web3.to_checksum_address(address), abi=_TOKEN_ABI)

    async def _ask(self, read: Callable[[], Awaitable[T]]) -> T:
        """Translate whatever a node, or the way to it, can do wrong, after a few attempts."""
        kind = ""
        try:
            async with asyncio.timeout(self._timeout_s):
                for _ in range(_READ_ATTEMPTS):
                    try:
                        return await read()
                    except _FAILURES as error:
                        kind = type(error).__name__
        except TimeoutError:
            kind = "TimeoutError"
        # Only its kind: the text may hold the node's address, and that a key.
        _log.warning("a read of the chain failed: %s", kind)
        raise _unavailable()


def _unavailable() -> RailUnavailableError:
    return RailUnavailableError(
        "chain_unavailable", "The payment network does not answer. Try again with the same payment."
    )


def _pad(address: str) -> str:
    return "0x" + "00" * 12 + address.removeprefix("0x")


def _address(topic: bytes) -> str:
    return "0x" + bytes(topic)[-20:].hex()


def _read_transfers(logs: Sequence[LogReceipt]) -> tuple[Transfer, ...]:
    kinds = {_TRANSFER: 3, _TRANSFER_WITH_MEMO: 4}
    found = []
    for log in logs:
        topics = log["topics"]
        if not topics or kinds.get(Web3.to_hex(topics[0])) != len(topics) or len(log["data"]) != 32:
            continue
        found.append(
            Transfer(
                token=log["address"].lower(),
                sender=_address(topics[1]),
                recipient=_address(topics[2]),
                amount=int.from_bytes(log["data"]),
                index=log["logIndex"],
                memo=Web3.to_hex(topics[3]) if len(topics) == 4 else None,
            )
        )
    return tuple(found)
