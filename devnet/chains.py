"""The two chains: what they are called, how they are started, and what must lie on them before anybody pays."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from eth_abi.abi import encode

from devnet.anvil import Anvil
from devnet.errors import DevnetError

# Which of anvil's accounts is who.
PAYER, RECIPIENT, FACILITATOR, MINTER = 0, 1, 2, 9

_FUNDS = 1_000_000_000_000  # A million dollars, in the token's base units.
_ARTEFACT = Path(__file__).with_name("token") / "DevUSDC.json"


@dataclass(frozen=True)
class Chain:
    """One chain. `prepare` funds the payer, once, right after the start."""

    name: str
    chain_id: int
    token: str
    options: tuple[str, ...]
    prepare: Callable[["Chain", Anvil], Awaitable[None]]


async def _put_usdc(chain: Chain, anvil: Anvil) -> None:
    """Put our token where USDC is, under its name (EIP-712 makes the name part of every signature), and mint."""
    artefact = json.loads(_ARTEFACT.read_text(encoding="utf-8"))
    await anvil.rpc.call("anvil_setCode", chain.token, artefact["code"])
    for signature, types, values in (
        ("init(string,string)", ["string", "string"], ["USDC", "2"]),
        ("mint(address,uint256)", ["address", "uint256"], [anvil.accounts[PAYER].address, _FUNDS]),
    ):
        data = f"0x{artefact['selectors'][signature]}{encode(types, values).hex()}"
        transaction = {"from": anvil.accounts[MINTER].address, "to": chain.token, "data": data}
        await anvil.rpc.call("eth_sendTransaction", transaction)
        await anvil.rpc.call("evm_mine")
    await _require_funds(chain, anvil)


async def _require_funds(chain: Chain, anvil: Anvil) -> None:
    data = "0x70a08231" + encode(["address"], [anvil.accounts[PAYER].address]).hex()  # balanceOf(address)
    balance = await anvil.rpc.call("eth_call", {"to": chain.token, "data": data}, "latest")
    if int(balance, 16) < _FUNDS:
        message = f"the payer on {chain.name} has {int(balance, 16)} units of {chain.token}, not {_FUNDS}"
        raise DevnetError(message)


CHAINS = (
    Chain(
        name="base",  # Base Sepolia; https://chainlist.org/chain/84532.
        chain_id=84532,
        token="0x036CbD53842c5426634e7929541eC2318f3dCF7e",  # noqa: S106 - USDC, as Circle publishes it.
        options=("--chain-id", "84532"),
        prepare=_put_usdc,
    ),
    Chain(
        name="tempo",  # Moderato, Tempo's test network.
        chain_id=42431,
        token="0x20c0000000000000000000000000000000000000",  # noqa: S106 - pathUSD; at genesis its accounts hold it.
        # anvil's Tempo works at T4 alone: others lack pathUSD, or refuse every transaction.
        options=("--network", "tempo", "--hardfork", "T4", "--chain-id", "42431"),
        prepare=_require_funds,
    ),
)
