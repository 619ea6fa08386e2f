"""A service of our own making for the MCP server: gives the answers it is told, and remembers what it was asked."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from mcp.client import Client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, TextContent

from agent.pictures import Files
from agent.server import Desk
from agent.service import Service

PNG = b"\x89PNG\r\n\x1a\n picture"
IMAGE = {"image": base64.b64encode(PNG).decode()}
FACTS = {
    "Content-Type": "image/png",
    "X-Width": "30",
    "X-Height": "20",
    "X-Model": "toy",
    **{f"X-Foreground-{side}": "5" for side in ("Top", "Left", "Width", "Height")},
}
DONE = httpx.Response(200, headers=FACTS, content=b"cut-out")
LATER = httpx.Response(503, headers={"Retry-After": "0"}, json={"message": "Not settled yet.", "retryable": True})
TOO_LARGE = httpx.Response(400, json={"message": "Image too large for regular processing. Use HD endpoint."})


class FakeApi:
    """Gives its answers one after the other."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def paths(self) -> list[str]:
        """Where it was asked."""
        return [request.url.path for request in self.requests]


@asynccontextmanager
async def agent_of(fake: FakeApi, files: Files | None = None, api_key: str = "") -> AsyncIterator[Client]:
    """An agent of the server in front of `fake`, in this process."""
    transport = httpx.MockTransport(fake)
    async with (
        httpx.AsyncClient(base_url="http://service", transport=transport) as http,
        Client(Desk(Service(http, 60.0, pause_s=0.0), files, api_key).build()) as client,
    ):
        yield client


async def call(fake: FakeApi, name: str = "remove_background", meta: Any = None, **arguments: Any) -> CallToolResult:
    """Call one tool with a picture. Raises MCPError."""
    async with agent_of(fake) as client:
        try:
            return await client.call_tool(name, IMAGE | arguments, meta=meta)
        except MCPError as error:  # The client would raise it in a group.
            refused = error
    raise refused


def words_of(result: CallToolResult) -> str:
    """What a failed call says."""
    assert result.is_error
    (text,) = result.content
    assert isinstance(text, TextContent)
    return text.text
