"""Videos through everything: submitted over HTTP, worked on as jobs, fetched, and decoded again."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import aiohttp
import numpy as np
import pytest
import pyvips
from multidict import CIMultiDictProxy
from numpy.typing import NDArray
from PIL import Image

from tests.support.clip_scenes import Scene
from tests.support.clips import Sound, beeps_of, decoded_frames, film
from tests.support.stack import RunningStack

Frames = list[tuple[float, NDArray[np.uint8]]]

RATE, COUNT = 25, 12
HEIGHT, WIDTH, SIDE, TOP = 96, 160, 48, 24
GREEN = (0, 177, 64)
EDGE = 6  # Pixels to both sides of the subject's edge that are not judged: codecs and refinement soften it.
BEEP_S = 0.2


def gliding(frames: int = COUNT) -> Scene:
    """A bright square, which is subject to the toy model, that moves to the right over a dark ground."""
    pictures = []
    for number in range(frames):
        picture = np.full((HEIGHT, WIDTH, 3), (16, 24, 60), np.uint8)
        picture[TOP : TOP + SIDE, left_of(number) : left_of(number) + SIDE] = (240, 226, 200)
        pictures.append(picture)
    return Scene(pictures)


def left_of(number: int) -> int:
    return 12 + 6 * (number % COUNT)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "gliding.mp4"
    return film(path, gliding(), sound=Sound.AAC, beeps=(BEEP_S,), rate=RATE)


async def process(
    stack: RunningStack, video: Path, **fields: str
) -> tuple[dict[str, str], CIMultiDictProxy[str], bytes]:
    """Submit a video, wait for its end as a browser would, and fetch it: the words of the submit, headers, bytes."""
    async with aiohttp.ClientSession(stack.url("/")) as session:
        form = aiohttp.FormData(fields)
        form.add_field("video", video.read_bytes(), filename=video.name, content_type="video/mp4")
        async with session.post("/video/submit/v1", data=form) as response:
            assert response.status == 202, await response.text()
            words = await response.json()
        async with session.get(f"/jobs/{words['uuid']}/events") as events:
            told = await events.text()
        assert '"status": "success"' in told.replace('":"', '": "'), told
        async with session.get(f"/video/result/{words['uuid']}") as response:
            assert response.status == 200
            return words, response.headers, await response.read()


def animation(path: Path) -> Frames:
    first = pyvips.Image.new_from_file(str(path), n=-1)
    delays = first.get("delay")
    pages = first.numpy().reshape(first.get("n-pages"), HEIGHT, WIDTH, 4)
    return [(sum(delays[:number]) / 1000, page) for number, page in enumerate(pages)]


def pictures(path: Path) -> Frames:
    with zipfile.ZipFile(path) as files:
        listed = json.loads(files.read("frames.json"))["frames"]
        return [(frame["time_s"], np.asarray(Image.open(files.open(frame["file"])))) for frame in listed]


def inside(number: int) -> tuple[slice, slice]:
    """Where there is nothing but subject."""
    left = left_of(number)
    return slice(TOP + EDGE, TOP + SIDE - EDGE), slice(left + EDGE, left + SIDE - EDGE)


def outside(picture: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """All pixels, (N, 4), of which none is near the subject."""
    left = left_of(number)
    far = np.ones(picture.shape[:2], np.bool_)
    far[TOP - EDGE : TOP + SIDE + EDGE, max(left - EDGE, 0) : left + SIDE + EDGE] = False
    return picture[far]


READERS: dict[str, tuple[str, Callable[[Path], Frames]]] = {
    "webm": ("video/webm", lambda path: decoded_frames(path, "libvpx-vp9")),
    "webp": ("image/webp", animation),
    "zip": ("application/zip", pictures),
}


@pytest.mark.parametrize("form", READERS)
async def test_a_video_without_its_background(stack: RunningStack, clip: Path, tmp_path: Path, form: str) -> None:
    media_type, read = READERS[form]
    words, headers, data = await process(stack, clip, format=form, matting="quality")
    assert words["duration"] == f"{COUNT / RATE:.2f}s"
    assert "warning" not in words
    assert headers["Content-Type"] == media_type
    assert headers["Content-Disposition"] == f"attachment; filename=processed_{words['uuid']}.{form}"
    assert headers["X-Matting"] == "quality"
    result = tmp_path / f"result.{form}"
    result.write_bytes(data)
    frames = read(result)
    assert len(frames) == COUNT
    for number, (time_s, picture) in enumerate(frames):
        assert time_s == pytest.approx(number / RATE, abs=0.5 / RATE)
        assert picture.shape == (HEIGHT, WIDTH, 4)
        assert picture[inside(number)][..., 3].min() >= 250, number
        assert outside(picture, number)[:, 3].max() <= 5, number
    if form == "webm":  # The others are silent.
        assert beeps_of(result) == pytest.approx([BEEP_S], abs=1 / RATE)


async def test_a_video_over_a_colour(stack: RunningStack, clip: Path, tmp_path: Path) -> None:
    colour = ",".join(map(str, GREEN))
    words, headers, data = await process(stack, clip, bg_color=colour)
    assert headers["Content-Type"] == "video/mp4"
    assert headers["Content-Disposition"] == f"attachment; filename=processed_{words['uuid']}.mp4"
    assert headers["X-Matting"] == "fast", "both models are the same one here, and agree"
    result = tmp_path / "result.mp4"
    result.write_bytes(data)
    frames = decoded_frames(result)
    assert len(frames) == COUNT
    for number, (time_s, picture) in enumerate(frames):
        assert time_s == pytest.approx(number / RATE, abs=0.5 / RATE)
        assert np.abs(outside(picture, number)[:, :3].mean(axis=0) - GREEN).max() <= 3
        assert np.abs(picture[inside(number)][..., :3].mean(axis=(0, 1)) - (240, 226, 200)).max() <= 6
    assert beeps_of(result) == pytest.approx([BEEP_S], abs=1 / RATE)


async def test_a_video_over_the_limit_is_trimmed(stack: RunningStack, tmp_path: Path) -> None:
    long = film(tmp_path / "long.mp4", gliding(52), rate=10, sound=Sound.AAC, beeps=(1.0, 4.6))
    words, headers, data = await process(stack, long, format="webm", matting="fast")
    assert words["duration"] == "5.20s"
    assert words["processed_duration"] == "4s"
    assert words["warning"] == "Video duration (5.20s) exceeds 4s limit. Only the first 4s will be processed."
    assert headers["X-Video-Warning"] == "Original video (5.20s) was trimmed to 4 seconds"
    assert (headers["X-Original-Duration"], headers["X-Processed-Duration"]) == ("5.20s", "4.00s")
    result = tmp_path / "result.webm"
    result.write_bytes(data)
    frames = decoded_frames(result, "libvpx-vp9")
    assert len(frames) == 40
    assert frames[-1][0] == pytest.approx(3.9, abs=0.05)
    assert beeps_of(result) == pytest.approx([1.0], abs=0.1)
