"""Streamable HTTP: who may call, and how much at a time."""

import uvicorn
from mcp.server import Server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette

from agent.config import Settings
from agent.errors import SettingsError
from agent.pictures import MAX_BYTES

PATH = "/mcp"

# Two pictures in base64, and the words around them.
_MAX_BODY = 2 * (MAX_BYTES // 3 + 1) * 4 + 256 * 1024


def build_app(server: Server, settings: Settings) -> Starlette:
    """The ASGI application.

    Raises:
        SettingsError: Everybody may reach it, and nobody said under which name.
    """
    return server.streamable_http_app(
        streamable_http_path=PATH,
        max_request_body_size=_MAX_BODY,
        transport_security=_allow(settings),
        host=settings.host,
    )


async def listen(server: Server, settings: Settings) -> None:
    """Serves until SIGTERM or Ctrl-C. Raises SettingsError."""
    config = uvicorn.Config(
        build_app(server, settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=settings.mcp_calls,
        timeout_graceful_shutdown=5,
    )
    await uvicorn.Server(config).serve()


def _allow(settings: Settings) -> TransportSecuritySettings | None:
    """The Host and Origin headers that are taken: a page that a browser shows must not call what is on its machine.

    None leaves it to the SDK, which takes those of this machine.
    """
    if settings.on_loopback and not settings.mcp_hosts:
        return None
    if not settings.mcp_hosts:
        raise SettingsError(
            f"{settings.mcp_http} is not a loopback address: name the hosts that callers use in CLEARCANVAS_MCP_HOSTS"
        )
    hosts = [form for host in settings.mcp_hosts for form in (host, f"{host}:*")]
    return TransportSecuritySettings(
        allowed_hosts=hosts,
        allowed_origins=[f"{scheme}://{host}" for host in hosts for scheme in ("https", "http")],
    )
