"""Metrics: a port of their own, and labels that cannot grow without end."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from prometheus_client import CollectorRegistry, disable_created_metrics, start_http_server

from telemetry.errors import TelemetryError

OTHER = "other"


class Vocabulary:
    """The values of a label that comes from outside: the first `size` of them are themselves, the rest `other`."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: set[str] = set()
        self._lock = Lock()

    def word(self, value: str) -> str:
        """`value`, or `other` where there are too many already."""
        with self._lock:
            if value in self._known or len(self._known) < self._size:
                self._known.add(value)
                return value
        return OTHER


@contextmanager
def exposed(registry: CollectorRegistry, address: str) -> Iterator[str]:
    """Serve `registry` over HTTP at `HOST:PORT`, in a thread; yields the real address, empty where `address` is.

    Port 0 takes any. Nothing but metrics is served there, and to everybody who reaches it. Raises TelemetryError.
    """
    if not address:
        yield ""
        return
    host, _, port = address.rpartition(":")
    disable_created_metrics()  # type: ignore[no-untyped-call] # When each series began: as many again, that nobody asks for.
    try:
        server, thread = start_http_server(int(port), host.strip("[]"), registry)
    except OSError as error:
        raise TelemetryError(f"cannot serve metrics on {address}: {error.strerror}") from error
    try:
        yield f"{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
