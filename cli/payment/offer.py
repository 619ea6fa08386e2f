"""What a service asks for one request."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

import httpx


class PayError(Exception):
    """The request was not paid, or not answered; the message is a sentence for the user and holds no secret."""


@dataclass(frozen=True)
class Network:
    """A chain that dollars are paid on, and the token that they are paid in, which has six decimals."""

    title: str
    chain_id: int
    token: str
    """Address, lower-case hex."""
    symbol: str
    rpc_url: str
    """A public node of it."""
    is_test: bool


# Only these: the price in dollars is known only of a token that is known, and another might have other decimals.
_BASE_USDC = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"
_SEPOLIA_USDC = "0x036cbd53842c5426634e7929541ec2318f3dcf7e"
_PATH_USD = "0x20c0000000000000000000000000000000000000"
_TEMPO_RPC, _MODERATO_RPC = "https://rpc.tempo.xyz", "https://rpc.moderato.tempo.xyz"
NETWORKS = {
    f"eip155:{network.chain_id}": network
    for network in (
        Network("Base", 8453, _BASE_USDC, "USDC", "https://mainnet.base.org", is_test=False),
        Network("Base Sepolia", 84532, _SEPOLIA_USDC, "USDC", "https://sepolia.base.org", is_test=True),
        Network("Tempo", 4217, _PATH_USD, "pathUSD", _TEMPO_RPC, is_test=False),
        Network("Tempo Moderato", 42431, _PATH_USD, "pathUSD", _MODERATO_RPC, is_test=True),
    )
}


@dataclass(frozen=True)
class Offer:
    """What one payment would be. `terms` is the rail's own form of it."""

    network: Network
    recipient: str
    amount: int
    """In base units of the token, which are millionths of a dollar."""
    terms: object = field(repr=False)

    @property
    def price(self) -> Decimal:
        """In dollars."""
        return Decimal(self.amount) / 1_000_000


class Rail(Protocol):
    """One way to pay."""

    name: str

    def read_offer(self, response: httpx.Response) -> Offer:
        """Read what a 402 asks for. Raises PayError where this rail is not offered, or in no token that we know."""
        ...

    async def sign(self, offer: Offer) -> dict[str, str]:
        """Sign the payment; returns the headers that carry it. Raises PayError."""
        ...


def find_network(caip2: str, token: str) -> Network | None:
    """The network of that name, if `token` is the one we know on it."""
    network = NETWORKS.get(caip2)
    return network if network is not None and network.token == token.lower() else None
