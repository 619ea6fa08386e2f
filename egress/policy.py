"""Where a request may go."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from egress.addresses import is_public

_PUBLIC_PORTS = frozenset({80, 443})


@dataclass(frozen=True)
class EgressPolicy:
    """What may be connected to."""

    allows: Callable[[IPv4Address | IPv6Address], bool] = is_public
    """Whether an address may be connected to."""
    ports: frozenset[int] = _PUBLIC_PORTS


class RefusedError(Exception):
    """A request breaks the policy. The reason is for our log: the caller is told the same of every failure."""
