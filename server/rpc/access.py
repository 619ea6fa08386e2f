"""Who may call which service: by the name in the caller's certificate, where there are certificates."""

import logging
from collections.abc import Collection, Iterable, Mapping

from server.errors import NotAllowedError

logger = logging.getLogger(__name__)

EVERYTHING = "*"

# What changes the models of all servers: never for whoever can reach a port that asks for no name.
_OPERATORS_ONLY = frozenset({"ModelService"})


class Access:
    """Decides for each call of our own services; health and reflection are for all who are let in."""

    def __init__(self, callers: Mapping[str, Collection[str]] | None, *, local: bool) -> None:
        """`callers`: the services by certificate name, `*` for all; None where calls are plain text. `local`: whether
        only this machine reaches the port."""
        self._callers = callers
        self._local = local

    def check(self, identity: Mapping[str, Iterable[bytes]], service: str) -> None:
        """`identity`: of the connection, as gRPC tells it. Raises NotAllowedError."""
        if self._callers is None:
            if service in _OPERATORS_ONLY and not self._local:
                raise NotAllowedError(f"{service} is served to certificates, or on this machine alone.")
            return
        names = certified_names(identity)
        if not any({service, EVERYTHING} & set(self._callers.get(name, ())) for name in names):
            caller = ", ".join(names) or "nobody"
            logger.warning("refused %s to %r", service, caller)
            raise NotAllowedError(f"The certificate of {caller!r} does not allow {service}.")


def certified_names(identity: Mapping[str, Iterable[bytes]]) -> tuple[str, ...]:
    """The DNS names of a verified certificate; of one that has none, its common name."""
    named = tuple(name.decode(errors="replace") for name in identity.get("peer_dns") or ())
    return named or tuple(name.decode(errors="replace") for name in identity.get("x509_common_name") or () if name)
