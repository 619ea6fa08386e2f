"""Large pictures through everything: too large for the forms, taken as jobs, fetched in parts; and what is refused."""

import io

import aiohttp
import numpy as np
import pytest
from PIL import Image

from tests.support.clip_scenes import flat
from tests.support.clips import film
from tests.support.http import make_photo, post_photo
from tests.support.stack import RunningStack

SIDE = 2304  # Over 2048 × 2048.
COLOR = (10, 200, 30)


@pytest.fixture(scope="module")
def photo() -> bytes:
    return make_photo(SIDE)


async def send(
    session: aiohttp.ClientSession, path: str, file: bytes, headers: dict[str, str] | None = None, **fields: str
) -> tuple[int, dict[str, str]]:
    form = aiohttp.FormData(fields)
    form.add_field("video" if "video" in path else "image", file, filename="a", content_type="video/mp4")
    async with session.post(path, data=form, headers=headers) as response:
        return response.status, await response.json()


@pytest.mark.case("J9")
async def test_a_picture_too_large_for_the_forms_is_a_job(stack: RunningStack, photo: bytes) -> None:
    async with aiohttp.ClientSession(stack.url("/")) as session:
        refused = await post_photo(session, stack, photo)
        assert (refused.status, refused.body) == (
            400,
            b'{"message": "Image too large for regular processing. Use HD endpoint."}',
        )
        fields = {"operation": "color", "bgcolor": ",".join(map(str, COLOR))}
        name = {"Idempotency-Key": "one order"}
        status, words = await send(session, "/image/hd/submit/v1", photo, name, **fields)
        again = await send(session, "/image/hd/submit/v1", photo, name, **fields)
        assert again == (status, words)
        assert status == 202
        async with session.get(f"/jobs/{words['uuid']}/events") as events:
            assert "event: success" in await events.text()
        path = f"/image/hd/result/{words['uuid']}"
        async with session.head(path) as head:
            size = int(head.headers["Content-Length"])
        parts = []
        for wanted in (f"bytes=0-{size // 2}", f"bytes={size // 2 + 1}-"):
            async with session.get(path, headers={"Range": wanted}) as response:
                assert (response.status, response.headers["X-Width"]) == (206, str(SIDE))
                parts.append(await response.read())
        result = np.asarray(Image.open(io.BytesIO(b"".join(parts))))
        assert result.shape == (SIDE, SIDE, 3)
        assert tuple(result[5, 5]) == COLOR
        async with session.get(path) as response:  # Both parts were all of it.
            assert (response.status, await response.json()) == (404, {"detail": "Processed image file not found"})
        async with session.delete(f"/jobs/{words['uuid']}") as response:
            assert response.status == 204
        async with session.get(path) as response:
            assert (response.status, await response.json()) == (404, {"detail": "Task not found"})


@pytest.mark.parametrize("file", [b"no picture", b"GIF89a" + bytes(100)], ids=["words", "gif"])
async def test_what_is_no_picture_is_refused(stack: RunningStack, file: bytes) -> None:
    async with aiohttp.ClientSession(stack.url("/")) as session:
        assert await send(session, "/image/hd/submit/v1", file) == (400, {"detail": "Invalid image file"})


@pytest.mark.case("V1")
@pytest.mark.parametrize(
    "file",
    [
        b"no video",
        b"\x00\x00\x00\x18ftypmp42" + bytes(64),
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        make_photo(64),
    ],
)
async def test_what_is_no_video_is_refused_with_a_sentence(stack: RunningStack, file: bytes) -> None:
    async with aiohttp.ClientSession(stack.url("/")) as session:
        status, words = await send(session, "/video/submit/v1", file)
    assert (status, set(words)) == (400, {"detail"})
    assert words["detail"].endswith((".", "video"))


async def test_a_background_that_is_no_picture_is_refused(
    stack: RunningStack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    clip = film(tmp_path_factory.mktemp("flat") / "a.mp4", flat(frames=3))
    form = aiohttp.FormData({})
    form.add_field("video", clip.read_bytes(), filename="a.mp4", content_type="video/mp4")
    form.add_field("background", b"no picture", filename="b.png", content_type="image/png")
    async with (
        aiohttp.ClientSession(stack.url("/")) as session,
        session.post("/video/submit/v1", data=form) as response,
    ):
        assert (response.status, set(await response.json())) == (400, {"detail"})
