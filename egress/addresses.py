"""Which addresses are the public Internet's."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from ssrfguard import DEFAULT_DENIED, Reach

# All that was ever given out for single hosts (RFC 4291 §2.4); around it stand the many ways to write an IPv4 address.
_UNICAST = ip_network("2000::/3")

# In public space, and answered by the cloud's own machinery to those inside it: Azure's WireServer.
_PLATFORMS = {ip_address("168.63.129.16")}


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether a packet to `address` certainly ends on the public Internet.

    Two tables have to agree, Python's and the registries of IANA as ssrfguard has them: the first passes multicast
    and prefixes that carry an IPv4 address of anybody's choice (6to4, NAT64, Teredo). Addresses that carry another
    one are refused whatever they carry.
    """
    verdict = DEFAULT_DENIED.classify(address)
    carries_another = bool(verdict.chain) or (verdict.block is not None and verdict.block.reach is Reach.TRANSLATED)
    return (
        address.is_global
        and (address.version == 4 or address in _UNICAST)
        and not address.is_multicast
        and not verdict.blocked
        and not carries_another
        and address not in _PLATFORMS
    )
