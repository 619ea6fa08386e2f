"""Transactions with the local USDC that do not come from the code under test."""

import asyncio
from typing import Any

from eth_abi.abi import encode
from eth_account import Account
from web3 import Web3

from tests.support.devnet import DevChain, Wallet
from tests.support.processes import wait_until

_GAS = hex(300_000)
# Far above what anybody offers: first in the next block.
_FIRST = hex(10**12)


def transfer(chain: DevChain, payer: Wallet, recipient: str, amount: int, *, first: bool = False) -> None:
    """Moves `payer`'s money away; with `first`, into the head of a block that is still to be mined."""
    chain.call("anvil_setBalance", payer.address, hex(10**18))
    chain.call("anvil_impersonateAccount", payer.address)
    data = _call("transfer(address,uint256)", ["address", "uint256"], [recipient, amount])
    _send(chain, payer.address, data, wait=not first, **({"gasPrice": _FIRST} if first else {}))


def send_authorization(chain: DevChain, payload: dict[str, Any]) -> str:
    """Brings a signed authorisation to the chain, as anybody may; returns the transaction's hash."""
    signed, signature = payload["authorization"], bytes.fromhex(payload["signature"][2:])
    types = ["address", "address", "uint256", "uint256", "uint256", "bytes32", "bytes"]
    numbers = [int(signed[name]) for name in ("value", "validAfter", "validBefore")]
    values = [signed["from"], signed["to"], *numbers, bytes.fromhex(signed["nonce"][2:]), signature]
    return _send(chain, chain.payer, _call(f"transferWithAuthorization({','.join(types)})", types, values))


def cancel_authorization(chain: DevChain, payer: Wallet, nonce: str) -> None:
    """Cancels an authorisation, with the payer's own signature."""
    domain = {"name": "USDC", "version": "2", "chainId": chain.chain_id, "verifyingContract": chain.token}
    kinds = {"CancelAuthorization": [{"name": "authorizer", "type": "address"}, {"name": "nonce", "type": "bytes32"}]}
    message = {"authorizer": payer.address, "nonce": bytes.fromhex(nonce[2:])}
    signed = Account.from_key(payer.key).sign_typed_data(domain, kinds, message)
    types = ["address", "bytes32", "uint8", "bytes32", "bytes32"]
    values = [payer.address, message["nonce"], signed.v, signed.r.to_bytes(32), signed.s.to_bytes(32)]
    _send(chain, chain.payer, _call(f"cancelAuthorization({','.join(types)})", types, values))


def is_used(chain: DevChain, payload: dict[str, Any]) -> bool:
    """Whether a signed authorisation has been used or cancelled."""
    signed = payload["authorization"]
    values = [signed["from"], bytes.fromhex(signed["nonce"][2:])]
    data = _call("authorizationState(address,bytes32)", ["address", "bytes32"], values)
    return int(chain.call("eth_call", {"to": chain.token, "data": data}, "latest"), 16) == 1


async def await_pending(chain: DevChain, count: int) -> None:
    """Waits until so many transactions wait for a block; lets the event loop go on meanwhile."""
    async with asyncio.timeout(20):
        while True:
            if int(chain.call("txpool_status")["pending"], 16) == count:
                return
            await asyncio.sleep(0.02)


def block_time(chain: DevChain, transaction: str) -> int:
    """The time of the block that holds a transaction, Unix seconds."""
    receipt, full = chain.call("eth_getTransactionReceipt", transaction), False
    return int(chain.call("eth_getBlockByHash", receipt["blockHash"], full)["timestamp"], 16)


def _call(function: str, types: list[str], values: list[Any]) -> str:
    return Web3.to_hex(Web3.keccak(text=function)[:4] + encode(types, values))


def _send(chain: DevChain, sender: str, data: str, *, wait: bool = True, **fields: str) -> str:
    transaction = {"from": sender, "to": chain.token, "data": data, "gas": _GAS, **fields}
    sent = str(chain.call("eth_sendTransaction", transaction))
    if wait:
        wait_until(lambda: chain.call("eth_getTransactionReceipt", sent) is not None, "the transaction is mined", 10)
        assert chain.call("eth_getTransactionReceipt", sent)["status"] == "0x1"
    return sent
