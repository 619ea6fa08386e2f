"""Pictures by URL at remove.bg's API: from a small Internet that the policy takes for public."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from adapter.errors import DownloadError, OverloadedError, PayloadTooLargeError, RemovebgError
from adapter.removebg.sources import Sources
from adapter.uploads.budget import UploadBudget
from adapter.uploads.form import Form
from tests.integration.adapter.fetching.web import PICTURE, Web, plain, small_web

LIMIT = 100_000


@pytest_asyncio.fixture
async def web() -> AsyncIterator[Web]:
    async with small_web() as one:
        yield one


def sources(files: dict[str, bytes] | None = None, **fields: str) -> Sources:
    return Sources(Form(files or {}, fields), LIMIT)


async def take(web: Web, taken: Sources, budget: UploadBudget | None = None) -> tuple[bytes, bytes]:
    with (budget or UploadBudget(1 << 30)).reserve() as reservation:
        picture = await taken.take_picture(web.fetcher(), reservation)
        return picture, await taken.take_background(web.fetcher(), reservation)


async def test_both_pictures_are_fetched(web: Web) -> None:
    web.public.answers["/background.png"] = plain(PICTURE[:100])
    taken = sources(image_url=web.url("/a.png"), bg_image_url=web.url("/background.png"))
    assert taken.has_background
    assert web.public.connections == 0
    assert await take(web, taken) == (PICTURE, PICTURE[:100])


async def test_files_are_taken_as_they_are(web: Web) -> None:
    taken = sources({"image_file": b"picture", "bg_image_file": b"background"}, bg_color=" ", image_url="")
    assert await take(web, taken) == (b"picture", b"background")
    assert web.public.connections == 0


async def test_what_is_fetched_and_decoded_counts_against_the_uploads(web: Web) -> None:
    encoded = {"image_file_b64": base64.b64encode(PICTURE)}
    for taken in (sources(image_url=web.url("/a.png")), sources(dict(encoded))):
        with pytest.raises(OverloadedError):
            await take(web, taken, UploadBudget(len(PICTURE) - 1))


@pytest.mark.parametrize(
    ("name", "code"), [("image_url", "failed_image_download"), ("bg_image_url", "failed_bg_download")]
)
@pytest.mark.parametrize("path", ["/missing", "/page"])
async def test_what_cannot_be_fetched(web: Web, name: str, code: str, path: str) -> None:
    web.public.answers |= {"/missing": plain(b"", "404 Not Found"), "/page": plain(b"<!DOCTYPE html><html></html>")}
    fields: dict[str, Any] = {"image_url": web.url("/a.png")} | {name: web.url(path)}
    with pytest.raises(RemovebgError) as caught:
        await take(web, sources(**fields))
    assert caught.value.code == code
    expected = "URL must point to an image file" if path == "/page" else DownloadError().message
    assert caught.value.detail == expected


@pytest.mark.parametrize(
    "files",
    [
        {"image_file": bytes(LIMIT + 1)},
        {"image_file": b"x", "bg_image_file": bytes(LIMIT + 1)},
        {"image_file_b64": base64.b64encode(bytes(LIMIT + 1000))},
        {"image_file_b64": base64.b64encode(bytes(LIMIT + 1))},
    ],
    ids=["file", "background", "base64", "base64 by a byte"],
)
async def test_files_over_the_limit(web: Web, files: dict[str, bytes]) -> None:
    with pytest.raises(PayloadTooLargeError, match="File exceeds limit"):
        await take(web, sources(files))
