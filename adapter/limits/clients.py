"""Who a request comes from, as far as an address tells."""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Whoever has one IPv6 address has the /64 around it, by the way that networks are given out.
_ONE_CLIENT_BITS = {4: 32, 6: 64}
# What one owner of many addresses mostly has.
_NEIGHBOURHOOD_BITS = {4: 16, 6: 32}
_NOBODY = ipaddress.IPv4Address(0)


@dataclass(frozen=True)
class Client:
    """A client as it is counted."""

    name: str
    """The address, or for IPv6 its /64."""
    neighbourhood: str
    """The addresses around it, for when there are too many clients to know each."""


@dataclass(frozen=True)
class Clients:
    """Tells clients apart. Only a trusted proxy is believed when it says for whom it speaks."""

    trusted: Sequence[Network] = ()

    def trusts(self, peer: str | None) -> bool:
        """Whether the other end of a connection is a trusted proxy."""
        address = _parse(peer or "") if self.trusted else None
        return address is not None and self._is_trusted(address)

    def identify(self, peer: str | None, forwarded: Iterable[str]) -> Client:
        """The client behind a connection.

        Args:
            peer: Address of the connection's other end; None for a connection that has none.
            forwarded: The values of X-Forwarded-For, in order. Each proxy adds on the right whom it heard, so the
                rightmost address that is not a trusted proxy's counts; what stands left of it anybody may have forged.
        """
        client = _parse(peer or "") or _NOBODY
        hops = [hop for value in forwarded for hop in value.split(",")]
        while hops and self._is_trusted(client):
            heard = _parse(hops.pop())
            if heard is None:
                break
            client = heard
        return Client(_around(client, _ONE_CLIENT_BITS), _around(client, _NEIGHBOURHOOD_BITS))

    def _is_trusted(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self.trusted)


@lru_cache(maxsize=1024)  # A parse takes as long as a small answer, and a connection asks again and again.
def _parse(text: str) -> Address | None:
    text = text.strip()
    if text.startswith("["):  # [2001:db8::1]:443
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:  # 192.0.2.1:443
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _around(address: Address, bits: dict[int, int]) -> str:
    prefix = bits[address.version]
    if prefix == address.max_prefixlen:
        return str(address)
    return str(ipaddress.ip_network((address, prefix), strict=False))
