"""The Tempo networks that charges can be paid on."""

from dataclasses import dataclass

PATH_USD = "0x20c0000000000000000000000000000000000000"
"""pathUSD, at the same address on every Tempo network; 6 decimals."""


@dataclass(frozen=True)
class TempoNetwork:
    """One network: its chain id, and the token we charge in."""

    chain_id: int
    title: str
    """As people call it."""
    is_test: bool = False
    """Whether its money is worth nothing."""
    token: str = PATH_USD

    @property
    def caip2(self) -> str:
        """CAIP-2 name of the chain."""
        return f"eip155:{self.chain_id}"


NETWORKS = {"tempo": TempoNetwork(4217, "Tempo"), "moderato": TempoNetwork(42431, "Tempo Moderato", is_test=True)}
"""Mainnet and the test network, by the names in our configuration."""
