"""One payment on the local chains with all its steps to see: the price, the balances before and after, the receipt."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import httpx
from eth_account import Account

from cli.payment.offer import Offer
from cli.payment.pending import Pending
from cli.payment.purchase import Buyer, Order, Purchase
from cli.payment.x402 import X402Rail

_BALANCE_OF = "0x70a08231"
_TIMEOUT_S = 60.0


def read_chain(devnet: Path) -> dict[str, str]:
    """Reads of `devnet.json` what it says of the chain that x402 pays on."""
    base: dict[str, str] = json.loads(devnet.read_text(encoding="utf-8"))["base"]
    return base


async def pay_on_devnet(order: Order, base: dict[str, str], pending: Pending, say: Callable[[str], None]) -> Purchase:
    """Pays for `order` over x402 as the chain's payer, and says what happens. Raises PayError."""
    people = {"payer": base["payer"], "recipient": base["recipient"]}

    def show(offer: Offer) -> None:
        say(f"  402  ${offer.price} in {offer.network.symbol} on {offer.network.title} to {offer.recipient}")

    before = {who: await _balance(base, address) for who, address in people.items()}
    buyer = Buyer(X402Rail(Account.from_key(base["payer_key"])), pending, show, say, _TIMEOUT_S)
    bought = await buyer.buy(order)
    say(f"  200  {len(bought.body)} bytes, receipt {bought.transaction}")
    for who, address in people.items():
        say(f"       {who:9}  ${before[who]:,.2f} before, ${await _balance(base, address):,.2f} after")
    return bought


async def _balance(chain: dict[str, str], address: str) -> Decimal:
    """How many dollars the address holds."""
    call = {"to": chain["token"], "data": _BALANCE_OF + address.removeprefix("0x").lower().zfill(64)}
    message = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [call, "latest"]}
    async with httpx.AsyncClient() as client:
        answer = (await client.post(chain["rpc_url"], json=message)).raise_for_status().json()
    return Decimal(int(answer["result"], 16)) / 1_000_000
