"""The playground as its visitor handles it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, FilePayload, Page, expect

from tests.support.browser import LIMIT_MS, Watch, reading
from tests.support.clip_scenes import moving
from tests.support.clips import film
from tests.support.http import make_photo


@dataclass(frozen=True)
class Playground:
    """The one in an open page."""

    page: Page

    async def open(self, language: str = "en") -> None:
        """Goes there, and waits until it can be used."""
        await self.page.goto(f"/{language}/playground")
        await expect(self.page.locator("#playground[data-ready]")).to_be_attached(timeout=LIMIT_MS)

    async def until(self, wanted: str) -> None:
        """Waits until it is in a state; fails with what it says where that is an error."""
        ends = ", ".join(f'#playground[data-state="{state}"]' for state in (wanted, "error"))
        await expect(self.page.locator(ends)).to_be_attached(timeout=LIMIT_MS)
        error = self.page.locator("#error")
        assert wanted == "error" or not await error.is_visible(), await error.inner_text()

    async def take_sample(self, name: str) -> None:
        """Takes one of the photos that are offered."""
        await self.page.locator(f'#samples button[data-sample="{name}"]').click()

    async def upload(self, file: Path | FilePayload) -> None:
        """Chooses a file of the visitor's own."""
        await self.page.set_input_files("#file", file)

    async def choose(self, name: str, value: str) -> None:
        """Chooses one of several: a background, a shadow."""
        await self.page.locator(f'#options input[name="{name}"][value="{value}"]').check()

    async def run(self) -> None:
        """Asks for the picture."""
        await self.page.locator("#run").click()

    async def read_pixel(self, x: float, y: float) -> tuple[int, int, int, int]:
        """Red, green, blue and alpha of the result, at a place from its left and top: 0 to 1."""
        red, green, blue, alpha = await self.page.evaluate(
            """([x, y]) => {
              const picture = document.querySelector('#after')
              const canvas = new OffscreenCanvas(picture.naturalWidth, picture.naturalHeight)
              const context = canvas.getContext('2d')
              context.drawImage(picture, 0, 0)
              const [left, top] = [x * (canvas.width - 1), y * (canvas.height - 1)]
              return [...context.getImageData(left, top, 1, 1).data]
            }""",
            [x, y],
        )
        return red, green, blue, alpha


@asynccontextmanager
async def visiting(
    browser: Browser, host: str, language: str = "en", **more: Any
) -> AsyncIterator[tuple[Playground, Watch]]:
    """The playground at `host` for a new visitor; `more` as of `reading`."""
    async with reading(browser, host, **more) as (page, watch):
        playground = Playground(page)
        await playground.open(language)
        yield playground, watch


def posted(watch: Watch) -> list[str]:
    """Where something was sent to, in order."""
    return [request.url.partition(watch.host)[2] for request in watch.requests if request.method == "POST"]


def payload(data: bytes, name: str, kind: str) -> FilePayload:
    """A file to choose."""
    return {"name": name, "mimeType": kind, "buffer": data}


def photo_file(side: int = 256) -> FilePayload:
    """A photo that the toy model cuts out: a bright disc over the dark."""
    return payload(make_photo(side), "photo.jpg", "image/jpeg")


def clip_file(folder: Path) -> FilePayload:
    """A clip of half a second, made in `folder`."""
    return payload(film(folder / "clip.mp4", moving()).read_bytes(), "clip.mp4", "video/mp4")
