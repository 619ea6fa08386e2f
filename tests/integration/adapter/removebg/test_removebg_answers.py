"""Results as remove.bg's API gives them, and the keys that they are counted for."""

import base64
import io
import json
import time
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from clearcanvas.v1 import images_pb2
from clearcanvas.v1.images_pb2 import EditRequest, EditResponse

from adapter.keys.key import NewKey
from adapter.keys.store import KeyStore
from tests.integration.adapter.fake_service import CHUNK, Context, FakeImageService, RunningFake, header
from tests.integration.adapter.fetching.web import PICTURE
from tests.integration.adapter.process import run_adapter
from tests.integration.adapter.removebg.calls import empty, post


@pytest.mark.parametrize("accept", ["*/*", "image/*", "image/png", "application/json, text/plain, */*", None])
async def test_the_picture_itself(http: aiohttp.ClientSession, fake: FakeImageService, accept: str | None) -> None:
    """axios names JSON first and everything last, and its users save what comes as a picture."""
    response, body = await post(http, {"Accept": accept} if accept else None)
    assert (response.status, response.content_type, body) == (200, "image/png", PICTURE)
    assert response.headers["X-Type"] == "other"
    assert response.headers["X-Credits-Charged"] == "0"
    box = [response.headers[f"X-Foreground-{side}"] for side in ("Top", "Left", "Width", "Height")]
    assert ([response.headers["X-Width"], response.headers["X-Height"]], box) == (["640", "480"], ["1", "2", "3", "4"])


@pytest.mark.parametrize("size", [1, 2, 3, 4, CHUNK + 1, 2 * CHUNK + 2])
async def test_the_picture_in_json(http: aiohttp.ClientSession, fake: FakeImageService, size: int) -> None:
    picture = (PICTURE * (size // len(PICTURE) + 1))[:size]
    response, body = await post(http, {"Accept": "application/json"}, image_file_b64=base64.b64encode(picture).decode())
    assert (response.status, response.content_type) == (200, "application/json")
    data = json.loads(body)["data"]
    assert base64.b64decode(data.pop("result_b64"), validate=True) == picture
    assert data == {"foreground_top": 1, "foreground_left": 2, "foreground_width": 3, "foreground_height": 4}


async def halves(request: EditRequest, _: Context) -> AsyncIterator[EditResponse]:
    """The colours in several chunks, and another alpha."""
    is_mask = request.output.kind == images_pb2.OUTPUT_KIND_MASK
    content = [b"alpha"] if is_mask else [b"co" * CHUNK, b"lo" * 3, b"rs"]
    yield header(sum(map(len, content)), "image/png" if is_mask else "image/jpeg")
    for chunk in content:
        for start in range(0, len(chunk), CHUNK):
            yield EditResponse(chunk=chunk[start : start + CHUNK])


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
async def test_a_zip_has_colours_and_alpha(http: aiohttp.ClientSession, fake: FakeImageService, accept: str) -> None:
    fake.behaviour = halves
    response, body = await post(http, {"Accept": accept}, format="zip", size="full", crop=True)
    assert (response.status, len(body)) == (200, response.content_length)
    assert response.content_type == ("application/json" if accept == "application/json" else "application/zip")
    packed = base64.b64decode(json.loads(body)["data"]["result_b64"]) if accept == "application/json" else body
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        assert {info.filename: info.compress_type for info in archive.infolist()} == {
            "color.jpg": zipfile.ZIP_STORED,
            "alpha.png": zipfile.ZIP_STORED,
        }
        assert (archive.read("color.jpg"), archive.read("alpha.png")) == (b"co" * CHUNK + b"lololors", b"alpha")
    assert [(edit.output.kind, edit.output.format) for edit in fake.requests] == [
        (images_pb2.OUTPUT_KIND_MASK, images_pb2.IMAGE_FORMAT_PNG),
        (images_pb2.OUTPUT_KIND_COLOR, images_pb2.IMAGE_FORMAT_JPEG),
    ]
    for edit in fake.requests:
        assert edit.output.HasField("crop")
        assert edit.output.fit_pixels == 25_000_000
        assert edit.image == PICTURE


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"type": "person"}, "person"),
        ({"type": "auto", "type_level": "2"}, "other"),
        ({"type": "car", "type_level": "latest"}, "car"),
        ({"type": "person", "type_level": "none"}, None),
    ],
)
async def test_the_type(
    http: aiohttp.ClientSession, fake: FakeImageService, fields: dict[str, Any], named: str | None
) -> None:
    response, _ = await post(http, **fields)
    assert response.headers.get("X-Type") == named


async def test_a_key_opens_the_door_and_pays_for_results(running_fake: RunningFake, tmp_path: Path) -> None:
    fake = running_fake.service
    fake.reset()
    url = f"sqlite:///{tmp_path / 'keys.sqlite'}"
    store = KeyStore(url)
    await store.start()
    issued = await store.add(NewKey("a shop", ("removebg",), per_minute=6, monthly=2))
    elsewhere = await store.add(NewKey("another", ("blur",)))
    key = {"X-Api-Key": issued.secret}
    async with run_adapter(running_fake.address, keys=url) as adapter, aiohttp.ClientSession(adapter.url) as http:
        assert await told(http, None) == (403, "auth_failed", "Missing API Key")
        assert await told(http, {"X-Api-Key": "wrong"}) == (403, "auth_failed", "API Key invalid")
        assert await told(http, {"X-Api-Key": elsewhere.secret}) == (403, "auth_failed", "API Key invalid")
        fake.behaviour = empty
        assert (await told(http, key))[1] == "unknown_foreground"  # Not charged.
        fake.reset()
        response, _ = await post(http, key)
        assert (response.status, response.headers["X-Credits-Charged"]) == (200, "1")
        assert (response.headers["X-RateLimit-Limit"], response.headers["X-RateLimit-Remaining"]) == ("6", "4")
        assert 0 <= int(response.headers["X-RateLimit-Reset"]) - time.time() <= 61
        assert await account(http, key) == {"total": 1, "subscription": 1, "payg": 0, "enterprise": 0}
        assert (await post(http, key))[0].status == 200
        assert await told(http, key) == (402, "insufficient_credits", "Insufficient credits")
        await told(http, key)
        await told(http, key)
        response, body = await post(http, key)
        assert (response.status, json.loads(body)["errors"][0]["code"]) == (429, "rate_limit_exceeded")
        assert response.headers["X-RateLimit-Remaining"] == "0"
        assert int(response.headers["Retry-After"]) >= 1
    await store.close()


async def told(http: aiohttp.ClientSession, headers: dict[str, str] | None) -> tuple[int, str, str]:
    response, body = await post(http, headers)
    error = json.loads(body)["errors"][0]
    return response.status, error["code"], error["title"]


async def account(http: aiohttp.ClientSession, headers: dict[str, str]) -> Any:
    async with http.get("/v1.0/account", headers=headers) as response:
        attributes = (await response.json())["data"]["attributes"]
    assert attributes["api"] == {"free_calls": 0, "sizes": "all"}
    return attributes["credits"]


async def test_the_account_is_for_those_with_a_key(http: aiohttp.ClientSession) -> None:
    async with http.get("/v1.0/account") as response:
        assert (response.status, (await response.json())["errors"][0]["code"]) == (403, "auth_failed")
