"""The server against a service of our own making: what is sent, and what the agent is told."""

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, ImageContent, ResourceLink, TextContent

from agent.pictures import Files
from tests.support.fake_api import DONE, IMAGE, PNG, TOO_LARGE, FakeApi, agent_of, call, words_of


async def test_a_result_is_a_picture_and_its_facts() -> None:
    fake = FakeApi(DONE)
    result = await call(fake, "blur_background", radius=7)
    picture, text = result.content
    assert isinstance(picture, ImageContent)
    assert (base64.b64decode(picture.data), picture.mime_type) == (b"cut-out", "image/png")
    assert result.structured_content == {
        "media_type": "image/png",
        "size_bytes": 7,
        "width": 30,
        "height": 20,
        "model": "toy",
        "subject": {"top": 5, "left": 5, "width": 5, "height": 5},
    }
    assert isinstance(text, TextContent)
    assert json.loads(text.text) == result.structured_content
    assert fake.paths == ["/image/blur/v1"]
    assert b'name="radius"\r\n\r\n7\r\n' in fake.requests[0].content
    assert PNG in fake.requests[0].content


async def test_another_picture_goes_behind_the_subject() -> None:
    fake = FakeApi(DONE)
    behind = b"\xff\xd8\xff behind"
    await call(fake, "replace_background_with_picture", background=base64.b64encode(behind).decode())
    assert b'name="background"' in fake.requests[0].content
    assert behind in fake.requests[0].content


async def test_a_result_is_written_where_the_caller_says(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(PNG)
    fake = FakeApi(DONE)
    async with agent_of(fake, Files(tmp_path)) as client:
        arguments = {"image_path": "photo.png", "save_to": "result.webp"}
        result = await client.call_tool("remove_background", arguments)
        assert (tmp_path / "result.webp").read_bytes() == b"cut-out"
        assert isinstance(result.content[0], ResourceLink)
        assert b'name="format"\r\n\r\nwebp\r\n' in fake.requests[0].content
        for wrong in (
            {"save_to": "result.gif"},
            {"save_to": "other.png", "format": "webp"},
            {"save_to": "result.webp"},
        ):
            refused = await client.call_tool("remove_background", {"image_path": "photo.png", **wrong})
            assert words_of(refused)
    assert len(fake.requests) == 1


@pytest.mark.parametrize("name", ["image_path", "save_to", "background_path"])
async def test_a_caller_elsewhere_has_no_files_here(name: str, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(PNG)
    fake = FakeApi()
    refused = await call(fake, "replace_background_with_picture", **{name: str(tmp_path / "photo.png")})
    assert name in words_of(refused)
    assert fake.requests == []


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("blur_background", {"radius": 101}, "radius: Input should be less than or equal to 100"),
        ("remove_background", {"colour": "red"}, "colour: Extra inputs are not permitted"),
        ("remove_background", {"image": ""}, "image is missing"),
        ("remove_background", {"image": "/etc/passwd"}, "image is no"),
        ("replace_background_with_color", {}, "color: Field required"),
    ],
)
async def test_wrong_arguments_are_told_and_not_sent(tool: str, arguments: dict[str, Any], words: str) -> None:
    fake = FakeApi()
    assert words in words_of(await call(fake, tool, **arguments))
    assert fake.requests == []


async def test_there_is_no_other_tool() -> None:
    with pytest.raises(MCPError, match="no tool sharpen") as refused:
        await call(FakeApi(), "sharpen")
    assert refused.value.code == INVALID_PARAMS


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(400, json={"message": "Not a picture."}), "answered 400: Not a picture."),
        (httpx.Response(422, json={"message": "Invalid", "fields": {"size": "must be …"}}), "Invalid: size must be …"),
        (httpx.Response(429, json={"message": "Slow."}, headers={"Retry-After": "9"}), "Slow. Try again in 9 s."),
        (httpx.Response(401, json={"message": "A key is needed."}), "is needed. This server sends the one in its"),
        (httpx.Response(502, text="<html>"), "answered 502"),
        (httpx.ConnectError("refused"), "http://service does not answer"),
    ],
)
async def test_a_refusal_is_told_in_the_services_words(answer: httpx.Response | Exception, words: str) -> None:
    assert words in words_of(await call(FakeApi(answer)))


async def test_a_large_picture_goes_the_way_of_jobs_by_itself() -> None:
    accepted = httpx.Response(202, json={"uuid": "abc"})
    at_work = httpx.Response(202, json={"progress_percentage": 40.0})
    fake = FakeApi(TOO_LARGE, accepted, at_work, DONE)
    told: list[float] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        assert (total, message) == (100, None)
        told.append(progress)

    async with agent_of(fake, api_key="k") as client:
        result = await client.call_tool("blur_background", IMAGE, progress_callback=note)
    assert not result.is_error
    assert fake.paths == ["/image/blur/v1", "/image/hd/submit/v1", *2 * ["/image/hd/result/abc"]]
    assert b'name="operation"\r\n\r\nblur\r\n' in fake.requests[1].content
    assert {request.headers["X-API-Key"] for request in fake.requests} == {"k"}
    assert told == [40.0]
