"""The rules that a URL has to pass before anything is asked about it.

yarl reads it, and the object that it made is the one that aiohttp connects by: there is no second reading.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from yarl import URL

from egress.policy import EgressPolicy, RefusedError

_SCHEMES = {"http", "https"}
_MAX_CHARS = 4096  # Signed links to object stores are about 1,000 long.
# Browsers read a backslash as a slash and drop tabs and line ends; others do not. Nobody needs them.
_AMBIGUOUS = re.compile(r"[\x00-\x20\x7f\\]")
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
# 127.1, 0x7f.1 or 2130706433: an address to the C library, and to nobody else (URL Standard, "ends in a number").
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def parse_target(text: str, policy: EgressPolicy) -> URL:
    """Reads a URL that a caller sent.

    Raises:
        RefusedError: It is none, or breaks the policy.
    """
    return _check(_parse(text), policy)


def follow_redirect(origin: URL, location: str, policy: EgressPolicy) -> URL:
    """Reads where a response sends us, with the same rules.

    Raises:
        RefusedError: It is no URL, or breaks the policy.
    """
    return _check(origin.join(_parse(location)), policy)


def _parse(text: str) -> URL:
    if not text or len(text) > _MAX_CHARS or _AMBIGUOUS.search(text):
        message = "it is no URL"
        raise RefusedError(message)
    try:
        return URL(text)
    except ValueError as error:
        message = "it is no URL"
        raise RefusedError(message) from error


def _check(url: URL, policy: EgressPolicy) -> URL:
    host = url.raw_host
    if url.scheme not in _SCHEMES or not host:
        message = "it is no address of the web"
        raise RefusedError(message)
    if "@" in url.raw_authority:
        message = "it names a user"
        raise RefusedError(message)
    if url.port not in policy.ports:
        message = f"port {url.port}"
        raise RefusedError(message)
    check_address(host, policy) if is_address(host) else _check_name(host)
    return url


def is_address(host: str) -> bool:
    """Whether `host` is an IP address as it should be written."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def check_address(text: str, policy: EgressPolicy) -> IPv4Address | IPv6Address:
    """The address that `text` is.

    Raises:
        RefusedError: It may not be connected to.
    """
    address = ip_address(text)
    if not policy.allows(address):
        message = f"address {address}"
        raise RefusedError(message)
    return address


def _check_name(host: str) -> None:
    if not _NAME.fullmatch(host) or _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        message = "its host is no name"
        raise RefusedError(message)
