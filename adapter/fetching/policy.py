"""What may be fetched, and how much of it."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from adapter.fetching.addresses import is_public

_PUBLIC_PORTS = frozenset({80, 443})


@dataclass(frozen=True)
class FetchPolicy:
    """Bounds of one fetch."""

    allows: Callable[[IPv4Address | IPv6Address], bool] = is_public
    """Whether an address may be connected to."""
    ports: frozenset[int] = _PUBLIC_PORTS
    max_bytes: int = 25 * 1024 * 1024  # As for an upload.
    max_redirects: int = 3
    total_timeout_s: float = 10.0  # From the look-up of the first name to the last byte.


class RefusedError(Exception):
    """A fetch breaks the policy. The reason is for our log: the caller is told the same of every failure."""
