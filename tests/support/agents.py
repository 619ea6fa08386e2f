"""An agent for tests: the official SDK's client, and the server that it starts or calls."""

import base64
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, cast

from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import CallToolResult, ImageContent, RequestParamsMeta

from tests.support.processes import module, running, tail, wait_until


@asynccontextmanager
async def agent_on_stdio(url: str, *options: str, folder: Path | None = None, **settings: str) -> AsyncIterator[Client]:
    """An agent that has started `clearcanvas mcp` for the service at `url`; `folder`: where it stands itself."""
    server = StdioServerParameters(
        command=sys.executable,
        args=module("cli", "mcp", "--url", url, *options)[1:],
        env=os.environ | {f"CLEARCANVAS_{name.upper()}": value for name, value in settings.items()},
        cwd=folder,
    )
    async with Client(stdio_client(server)) as client:
        yield client


@contextmanager
def mcp_over_http(url: str, folder: Path, **settings: str) -> Iterator[str]:
    """The server on streamable HTTP at a free port; yields its address."""
    found: list[str] = []
    log = folder / "mcp.log"
    environment = {f"CLEARCANVAS_{name.upper()}": value for name, value in settings.items()}
    with running(module("cli", "mcp", "--url", url, "--http", "127.0.0.1:0"), environment, log) as process:

        def listening() -> bool:
            assert process.poll() is None, f"the MCP server ended with {process.returncode}:\n{tail(log)}"
            found[:] = re.findall(r"listening on (http://\S+)", log.read_text(errors="replace"))
            return bool(found)

        wait_until(listening, "the MCP server listens")
        yield found[0]


async def call(client: Client, name: str, meta: dict[str, Any] | None = None, **arguments: Any) -> CallToolResult:
    """Call a tool; `meta`: what travels beside its arguments."""
    return await client.call_tool(name, arguments, meta=cast("RequestParamsMeta | None", meta))


def picture_of(result: CallToolResult) -> bytes:
    """The one picture in a result."""
    assert not result.is_error, result.content
    (picture,) = [block for block in result.content if isinstance(block, ImageContent)]
    return base64.b64decode(picture.data)


def encode(picture: bytes) -> str:
    """A picture as an agent sends it."""
    return base64.b64encode(picture).decode()


def facts_of(result: CallToolResult) -> dict[str, Any]:
    """What is told of a result."""
    assert not result.is_error, result.content
    facts = result.structured_content
    assert isinstance(facts, dict)
    return facts
