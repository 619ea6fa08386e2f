"""What the chains say, asked by the tests themselves and not through the code under test."""

from dataclasses import dataclass
from typing import Any

import aiohttp

_TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"  # Transfer(address,address,uint256)


@dataclass(frozen=True)
class Transfer:
    """One Transfer event of a token; addresses in lower case."""

    transaction: str
    sender: str
    recipient: str
    amount: int


class Token:
    """One token on one chain."""

    def __init__(self, rpc_url: str, address: str) -> None:
        self._rpc_url = rpc_url
        self.address = address

    async def balance(self, owner: str) -> int:
        """What `owner` has, in base units."""
        data = "0x70a08231" + _word(owner)
        return int(await self._call("eth_call", {"to": self.address, "data": data}, "latest"), 16)

    async def transfers(self, sender: str, recipient: str) -> list[Transfer]:
        """Every transfer from `sender` to `recipient` since the chain began."""
        topics = [_TRANSFER, "0x" + _word(sender), "0x" + _word(recipient)]
        found = await self._call("eth_getLogs", {"address": self.address, "topics": topics, "fromBlock": "0x0"})
        return [
            Transfer(log["transactionHash"], sender.lower(), recipient.lower(), int(log["data"], 16)) for log in found
        ]

    async def succeeded(self, transaction: str) -> bool:
        """Whether the transaction is on the chain and was not reverted."""
        receipt = await self._call("eth_getTransactionReceipt", transaction)
        return receipt is not None and int(receipt["status"], 16) == 1

    async def _call(self, method: str, *params: object) -> Any:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        async with aiohttp.ClientSession() as session, session.post(self._rpc_url, json=request) as response:
            answer = await response.json()
        assert "error" not in answer, answer
        return answer["result"]


def _word(address: str) -> str:
    return address.lower().removeprefix("0x").rjust(64, "0")
