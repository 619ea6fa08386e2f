"""What the MPP rail must be told."""

import re
from dataclasses import dataclass, field

from adapter.payments.mpp.networks import NETWORKS, TempoNetwork

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
# The HMAC is SHA-256; a key shorter than its output weakens it.
_MIN_SECRET_CHARS = 32


@dataclass(frozen=True)
class MppConfig:
    """Raises ValueError, naming the field, where a value cannot work. All replicas need the same secret and realm."""

    network: str
    """`tempo` or `moderato`."""
    recipient: str
    """Address that is paid, 0x and 40 hex digits."""
    rpc_url: str = field(repr=False)
    """JSON-RPC address of a Tempo node; may hold a key."""
    secret: str = field(repr=False)
    """Key of the challenges' HMAC, at least 32 characters."""
    realm: str = "clearcanvas"
    """Protection space of the challenges. Its hash stands in the memo of every payment: a change voids open ones."""
    challenge_life_s: int = 300
    """Seconds for which a challenge can be paid."""
    redeem_s: int = 86_400
    """Seconds after a challenge's expiry for which a transfer that already paid for it is still honoured."""
    settle_s: float = 18.0
    """Seconds to wait for a broadcast transaction's receipt before its outcome counts as unknown."""
    receipt_wait_s: float = 5.0
    """Seconds to wait for the receipt of a pushed transaction: our node may be behind the payer's."""

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise ValueError(f"network must be one of {', '.join(NETWORKS)}")
        if not _ADDRESS.fullmatch(self.recipient):
            raise ValueError("recipient must be an address: 0x and 40 hex digits")
        if not self.rpc_url.startswith(("http://", "https://")):
            raise ValueError("rpc_url must be an http or https address")
        if len(self.secret) < _MIN_SECRET_CHARS:
            raise ValueError(f"secret must have at least {_MIN_SECRET_CHARS} characters")
        if not self.realm or not self.realm.isascii() or not self.realm.isprintable():
            raise ValueError("realm must be printable ASCII")
        for name in ("challenge_life_s", "redeem_s", "settle_s", "receipt_wait_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive")

    @property
    def tempo(self) -> TempoNetwork:
        """The network's chain and token."""
        return NETWORKS[self.network]
