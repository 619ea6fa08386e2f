"""What the pages may say of the running service: taken from its settings and from the tables that the code uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapter.discovery.way import WayToPay
from adapter.operations import OPERATIONS, PAID, Operation
from adapter.sale.offers import Priced
from adapter.sale.settings import RailName
from adapter.uploads.body import UploadLimits

# Addresses that stand in the samples; a page shows those of the running service in their place.
SAMPLE_URLS: Mapping[RailName | None, str] = {
    "x402": "https://x402.clearcanvas.app",
    "mpp": "https://mpp.clearcanvas.app",
    None: "https://api.clearcanvas.app",
}


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


@dataclass(frozen=True)
class Facts:
    """All that a template sees. Hashable: a page is rendered once for the same facts."""

    base_url: str
    """Of the host that was asked; without a slash at the end."""
    rails: tuple[RailName, ...]
    """Those that the host offers."""
    urls: tuple[tuple[RailName, str], ...]
    """Where each rail that is configured is offered: the host that was asked, where it is there, else the first."""
    ways: tuple[tuple[RailName, WayToPay], ...]
    """Networks and tokens of the rails that are configured."""
    priced: tuple[Priced, ...]
    limits: Limits

    def url(self, rail: RailName | None = None) -> str:
        """The address to call over a rail; the host's own where the rail is not offered anywhere."""
        return dict(self.urls).get(rail, self.base_url) if rail is not None else self.base_url

    def way(self, rail: RailName) -> WayToPay | None:
        """Network and token of a rail; None where it is not configured."""
        return dict(self.ways).get(rail)

    def price(self, name: str) -> int:
        """Of a row of the price table, in millionths of a dollar."""
        return next(row.amount for row in self.priced if row.name == name)

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
