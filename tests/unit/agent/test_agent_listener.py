"""Who may call over HTTP, for whom, and with which key."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from agent.config import Settings
from agent.errors import SettingsError
from agent.listener import PATH, build_app
from agent.server import Desk
from agent.service import Service

HERE = Settings(mcp_http="127.0.0.1:8403")
HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
IMAGE = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


def call_of(method: str, **params: Any) -> dict[str, Any]:
    envelope = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    }
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": envelope}}


@asynccontextmanager
async def serving(settings: Settings, asked: list[httpx.Request], api_key: str = "") -> AsyncIterator[Starlette]:
    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, headers={"Content-Type": "image/png"}, content=b"cut-out")

    async with httpx.AsyncClient(base_url="http://service", transport=httpx.MockTransport(answer)) as http:
        app = build_app(Desk(Service(http, 60.0), None, api_key).build(), settings)
        async with app.router.lifespan_context(app):
            yield app


async def post(
    app: Starlette, document: dict[str, Any], host: str = "127.0.0.1:8403", **headers: str
) -> httpx.Response:
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 1234))
    method = {"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": document["method"]}
    named = {"Mcp-Name": document["params"]["name"]} if "name" in document["params"] else {}
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.post(PATH, json=document, headers=HEADERS | method | named | sent)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "localhost:8403"}, 200),
        ({"Origin": "http://localhost:6274"}, 200),
        ({"host": "evil.example"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
async def test_no_page_that_a_browser_shows_calls_what_is_on_its_machine(headers: dict[str, str], status: int) -> None:
    async with serving(HERE, []) as app:
        assert (await post(app, call_of("tools/list"), **headers)).status_code == status


async def test_beyond_this_machine_callers_use_the_names_that_were_given() -> None:
    public = Settings(mcp_http="0.0.0.0:8403", mcp_hosts=("mcp.example.com",))
    async with serving(public, []) as app:
        assert (await post(app, call_of("tools/list"), host="mcp.example.com")).status_code == 200
        assert (await post(app, call_of("tools/list"), host="127.0.0.1:8403")).status_code == 421
    with pytest.raises(SettingsError, match="CLEARCANVAS_MCP_HOSTS"):
        build_app(Desk(Service(httpx.AsyncClient(), 1.0), None).build(), Settings(mcp_http="0.0.0.0:8403"))


async def test_a_caller_is_told_apart_and_calls_with_its_own_key() -> None:
    asked: list[httpx.Request] = []
    call = call_of("tools/call", name="remove_background", arguments={"image": IMAGE})
    async with serving(HERE, asked, api_key="operator") as app:
        assert (await post(app, call)).status_code == 200
        assert (await post(app, call, X_API_Key="own", X_Forwarded_For="203.0.113.9")).status_code == 200
    assert [request.headers["X-API-Key"] for request in asked] == ["operator", "own"]
    assert [request.headers["X-Forwarded-For"] for request in asked] == ["192.0.2.7", "203.0.113.9, 192.0.2.7"]


async def test_files_are_not_offered_over_http() -> None:
    async with serving(HERE, []) as app:
        assert "image_path" not in (await post(app, call_of("tools/list"))).text


async def test_a_body_has_room_for_two_pictures_and_no_more() -> None:
    async with serving(HERE, []) as app:
        call = call_of("tools/call", name="remove_background", arguments={"image": "A" * 70 * 1024**2})
        assert (await post(app, call)).status_code == 413
