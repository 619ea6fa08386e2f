"""Who a request comes from: the peer, unless a trusted proxy says otherwise."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.limits.clients import Clients

PROXIES = Clients([ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")])
NOBODY_TRUSTED = Clients()


@pytest.mark.case("H6")
@pytest.mark.parametrize(
    ("peer", "forwarded", "name"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["203.0.113.9"], "192.0.2.1"),  # Forged: the peer is no proxy of ours.
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.7, 203.0.113.9"], "203.0.113.9"),  # The left one anybody may have written.
        ("10.0.0.1", ["198.51.100.7", "203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9, 10.1.2.3"], "203.0.113.9"),  # A chain of our own proxies.
        ("10.0.0.1", ["10.1.2.3"], "10.1.2.3"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9, nonsense"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
        ("fd00::1", ["[2001:db8:1:2:3::4]:4711"], "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
    ],
)
def test_the_rightmost_address_that_is_not_ours_counts(peer: str, forwarded: list[str], name: str) -> None:
    assert PROXIES.identify(peer, forwarded).name == name


@pytest.mark.case("H6")
def test_ipv6_is_counted_by_its_64() -> None:
    one, other, foreign = (
        NOBODY_TRUSTED.identify(address, ()).name
        for address in ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:3::1")
    )
    assert one == other != foreign


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert NOBODY_TRUSTED.identify("10.0.0.1", ["203.0.113.9"]).name == "10.0.0.1"
    assert not NOBODY_TRUSTED.trusts("127.0.0.1")
    assert PROXIES.trusts("10.9.9.9")
    assert not PROXIES.trusts("11.0.0.1")
    assert not PROXIES.trusts(None)


def test_neighbours_share_their_neighbourhood() -> None:
    one, other = NOBODY_TRUSTED.identify("192.0.2.1", ()), NOBODY_TRUSTED.identify("192.0.200.1", ())
    assert one.name != other.name
    assert one.neighbourhood == other.neighbourhood


@given(st.lists(st.text(max_size=40), max_size=4))
def test_whatever_a_header_says_somebody_is_counted(forwarded: list[str]) -> None:
    assert PROXIES.identify("10.0.0.1", forwarded).name
    assert PROXIES.identify(None, forwarded).name
