"""What the operator decides about x402."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.payments.x402.networks import Network

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_KEY = re.compile(r"(0x)?[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class Listing:
    """How an operation is called, for the directories (`bazaar`) that facilitators keep."""

    input: Mapping[str, Any]
    """Example: the extension's `info.input` beside type and method, for instance `headers` and `queryParams`."""
    input_schema: Mapping[str, Any]
    """JSON Schema of each of the fields of `input`."""
    output: Mapping[str, Any]
    """Example: the extension's `info.output`, for instance its `type`."""


@dataclass(frozen=True)
class X402Config:
    """Settings of the x402 rail. Just one of `key` and `facilitator_url` is set.

    Raises ValueError, saying which setting is wrong and never its value, where one is.
    """

    network: Network
    pay_to: str
    """Address that is paid, 20 bytes hex with 0x."""
    rpc_url: str = field(repr=False)
    """JSON-RPC of the network; often holds an API key, so it is never shown."""
    key: str = field(default="", repr=False)
    """Private key that pays the gas of settlements, for verifying and settling in this process."""
    facilitator_url: str = field(default="", repr=False)
    """A facilitator that verifies and settles instead."""
    validity_s: int = 180
    """Seconds that a payment is asked to stay valid for."""
    settle_s: float = 20.0
    """Seconds to wait for a settlement to be mined before its outcome is called unknown."""
    service_name: str = ""
    """Of whoever sells, for directories: at most 32 characters of ASCII."""
    service_tags: tuple[str, ...] = ()
    """What is sold, for directories: at most five words."""
    listings: Mapping[str, Listing] = field(default_factory=dict)
    """By operation; one without is not listed."""

    def __post_init__(self) -> None:
        if not _ADDRESS.fullmatch(self.pay_to):
            raise ValueError("the x402 recipient must be an address: 0x and 40 hex digits")
        if not self.rpc_url.startswith(("http://", "https://")):
            raise ValueError("x402 needs the http(s) address of its network's JSON-RPC")
        if bool(self.key) == bool(self.facilitator_url):
            raise ValueError("x402 needs either a key to settle with or the address of a facilitator, and not both")
        if self.key and not _KEY.fullmatch(self.key):
            raise ValueError("the x402 key must be 64 hex digits")
        if self.facilitator_url and not self.facilitator_url.startswith(("http://", "https://")):
            raise ValueError("the x402 facilitator must be an http(s) address")
