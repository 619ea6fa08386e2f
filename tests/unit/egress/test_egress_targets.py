"""The rules a URL passes before anything is asked about it."""

from dataclasses import replace

import pytest
from yarl import URL

from egress.policy import EgressPolicy, RefusedError
from egress.targets import follow_redirect, parse_target

POLICY = EgressPolicy()


@pytest.mark.parametrize(
    "text",
    [
        "http://example.com",
        "https://example.com:443/a.png?b=c#d",
        "http://example.com:80/",
        "https://EXAMPLE.com./a%20b.png",
        "http://bücher.example/ä.png",
        "http://8.8.8.8/a.png",
        "http://[2606:4700::1111]/a.png",
        "https://under_score.example.com/",
    ],
)
def test_public_urls_are_taken(text: str) -> None:
    assert parse_target(text, POLICY) == URL(text)


@pytest.mark.case("S1")
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104 - nothing is bound.
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "[::1]",
        "[::]",
        "[fd00::8]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[2002:7f00:1::]",
        "[64:ff9b::7f00:1]",
        "[2001:0:7f00:1::]",
        "[fe80::1%25eth0]",
        "0x7f.1",
        "0x7f000001",
        "0X7F.0.0.1",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "1.2.3.4.5",
        "example.0x7f",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "%31%32%37.0.0.1",
    ],
)
def test_private_and_disguised_addresses_are_refused(host: str) -> None:
    with pytest.raises(RefusedError):
        parse_target(f"http://{host}/a.png", POLICY)


@pytest.mark.case("S5")
@pytest.mark.parametrize(
    "text",
    [
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://example.com@127.0.0.1/",
        "http://127.0.0.1:80@example.com/",
        "http://example.com\\@127.0.0.1/",
        "http://example.com\\.evil.example/",
        "http:\\\\example.com\\",
        "http://example.com/a\\b",
        "http://exa\tmple.com/",
        "http://example.com/a\nb",
        " http://example.com/",
        "http://exa mple.com/",
        "http://example.com%00.evil.example/",
        "http://example.com%2f@evil.example/",
        "http://a..b/",
        "http://\u2025/",
        "http://x\u00ad.com/",
        "http://[::1/",
        "http:///a.png",
        "//example.com/",
        "example.com/a.png",
        "/a.png",
        "",
        "http://" + "a" * 64 + ".com/",
        "http://example.com/" + "a" * 5000,
    ],
)
def test_urls_that_could_be_read_in_two_ways_are_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        parse_target(text, POLICY)


@pytest.mark.case("S5")
def test_an_international_name_is_asked_for_as_it_is_connected_to() -> None:
    assert parse_target("http://faß.example/", POLICY).raw_host == "xn--fa-hia.example"


@pytest.mark.case("S4")
@pytest.mark.parametrize("scheme", ["file", "ftp", "gopher", "data", "unix", "ws", "javascript"])
def test_other_schemes_are_refused(scheme: str) -> None:
    with pytest.raises(RefusedError):
        parse_target(f"{scheme}://example.com/a.png", POLICY)
    with pytest.raises(RefusedError):
        follow_redirect(URL("http://example.com/"), f"{scheme}://example.com/a.png", POLICY)


@pytest.mark.case("S6")
@pytest.mark.parametrize("port", [0, 1, 22, 25, 79, 81, 444, 6379, 8000, 8080, 65535])
def test_other_ports_are_refused(port: int) -> None:
    with pytest.raises(RefusedError):
        parse_target(f"http://example.com:{port}/", POLICY)


@pytest.mark.case("S6")
@pytest.mark.parametrize("port", ["99999", "-1", "80a", "8 0"])
def test_malformed_ports_are_refused(port: str) -> None:
    with pytest.raises(RefusedError):
        parse_target(f"http://example.com:{port}/", POLICY)


@pytest.mark.case("S4")
@pytest.mark.parametrize(
    ("location", "followed"),
    [
        ("/b.png", "https://example.com/b.png"),
        ("b.png", "https://example.com/a/b.png"),
        ("//cdn.example.com/b.png", "https://cdn.example.com/b.png"),
        ("http://cdn.example.com/b.png", "http://cdn.example.com/b.png"),
    ],
)
def test_redirects_are_read_from_where_they_come(location: str, followed: str) -> None:
    assert follow_redirect(URL("https://example.com/a/"), location, POLICY) == URL(followed)


@pytest.mark.case("S4")
@pytest.mark.parametrize(
    "location",
    ["", "//127.0.0.1/", "http://127.1/", "http://[::1]/", "//user@example.com/", "\\\\x", "//x:22/"],
)
def test_redirects_pass_the_same_rules(location: str) -> None:
    with pytest.raises(RefusedError):
        follow_redirect(URL("https://example.com/a/"), location, POLICY)


def test_the_policy_decides() -> None:
    inside = replace(POLICY, allows=lambda address: address.is_loopback, ports=frozenset({8000}))
    assert parse_target("http://127.0.0.1:8000/", inside).port == 8000
    with pytest.raises(RefusedError):
        parse_target("http://8.8.8.8:8000/", inside)
