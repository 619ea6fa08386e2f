import pytest

from transport.addresses import Target, is_loopback, parse_target


@pytest.mark.parametrize("address", ["127.0.0.1:8401", "[::1]:8401", "localhost:1", "server:65535", "a.example:8401"])
def test_one_address_is_taken_as_it_is_and_not_balanced(address: str) -> None:
    assert parse_target(address) == Target(address, balanced=False)


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("10.0.0.1:8401,10.0.0.2:8401", "ipv4:10.0.0.1:8401,10.0.0.2:8401"),
        ("localhost:1,127.0.0.1:2", "ipv4:127.0.0.1:1,127.0.0.1:2"),
        ("[fd00::1]:8401,[fd00::2]:8401", "ipv6:%5Bfd00::1%5D:8401,%5Bfd00::2%5D:8401"),
        ("dns:///server:8401", "dns:///server:8401"),
    ],
)
def test_several_addresses_and_a_name_for_them_are_balanced(text: str, uri: str) -> None:
    assert parse_target(text) == Target(uri, balanced=True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not an address"),
        ("8401", "not an address"),
        (":8401", "not an address"),
        ("::1:8401", "not an address"),
        ("[a]:8401", "not an address"),
        ("a b:8401", "not an address"),
        ("unix:/run/socket", "no port"),
        ("dns:///server", "not an address"),
        ("server:0", "no port"),
        ("server:65536", "no port"),
        ("server:x", "no port"),
        ("10.0.0.1:8401,", "not an address"),
        ("10.0.0.1:8401, 10.0.0.2:8401", "not an address"),
        ("server-1:8401,server-2:8401", "dns:///NAME:PORT"),
        ("10.0.0.1:8401,[fd00::1]:8401", "mixes"),
    ],
)
def test_what_is_no_address_is_refused_with_what_to_write(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_target(text)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"])
def test_loopback_is_this_machine_alone(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "localhost.example", "server", "2130706433"])  # noqa: S104
def test_all_else_may_be_reached_by_others(host: str) -> None:
    assert not is_loopback(host)
