"""What the tools return: the picture for whoever looks, and its facts for whoever reads."""

import base64
from collections.abc import Mapping
from pathlib import Path

import httpx
from mcp_types import CallToolResult, ContentBlock, ImageContent, ResourceLink, TextContent
from pydantic import BaseModel, Field


class Box(BaseModel):
    """A rectangle, in pixels of the result."""

    top: int
    left: int
    width: int
    height: int


class Facts(BaseModel):
    """What is known of a result."""

    media_type: str
    size_bytes: int
    width: int | None = Field(None, description="In pixels.")
    height: int | None = Field(None, description="In pixels.")
    subject: Box | None = Field(None, description="The smallest box around the subject.")
    model: str | None = Field(None, description="The model that made the matte.")
    saved_to: str | None = Field(None, description="The file that holds the result, where it was asked for.")


def read_facts(response: httpx.Response) -> Facts:
    """The facts in the headers of an answer."""
    headers = response.headers
    return Facts(
        media_type=headers.get("Content-Type", "application/octet-stream"),
        size_bytes=len(response.content),
        width=_number(headers, "X-Width"),
        height=_number(headers, "X-Height"),
        subject=_read_box(headers),
        model=headers.get("X-Model"),
    )


def show(response: httpx.Response) -> CallToolResult:
    """A result with the picture in it."""
    facts = read_facts(response)
    picture = ImageContent(data=base64.b64encode(response.content).decode(), mime_type=facts.media_type)
    return _make(picture, facts)


def point(response: httpx.Response, target: Path) -> CallToolResult:
    """A result that names the file with the picture."""
    facts = read_facts(response).model_copy(update={"saved_to": str(target)})
    return _make(ResourceLink(name=target.name, uri=target.as_uri(), mime_type=facts.media_type), facts)


def fail(message: str) -> CallToolResult:
    """A call that came to nothing, and why."""
    return CallToolResult(content=[TextContent(text=message)], is_error=True)


def _make(content: ContentBlock, facts: Facts) -> CallToolResult:
    told = facts.model_dump(exclude_none=True)
    text = TextContent(text=facts.model_dump_json(exclude_none=True))  # For clients that read no structured content.
    return CallToolResult(content=[content, text], structured_content=told)


def _read_box(headers: Mapping[str, str]) -> Box | None:
    sides = {side: _number(headers, f"X-Foreground-{side.capitalize()}") for side in Box.model_fields}
    found = {side: value for side, value in sides.items() if value is not None}
    return Box(**found) if len(found) == len(sides) else None


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() else None
