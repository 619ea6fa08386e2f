"""A way to pay, as it is written down for machines."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WayToPay:
    """The facts of one rail."""

    method: str
    """MPP's name of the payment method; `x402` for the other rail."""
    intent: str
    network: str
    """CAIP-2 name of the chain."""
    currency: str
    """Address of the token, 0x and 40 hex digits."""
    network_name: str
    """As settings, and the first version of x402, call it."""
    network_title: str
    """As people call it."""
    token: str
    """As people call it."""
    is_test: bool
    """Whether the money of the network is worth nothing."""
