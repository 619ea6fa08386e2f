"""Public clients of remove.bg's API, changed in nothing but the address."""

import asyncio
import base64
import io
import json
import os
import sys
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from PIL import Image

from adapter.keys.key import NewKey
from adapter.keys.store import KeyStore
from tests.integration.adapter.process import run_adapter
from tests.support.clients import FOLDER, NODE
from tests.support.http import make_photo
from tests.support.stack import RunningStack

pytestmark = pytest.mark.usefixtures("client_packages")

SIDE = 640  # Its square is over a quarter of a million pixels, so that a preview is smaller.
PREVIEW = 500
NPM, PYPI = "removebg.mjs", "removebg_requests.py"


@dataclass(frozen=True)
class Door:
    """An adapter in front of the whole stack, and a key to it."""

    url: str
    key: str
    folder: Path

    async def call(self, client: str, kind: str, source: str | None = None, **options: Any) -> dict[str, Any]:
        """Runs a client once; what it says. The result is in `result`."""
        photo = self.folder / "photo.jpg"
        photo.write_bytes(make_photo(SIDE))
        self.result.unlink(missing_ok=True)
        process = await asyncio.create_subprocess_exec(
            sys.executable if client.endswith(".py") else NODE,
            *(str(FOLDER / client), self.url, kind, source or str(photo), str(self.result)),
            env=os.environ | {"API_KEY": self.key, "OPTIONS": json.dumps(options)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
        said: dict[str, Any] = json.loads(output.decode().splitlines()[-1])
        return said

    @property
    def result(self) -> Path:
        return self.folder / "result"


@pytest.fixture
async def door(stack: RunningStack, tmp_path: Path) -> AsyncIterator[Door]:
    url = f"sqlite:///{tmp_path / 'keys.sqlite'}"
    store = KeyStore(url)
    await store.start()
    issued = await store.add(NewKey("one who moves", ("removebg",), monthly=10))
    await store.close()
    async with run_adapter(stack.grpc, keys=url) as adapter:
        yield Door(adapter.url, issued.secret, tmp_path)


@pytest.mark.parametrize("client", [NPM, PYPI])
@pytest.mark.parametrize("kind", ["file", "base64"])
async def test_a_picture_without_its_background(door: Door, client: str, kind: str) -> None:
    said = await door.call(client, kind)
    assert said["errors"] == []
    with Image.open(door.result) as cutout:
        assert (cutout.format, cutout.mode, cutout.size) == ("PNG", "RGBA", (PREVIEW, PREVIEW))
        assert cutout.getpixel((PREVIEW // 2, PREVIEW // 2))[3] == 255  # type: ignore[index]
        assert cutout.getpixel((2, 2))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize(("client", "size"), [(NPM, "full"), (PYPI, "4k")])
async def test_a_color_behind_it_in_full_size(door: Door, client: str, size: str) -> None:
    await door.call(client, "file", size=size, bg_color="81d4fa")
    with Image.open(door.result) as picture:
        assert (picture.format, picture.size) == ("JPEG", (SIDE, SIDE))  # As `format=auto` has it.
        corner = picture.getpixel((2, 2))
        assert isinstance(corner, tuple)
        assert all(abs(value - wanted) <= 3 for value, wanted in zip(corner, (0x81, 0xD4, 0xFA), strict=True))


async def test_what_the_npm_client_reads_of_the_answer(door: Door) -> None:
    said = await door.call(NPM, "file", size="preview")
    result = said["result"]
    assert (result["resultWidth"], result["resultHeight"]) == (str(PREVIEW), str(PREVIEW))
    assert (result["creditsCharged"], result["detectedType"]) == ("1", "other")
    assert (result["rateLimit"], result["rateLimitRemaining"]) == ("60", "59")
    assert int(result["rateLimitReset"]) > 0


async def test_cut_to_the_subject_with_a_margin(door: Door) -> None:
    """The disc of the photo is two thirds of its side wide."""
    await door.call(NPM, "base64", size="full", crop=True, crop_margin="10px 20px")
    with Image.open(door.result) as cutout:
        width, height = cutout.size
    assert abs(width - (SIDE * 2 / 3 + 40)) <= 12
    assert abs(height - (SIDE * 2 / 3 + 20)) <= 12
    assert width - height == 20


async def test_scale_region_shadow_and_alpha(door: Door) -> None:
    half: dict[str, Any] = {"roi": "0% 0% 50% 100%", "channels": "alpha", "add_shadow": True, "size": "full"}
    await door.call(NPM, "base64", **half)
    with Image.open(door.result) as alpha:
        assert (alpha.mode, alpha.size) == ("L", (SIDE, SIDE))
        assert alpha.getpixel((SIDE // 2 - 20, SIDE // 2)) == 255
        assert alpha.getpixel((SIDE // 2 + 20, SIDE // 2)) == 0
    await door.call(NPM, "file", scale="30%", position="0% 0%", size="full")
    with Image.open(door.result) as cutout:
        box = cutout.getchannel("A").point([0] * 128 + [255] * 128).getbbox()
    assert box is not None
    assert max(box[:2]) <= 6
    assert all(abs(side - SIDE * 0.3) <= 6 for side in box[2:])


async def test_a_zip_holds_the_cut_out(door: Door) -> None:
    """No client asks for it in words of its own, so that this is a plain request."""
    form = {"image_file_b64": base64.b64encode(make_photo(SIDE)).decode(), "size": "full"}
    async with aiohttp.ClientSession(headers={"X-Api-Key": door.key}) as http:
        packed, whole = [
            await (await http.post(f"{door.url}/v1.0/removebg", json=form | {"format": kind})).read()
            for kind in ("zip", "png")
        ]
    with zipfile.ZipFile(io.BytesIO(packed)) as archive, Image.open(io.BytesIO(whole)) as cutout:
        colors, alpha = (Image.open(io.BytesIO(archive.read(name))) for name in ("color.jpg", "alpha.png"))
        assert (colors.format, colors.mode, alpha.format, alpha.mode) == ("JPEG", "RGB", "PNG", "L")
        assert alpha.tobytes() == cutout.getchannel("A").tobytes()
        seen = np.asarray(alpha) > 0
        difference = np.asarray(colors)[seen].astype(int) - np.asarray(cutout.convert("RGB"))[seen]
        assert np.abs(difference).mean() < 4


@pytest.mark.parametrize("client", [NPM, PYPI])
async def test_a_url_inside_is_not_fetched(door: Door, client: str) -> None:
    said = await door.call(client, "url", f"{door.url}/health")
    assert [(error["code"], error["title"]) for error in said["errors"]] == [
        ("failed_image_download", "Failed to download image from given image_url")
    ]
    assert not door.result.exists()


@pytest.mark.parametrize("client", [NPM, PYPI])
async def test_a_wrong_parameter_reaches_the_user(door: Door, client: str) -> None:
    said = await door.call(client, "file", size="huge")
    assert [error["code"] for error in said["errors"]] == ["invalid_size"]


async def test_a_wrong_key_reaches_the_user(door: Door) -> None:
    stranger = Door(door.url, "no-key", door.folder)
    for client in (NPM, PYPI):
        said = await stranger.call(client, "file")
        assert said["errors"] == [{"title": "API Key invalid", "code": "auth_failed"}]
