"""Calling the routes of jobs as clients do."""

from dataclasses import dataclass
from typing import Any

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from tests.integration.adapter.shop import RunningShop

HD, VIDEO = "/image/hd/submit/v1", "/video/submit/v1"
HD_RESULT, VIDEO_RESULT = "/image/hd/result/", "/video/result/"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 8
STRANGER = "550e8400-e29b-41d4-a716-446655440000"


@dataclass(frozen=True)
class Reply:
    """One whole answer; `words` where it is JSON."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    words: Any


async def call(door: RunningShop, method: str, path: str, **options: Any) -> Reply:
    url = URL(f"http://127.0.0.1:{door.port}{path}", encoded=True)  # As it stands: no tidying of dots.
    async with door.http.request(method, url, **options) as response:
        body = await response.read()
        words = await response.json() if body and response.content_type == "application/json" else None
        return Reply(response.status, response.headers, body, words)


async def submit(
    door: RunningShop,
    path: str,
    fields: dict[str, str] | None = None,
    *,
    file: bytes | None = b"",
    file_type: str = "",
    field: str = "",
    background: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Reply:
    """Posts a form: the file first, as many clients do, then its fields. `file` is empty for one that is good."""
    form = aiohttp.FormData(default_to_multipart=True)
    if file is not None:
        of_video = path == VIDEO
        content = file or (MP4 if of_video else PNG)
        form.add_field(
            field or ("video" if of_video else "image"),
            content,
            filename="a",
            content_type=file_type or ("video/mp4" if of_video else "image/png"),
        )
    for name, value in (fields or {}).items():
        form.add_field(name, value)
    if background is not None:
        form.add_field("background", background, filename="b.png", content_type="image/png")
    return await call(door, "POST", path, data=form, headers=headers)
