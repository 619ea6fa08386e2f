"""Connections to addresses that were checked, and to no other.

A name is looked up once. Every answer is checked, and the answers are what is connected to. aiohttp asks no resolver
about a host that is an address already, so that the socket itself is guarded too: the last step before a connection,
whatever led to it.
"""

import socket

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from egress.lookup import Lookup
from egress.policy import EgressPolicy, RefusedError
from egress.targets import check_address

_AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]]


def make_connector(policy: EgressPolicy, lookup: Lookup) -> aiohttp.TCPConnector:
    """A connector for one request: it keeps no connection and remembers no answer."""

    def open_socket(info: _AddressInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        check_address(str(address[0]), policy)
        return socket.socket(family, kind, protocol)

    return aiohttp.TCPConnector(
        resolver=_PinningResolver(policy, lookup), socket_factory=open_socket, use_dns_cache=False, force_close=True
    )


class _PinningResolver(AbstractResolver):
    def __init__(self, policy: EgressPolicy, lookup: Lookup) -> None:
        self._policy = policy
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of `host`, all of them good. Raises RefusedError when one is not."""
        del family  # The connector's own choice: all.
        addresses = [check_address(answer, self._policy) for answer in await self._lookup(host)]
        if not addresses:
            message = "its name has no address"
            raise RefusedError(message)
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET6 if address.version == 6 else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""
