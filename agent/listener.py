"""Streamable HTTP: who may call, and how much at a time."""

import logging
import socket
from typing import Any

import uvicorn
from mcp.server import Server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette

from agent.config import Settings
from agent.errors import SettingsError
from agent.pictures import MAX_BYTES

PATH = "/mcp"

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
# Two pictures in base64, and the words around them.
_MAX_BODY = 2 * (MAX_BYTES // 3 + 1) * 4 + 256 * 1024

logger = logging.getLogger(__name__)


def build_app(server: Server[Any], settings: Settings) -> Starlette:
    """The ASGI application.

    Raises:
        SettingsError: Everybody may reach it, and nobody said under which name.
    """
    return server.streamable_http_app(
        streamable_http_path=PATH, max_request_body_size=_MAX_BODY, transport_security=_allow(settings)
    )


async def listen(server: Server[Any], settings: Settings) -> None:
    """Serves until SIGTERM or Ctrl-C.

    Raises:
        SettingsError: As `build_app`.
        OSError: The address cannot be listened on.
    """
    config = uvicorn.Config(
        build_app(server, settings),
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=settings.mcp_calls,
        timeout_graceful_shutdown=5,
    )
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.create_server((settings.host, settings.port), family=family) as listener:
        host, port = settings.mcp_http.rpartition(":")[0], listener.getsockname()[1]
        logger.info("listening on http://%s:%d%s", host, port, PATH)
        await uvicorn.Server(config).serve(sockets=[listener])


def _allow(settings: Settings) -> TransportSecuritySettings:
    """The Host and Origin headers that are taken: a page that a browser shows must not call what is on its machine."""
    names = settings.mcp_hosts or (_LOOPBACK if settings.on_loopback else ())
    if not names:
        raise SettingsError(
            f"{settings.mcp_http} is not a loopback address: name the hosts that callers use in CLEARCANVAS_MCP_HOSTS"
        )
    hosts = [form for name in names for form in (name, f"{name}:*")]
    origins = [f"{scheme}://{host}" for host in hosts for scheme in ("https", "http")]
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins)
