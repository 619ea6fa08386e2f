"""`python -m agent`: the MCP server on standard input and output, or with CLEARCANVAS_MCP_HTTP on streamable HTTP."""

import argparse
import asyncio
import logging
import sys

from mcp.server.stdio import stdio_server
from pydantic import ValidationError

from agent.config import Settings, load_settings
from agent.errors import SettingsError
from agent.listener import listen
from agent.pictures import Files
from agent.server import Desk
from agent.service import opened
from telemetry.logs import Form, set_up

logger = logging.getLogger("agent")


def main(arguments: list[str]) -> int:
    """Runs the server; returns the exit code: 0 stopped, 1 cannot serve, 2 bad settings."""
    parser = argparse.ArgumentParser(prog="python -m agent", description="The MCP server.")
    for name in ("url", "http", "folder"):
        parser.add_argument(f"--{name}")
    given = parser.parse_args(arguments)
    chosen = {"url": given.url, "mcp_http": given.http, "mcp_folder": given.folder}
    try:
        settings = load_settings(**{name: value for name, value in chosen.items() if value is not None})
    except ValidationError as error:
        set_up(Form.TEXT)
        for mistake in error.errors():
            logger.error("CLEARCANVAS_%s: %s", "_".join(map(str, mistake["loc"])).upper(), mistake["msg"])
        return 2
    set_up(settings.log)  # On standard error: standard output is the protocol's.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        asyncio.run(serve(settings))
    except SettingsError as error:
        logger.error("settings: %s", error)
        return 2
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        logger.error("cannot serve on %s: %s", settings.mcp_http, error.strerror)
        return 1
    return 0


async def serve(settings: Settings) -> None:
    """Serves until its input ends, or until SIGTERM or Ctrl-C. Raises SettingsError."""
    key = settings.api_key.get_secret_value() if settings.api_key is not None else ""
    async with opened(settings.url, settings.mcp_patience_s) as service:
        if settings.mcp_http:
            # The operator's key is for those on this machine; all others bring their own, or pay.
            desk = Desk(service, None, key if settings.on_loopback else "")
            await listen(desk.build(), settings)
            return
        server = Desk(service, Files(settings.mcp_folder), key).build()
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
