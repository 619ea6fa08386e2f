"""Which addresses the fetcher connects to: the public Internet's, and none that leads elsewhere."""

from ipaddress import ip_address

import pytest

from egress.addresses import is_public

PRIVATE = {
    "this host": ("0.0.0.0", "0.1.2.3", "::"),  # noqa: S104 - nothing is bound.
    "loopback": ("127.0.0.1", "127.255.255.254", "::1"),
    "RFC 1918": ("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    "shared by carriers": ("100.64.0.1", "100.100.100.200", "100.127.255.255"),
    "link-local": ("169.254.0.1", "169.254.169.254", "fe80::1", "febf::1"),
    "unique local": ("fc00::1", "fd00::1", "fd00:ec2::254"),
    "site-local": ("fec0::1",),
    "mapped IPv4": ("::ffff:127.0.0.1", "::ffff:8.8.8.8"),
    "translated IPv4": ("::ffff:0:7f00:1",),
    "IPv4-compatible": ("::127.0.0.1", "::8.8.8.8"),
    "6to4": ("2002:7f00:1::", "2002:a00:1::1", "2002:808:808::"),
    "NAT64": ("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::808:808", "64:ff9b:1::a00:1"),
    "Teredo": ("2001::1", "2001:0:7f00:1:0:ffff:80ff:fffe"),
    "platforms": ("168.63.129.16", "192.0.0.192"),
    "multicast": ("224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1"),
    "broadcast and reserved": ("255.255.255.255", "240.0.0.1"),
    "benchmarks and examples": ("198.18.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"),
    "discard": ("100::1",),
    "segment routing": ("5f00::1",),
}


@pytest.mark.case("S1")
@pytest.mark.parametrize("address", [address for addresses in PRIVATE.values() for address in addresses])
def test_addresses_that_lead_elsewhere_are_refused(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00::1"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert is_public(ip_address(address))
