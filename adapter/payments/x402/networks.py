"""The chains that x402 payments are taken on, with their USDC. Looked up by the short name that settings use."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Network:
    """A chain, and the token that is paid with on it."""

    name: str
    """As x402 v1 and the settings call it."""
    title: str
    """As people call it."""
    chain_id: int
    token: str
    """Address of USDC, lower-case hex."""
    token_name: str
    """Name in the token's EIP-712 domain; the two networks differ in it."""
    token_version: str = "2"  # noqa: S105 (a token of money)
    is_test: bool = False
    """Whether its money is worth nothing."""

    @property
    def caip2(self) -> str:
        """As x402 v2 and the ledger call it."""
        return f"eip155:{self.chain_id}"


NETWORKS = {
    network.name: network
    for network in (
        Network("base", "Base", 8453, "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", "USD Coin"),
        Network(
            "base-sepolia",
            "Base Sepolia",
            84532,
            "0x036cbd53842c5426634e7929541ec2318f3dcf7e",
            "USDC",
            is_test=True,
        ),
    )
}
