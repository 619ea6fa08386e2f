"""Where the servers are: one address, several, or a name that stands for all of them."""

import ipaddress
from collections import Counter
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from pydantic import AfterValidator

_BY_NAME = "dns:///"


@dataclass(frozen=True)
class Target:
    """What a channel is opened to, as gRPC spells it."""

    uri: str
    balanced: bool
    """Whether it may stand for several servers."""


def parse_target(text: str) -> Target:
    """Reads `HOST:PORT`, `IP:PORT,IP:PORT,…` or `dns:///NAME:PORT`. Raises ValueError with a sentence for the user.

    gRPC asks a name again and again, and never an address: so several names are no list, but one name for them all.
    """
    if text.startswith(_BY_NAME):
        _split(text.removeprefix(_BY_NAME))
        return Target(text, balanced=True)
    parts = text.split(",")
    if len(parts) == 1:
        _split(text)
        return Target(text, balanced=False)
    families = Counter(_family(part) for part in parts)
    if len(families) > 1:
        raise ValueError(f"{text!r} mixes IPv4 and IPv6; list addresses of one kind")
    (family,) = families
    return Target(f"{family}:{','.join(quote(_numeric(part), safe=':') for part in parts)}", balanced=True)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it: an address with or without brackets, or `localhost`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:  # Another name, which may stand for any address.
        return False


def _checked(text: str) -> str:
    parse_target(text)
    return text


ServerAddress = Annotated[str, AfterValidator(_checked)]
"""A setting that `parse_target` can read."""


def _split(address: str) -> tuple[str, int]:
    host, separator, port = address.rpartition(":")
    bare = host.strip("[]")
    if not separator or not bare or ("[" in host) != (":" in bare) or any(mark in bare for mark in " /[],"):
        raise ValueError(f"{address!r} is not an address; write HOST:PORT, for example 127.0.0.1:8401")
    if not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{address!r} has no port; write HOST:PORT, for example 127.0.0.1:8401")
    return bare, int(port)


def _numeric(address: str) -> str:
    return address.replace("localhost:", "127.0.0.1:", 1)


def _family(address: str) -> str:
    host, _ = _split(_numeric(address))
    try:
        return f"ipv{ipaddress.ip_address(host).version}"
    except ValueError:
        raise ValueError(
            f"{host!r} in a list is no IP address; for servers behind a name write dns:///NAME:PORT"
        ) from None
