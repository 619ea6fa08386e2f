"""The playground in a real browser, on a real stack: what a visitor does, sees, copies and pays."""

import asyncio
import io
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import Browser, JSHandle, Page, expect

from adapter.pages.languages import LANGUAGES
from tests.support.axe import find_barriers
from tests.support.browser import LIMIT_MS, PHONE
from tests.support.clients import FOLDER, NODE
from tests.support.playground import clip_file, payload, photo_file, posted, visiting
from tests.support.stack import RunningStack, running_stack
from tests.support.toy_generation import write_toy_generation
from tests.support.toy_model import write_toy_model

pytestmark = pytest.mark.usefixtures("client_packages")

GREEN = (0, 177, 64, 255)
CLEAR = (0, 0, 0, 0)


PHOTO = photo_file()


def make_wall(side: int) -> bytes:
    """A green picture; over the length that one argument of a command may have where it is large."""
    wall = io.BytesIO()
    Image.new("RGB", (side, side), GREEN[:3]).save(wall, "PNG", compress_level=0)
    return wall.getvalue()


@pytest.fixture(scope="module")
def stack(triton_env: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """One with a model that paints, open to all on this machine."""
    repository = tmp_path_factory.mktemp("playground") / "repository"
    write_toy_model(repository)
    write_toy_generation(repository, "painter")
    environment = {
        "CLEARCANVAS_TRITON_ENV": str(triton_env),
        "CLEARCANVAS_FAST_MODEL": "toy",
        "CLEARCANVAS_GENERATION_MODEL": "painter",
    }
    with running_stack(repository, "toy", tmp_path_factory.mktemp("stack"), environment) as running:
        yield running


async def transfer(page: Page) -> JSHandle:
    """What a drop or a paste brings: the photo."""
    return await page.evaluate_handle(
        """bytes => {
          const transfer = new DataTransfer()
          transfer.items.add(new File([new Uint8Array(bytes)], 'photo.jpg', { type: 'image/jpeg' }))
          return transfer
        }""",
        list(PHOTO["buffer"]),
    )


@pytest.mark.parametrize("way", ["chosen", "dropped", "pasted", "sample"])
async def test_a_photo_comes_in_and_its_cutout_is_there(browser: Browser, stack: RunningStack, way: str) -> None:
    async with visiting(browser, stack.http) as (playground, watch):
        page = playground.page
        match way:
            case "chosen":
                await playground.upload(PHOTO)
            case "dropped":
                await page.dispatch_event("#drop", "drop", {"dataTransfer": await transfer(page)})
            case "pasted":
                paste = "clipboardData => document.dispatchEvent(new ClipboardEvent('paste', { clipboardData }))"
                await page.evaluate(paste, await transfer(page))
            case "sample":
                await playground.take_sample("astronaut")
        await playground.until("done")
        assert posted(watch) == ["/image/matte/v1"]
        await expect(page.locator("#timing li")).not_to_have_count(0)
        if way != "sample":
            assert await playground.read_pixel(0, 0) == CLEAR
            assert (await playground.read_pixel(0.5, 0.5))[3] == 255


async def test_the_slider_lays_the_result_over_the_photo(browser: Browser, stack: RunningStack) -> None:
    async with visiting(browser, stack.http, color_scheme="light") as (playground, _):
        page = playground.page
        await playground.upload(PHOTO)
        await playground.until("done")
        slider, figure = page.locator("#slider"), page.locator("#compare")
        await slider.focus()
        await page.keyboard.press("Home")
        await expect(slider).to_have_value("0")
        box = await slider.bounding_box()
        assert box is not None
        await page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
        middle = float(await slider.input_value())
        assert 45 <= middle <= 55
        shown = np.asarray(Image.open(io.BytesIO(await figure.screenshot())).convert("L"))
        across = shown[shown.shape[0] // 2]  # Below the labels.
        assert across[len(across) // 25] < 60, "on the left, the photo's dark ground"
        assert across[-len(across) // 25] > 180, "on the right, the checkerboard"
        await page.keyboard.press("ArrowRight")
        assert float(await slider.input_value()) > middle


@dataclass(frozen=True)
class Choice:
    """What is chosen, what is asked for, and the colour that lies in the top left corner then."""

    background: str
    path: str
    corner: tuple[int, int, int, int] | None
    shadow: str = "none"
    fields: Mapping[str, str] = field(default_factory=dict)


CHOICES = (
    Choice("none", "/image/shadow/v1", CLEAR, shadow="drop"),
    Choice("color", "/image/color/v1", GREEN, fields={"bgcolor": "#00b140"}),
    Choice("gradient", "/image/gradient/v1", GREEN, fields={"hexColor1": "#00b140", "hexColor2": "#0000ff"}),
    Choice("blur", "/image/blur/v1", None, fields={"radius": "40"}),
    Choice("picture", "/image/picture/v1", GREEN),
    Choice("generate", "/image/generate/v1", None, fields={"prompt": "a wall"}),
)


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.path.split("/")[2])
async def test_each_operation(browser: Browser, stack: RunningStack, choice: Choice) -> None:
    async with visiting(browser, stack.http) as (playground, watch):
        await playground.choose("background", choice.background)
        await playground.choose("shadow", choice.shadow)
        for name, value in choice.fields.items():
            await playground.page.fill(f"#{name}", value)
        if choice.background == "picture":
            await playground.page.set_input_files("#background-file", payload(make_wall(64), "wall.png", "image/png"))
        await playground.upload(PHOTO)
        await playground.until("done")
        cut_first = ["/image/matte/v1"] if choice.background == "generate" else []
        assert posted(watch) == [*cut_first, choice.path]
        corner = await playground.read_pixel(0, 0)
        assert corner == pytest.approx(choice.corner or corner, abs=3)
        assert (corner[3] == 255) is (choice.background != "none")
        assert min(await playground.read_pixel(0.5, 0.5)) > 200


async def test_a_large_photo_is_a_job(browser: Browser, stack: RunningStack) -> None:
    async with visiting(browser, stack.http) as (playground, watch):
        await playground.upload(photo_file(2080))
        await playground.until("done")
        assert posted(watch) == ["/image/hd/submit/v1"]
        await expect(playground.page.locator('dd[data-fact="pixels"]')).to_have_text("2,080 × 2,080")


# grpcurl cannot be had where the tests run: its arguments as buf takes them. What is asked, and of what, is the same.
GRPCURL = """#!/bin/sh
[ "$1 $2 $3" = '-plaintext -d @' ] && exec buf curl --protocol grpc --http2-prior-knowledge -d @- "http://$4/$5"
"""


@pytest.mark.parametrize("background", ["color", "picture"])
async def test_what_is_copied_makes_what_is_shown(
    browser: Browser, stack: RunningStack, tmp_path: Path, background: str
) -> None:
    wall = make_wall(512)
    async with visiting(browser, stack.http) as (playground, _):
        page = playground.page
        await playground.choose("background", background)
        await playground.choose("shadow", "drop")
        if background == "picture":
            await page.set_input_files("#background-file", payload(wall, "wall.png", "image/png"))
        else:
            await page.fill("#bgcolor", "#00b140")
        await page.check("#crop")
        await playground.upload(PHOTO)
        await playground.until("done")
        async with page.expect_download() as saving:
            await page.click("#download")
        shown = (await (await saving.value).path()).read_bytes()
        codes = {}
        for name in ("curl", "python", "typescript", "grpcurl"):
            await page.click(f"#code-{name}")
            codes[name] = await page.locator("#code").inner_text()
    (tmp_path / "photo.jpg").write_bytes(PHOTO["buffer"])
    (tmp_path / "wall.png").write_bytes(wall)
    (tmp_path / "grpcurl").write_text(GRPCURL)
    (tmp_path / "grpcurl").chmod(0o755)
    path = os.pathsep.join((str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]))
    tsx = str(FOLDER / "node_modules" / "tsx" / "dist" / "cli.mjs")
    shell = ["bash", "-o", "pipefail"]
    programs = {"curl": shell, "python": [sys.executable], "typescript": [NODE, tsx], "grpcurl": shell}
    for name, program in programs.items():
        file = tmp_path / {"python": "run.py", "typescript": "run.mts"}.get(name, "run.sh")
        file.write_text(codes[name], encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            *program, str(file), cwd=tmp_path, env=os.environ | {"PATH": path}
        )
        assert await process.wait() == 0, codes[name]
        assert (tmp_path / "result.png").read_bytes() == shown, name
        (tmp_path / "result.png").unlink()


async def test_what_is_wrong_is_said_in_words(browser: Browser, stack: RunningStack) -> None:
    async with visiting(browser, stack.http, refusals=[415]) as (playground, watch):
        page = playground.page
        await playground.upload(payload(b"Dear Sir", "letter.txt", "text/plain"))
        await playground.until("error")
        await expect(page.locator("#error-title")).to_have_text("That is not a PNG, JPEG or WebP picture.")
        assert posted(watch) == [], "what cannot be is not sent"
        await playground.choose("background", "picture")
        await page.set_input_files("#background-file", payload(b"no picture", "wall.png", "image/png"))
        await playground.upload(PHOTO)
        await expect(page.locator("#error-title")).to_have_text("The service does not take this kind of file.")
        await expect(page.locator("#error-detail")).not_to_be_empty()
        assert await find_barriers(page) == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_it_speaks_each_language(browser: Browser, stack: RunningStack, language: str) -> None:
    words = tomllib.loads(Path(f"adapter/pages/text/{language}/playground.toml").read_text(encoding="utf-8"))
    async with visiting(browser, stack.http, language, viewport=PHONE, color_scheme="dark") as (playground, _):
        page = playground.page
        await playground.upload(PHOTO)
        await playground.until("done")
        await expect(page.locator("#status")).to_have_text(words["run"]["done"])
        await expect(page.locator("#download")).to_have_text(words["stage"]["download"])
        assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        assert await find_barriers(page) == []
        await playground.upload(payload(b"Dear Sir", "letter.txt", "text/plain"))
        await expect(page.locator("#error-title")).to_have_text(words["errors"]["not_picture"])


async def test_the_keyboard_is_enough(browser: Browser, stack: RunningStack) -> None:
    async with visiting(browser, stack.http) as (playground, watch):
        page = playground.page

        async def tab_to(selector: str) -> None:
            for _ in range(100):
                await page.keyboard.press("Tab")
                if await page.evaluate("selector => document.activeElement.matches(selector)", selector):
                    return
            raise AssertionError(f"Tab never comes to {selector}")

        await tab_to('[data-sample="coffee"]')
        await page.keyboard.press("Enter")
        await playground.until("done")
        await tab_to("#slider")
        await page.keyboard.press("ArrowLeft")
        await expect(page.locator("#slider")).not_to_have_value("50")
        await tab_to('[name="background"]')
        async with page.expect_response("**/image/color/v1"):
            await page.keyboard.press("ArrowRight")
        await playground.until("done")
        assert posted(watch) == ["/image/matte/v1", "/image/color/v1"]


async def test_a_video_with_its_progress(browser: Browser, stack: RunningStack, tmp_path: Path) -> None:
    async with visiting(browser, stack.http) as (playground, watch):
        page = playground.page
        await page.click("#mode-video")
        await playground.upload(clip_file(tmp_path))
        await playground.until("ready")
        await playground.run()
        await playground.until("done")
        assert posted(watch) == ["/video/submit/v1"]
        assert "eventsource" in {request.resource_type for request in watch.requests}
        ready = "() => document.querySelector('#video-after').readyState >= 2"
        await page.wait_for_function(ready, timeout=LIMIT_MS)
        assert await page.evaluate("document.querySelector('#video-after').videoWidth") > 0
        assert await find_barriers(page) == []
