"""What the pages may say of the running service: taken from its settings and from the tables that the code uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapter.config import Settings
from adapter.discovery.way import WayToPay
from adapter.operations import OPERATIONS, PAID, Operation
from adapter.sale.offers import Priced
from adapter.sale.settings import PaymentSettings, RailName
from adapter.uploads.body import UploadLimits

SAMPLE_URLS: Mapping[RailName | None, str] = {
    "x402": "https://x402.clearcanvas.app",
    "mpp": "https://mpp.clearcanvas.app",
    None: "https://api.clearcanvas.app",
}
"""Addresses that stand in texts and samples; whoever serves them puts those of the running service in their place."""
SAMPLE_GRPC = "127.0.0.1:8401"
SAMPLE_CHAIN_ID = "chain_id=4217"
"""Of MPP's network, where a client must be told."""


@dataclass(frozen=True)
class Limits:
    """Settings that callers meet as limits."""

    video_mib: int
    """Most that one video may have."""
    video_s: float
    """How much of a video is processed."""
    retention_h: int
    """How long results are kept that nobody fetches, and paid ones that were delivered."""
    unpaid_per_minute: int
    """Requests without a valid payment or API key, a client and minute."""
    x402_validity_s: int
    """How long an x402 payment is asked to live."""
    mpp_challenge_s: int
    """How long an MPP challenge can be paid."""

    @classmethod
    def of(cls, settings: Settings, payments: PaymentSettings) -> "Limits":
        """Those of an installation."""
        return cls(
            video_mib=settings.video_mib,
            video_s=settings.video_duration_s,
            retention_h=payments.retention_h,
            unpaid_per_minute=settings.unpaid_per_minute,
            x402_validity_s=payments.x402_validity_s,
            mpp_challenge_s=payments.mpp_challenge_s,
        )


@dataclass(frozen=True)
class Facts:
    """All that a template sees of the service."""

    rails: tuple[RailName, ...]
    """Those that the host offers."""
    ways: Mapping[RailName, WayToPay]
    """Networks and tokens of the rails that are configured."""
    priced: Mapping[str, Priced]
    """By the name in the price table."""
    limits: Limits

    def url(self, rail: RailName | None = None) -> str:
        """The address to call over a rail; the host's own where no rail is named, or no host offers it."""
        return SAMPLE_URLS[rail if rail in self.ways else None]

    def way(self, rail: RailName) -> WayToPay | None:
        """Network and token of a rail; None where it is not configured."""
        return self.ways.get(rail)

    def localize(self, sample: str) -> str:
        """A sample for the networks of this installation."""
        way = self.way("mpp")
        return sample.replace(SAMPLE_CHAIN_ID, f"chain_id={way.network.partition(':')[2]}") if way else sample

    def price(self, name: str) -> int:
        """Of a row of the price table, in millionths of a dollar."""
        return self.priced[name].amount

    @property
    def paid(self) -> Operation:
        """The operation that takes a bare picture."""
        return PAID

    @property
    def operations(self) -> Sequence[Operation]:
        """Those that take a form."""
        return OPERATIONS

    @property
    def image_mb(self) -> int:
        """Most that one picture may have, in MiB."""
        return UploadLimits().image_bytes // 1024**2
