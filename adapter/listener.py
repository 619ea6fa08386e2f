"""The listening socket, and what aiohttp leaves open on its connections: a bound on time, number and error bodies."""

import asyncio
import logging
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from adapter.middleware.errors import describe
from adapter.middleware.failure import Failure
from adapter.middleware.headers import set_common_headers
from adapter.middleware.request_id import request_id_of
from adapter.middleware.shapes import to_response
from telemetry.request import request_id

logger = logging.getLogger(__name__)

_PROBES = {"/health", "/ready"}


@dataclass(frozen=True)
class ConnectionLimits:
    """Bounds of the connections."""

    header_timeout_s: float = 10.0  # From the connection to the end of the first request's headers.
    keepalive_timeout_s: float = 30.0  # From a response to the end of the next request's headers.
    connections: int = 4096  # An idle one holds about 20 KB.
    # What a refused client still sends is read away so that it can see the answer, within these bounds.
    lingering_s: float = 2.0
    lingering_bytes: int = 8 * 1024 * 1024


class QuietAccessLogger(AbstractAccessLogger):
    """A line for each request; for the probes, which come several times a second, only at DEBUG.

    Without the query: there is the URL of a background, and in that may be what opens somebody's store.
    """

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Logs one request; `time` is its duration in seconds."""
        level = logging.DEBUG if request.path in _PROBES else logging.INFO
        size = response.body_length
        self.logger.log(
            level, '%s "%s %s" %d %d %.3f s', request.remote, request.method, request.path, response.status, size, time
        )


class GuardedHandler(web.RequestHandler):
    """aiohttp's connection, with a deadline for the first request's headers and the surface's error bodies."""

    __slots__ = ("_header_timer", "_limits", "_lingering_left", "_server")

    def __init__(self, server: web.Server, limits: ConnectionLimits, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=limits.keepalive_timeout_s,
            lingering_time=limits.lingering_s,
            access_log_class=QuietAccessLogger,
            auto_decompress=False,  # Compressed bodies are refused, not inflated.
        )
        self._server = server
        self._limits = limits
        self._header_timer: asyncio.TimerHandle | None = None
        self._lingering_left: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts the deadline, or closes the connection when there are too many."""
        if len(self._server.connections) >= self._limits.connections and isinstance(transport, asyncio.Transport):
            transport.abort()
            return
        super().connection_made(transport)
        self._header_timer = self._loop.call_later(self._limits.header_timeout_s, self.force_close)

    def data_received(self, data: bytes) -> None:
        """Ends the deadline with the first whole header; cuts a refused client that does not stop sending."""
        if self._lingering_left is not None:
            self._lingering_left -= len(data)
            if self._lingering_left < 0:
                self.force_close()
                return
        super().data_received(data)
        # Later requests on the connection are bounded by aiohttp's keep-alive timer, which only a whole header stops.
        if self._request_count and self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def connection_lost(self, exc: BaseException | None) -> None:
        """Drops the timer, which would keep the connection in memory."""
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None
        super().connection_lost(exc)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Sends the answer; one that comes before the body was read ends the connection."""
        if not request.content.is_eof():
            resp.force_close()
            self._lingering_left = self._limits.lingering_bytes
        return await super().finish_response(request, resp, start_time)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers what never reached a handler: requests that are not HTTP, or whose headers are over 8 KiB or 128."""
        if request.writer.output_size > 0 or isinstance(exc, ConnectionError):
            broken = "The connection is gone, or its answer has begun."
            raise ConnectionAbortedError(broken) from exc
        request_id.set(request_id_of(request))
        if status == HTTPStatus.BAD_REQUEST:
            logger.info("refused a malformed request of %s: %s", request.remote, type(exc).__name__)
            failure = Failure(HTTPStatus.BAD_REQUEST, "malformed_request", "Malformed request.")
        else:
            logger.error("unhandled failure: %r", exc, exc_info=exc)
            failure = describe(exc if isinstance(exc, Exception) else RuntimeError(message))
        response = to_response(request, failure)
        set_common_headers(request, response)
        response.force_close()
        return response


async def listen(server: web.Server, host: str, port: int, limits: ConnectionLimits) -> asyncio.Server:
    """Listens on `host:port` (port 0 chooses a free one) and serves with `server`.

    Raises:
        OSError: The address is taken or not of this machine.
    """
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: GuardedHandler(server, limits, loop), host, port, backlog=1024)
