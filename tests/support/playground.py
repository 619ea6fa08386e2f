"""The playground as its visitor handles it."""

from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import FilePayload, Locator, Page, expect

from tests.support.browser import LIMIT_MS


@dataclass(frozen=True)
class Playground:
    """The one in an open page."""

    page: Page

    async def open(self, language: str = "en") -> None:
        """Goes there, and waits until it can be used."""
        await self.page.goto(f"/{language}/playground")
        await expect(self.page.locator("#playground[data-ready]")).to_be_attached(timeout=LIMIT_MS)

    async def until(self, *states: str) -> None:
        """Waits until it is in one of these states."""
        wanted = ", ".join(f'#playground[data-state="{state}"]' for state in states)
        await expect(self.page.locator(wanted)).to_be_attached(timeout=LIMIT_MS)

    async def state(self) -> str:
        """What it is doing."""
        return str(await self.page.get_attribute("#playground", "data-state"))

    async def take_sample(self, name: str) -> None:
        """Takes one of the photos that are offered."""
        await self.page.locator(f'#samples button[data-sample="{name}"]').click()

    async def upload(self, *files: Path | FilePayload) -> None:
        """Chooses files of the visitor's own."""
        await self.page.set_input_files("#file", list(files))  # type: ignore[arg-type] # either kind

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

    @property
    def error(self) -> Locator:
        """What went wrong, in words."""
        return self.page.locator("#error")
