"""`python -m tools.screens`: every page and every state of the playground, by day and by night, on a desk and a phone.

Each becomes one picture, docs/screens/NAME.png, of the whole stack with its real model, on local chains.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pyvips
import typer
from playwright.async_api import Browser, Page, ViewportSize

from adapter.pages.catalog import LANDING, PAGES, PLAYGROUND
from adapter.pages.languages import DEFAULT, LANGUAGES
from cli.config import read_settings
from cli.programs import ProgramExitedError
from cli.stack import StackError, running_stack
from tests.support.browser import launched, reading
from tests.support.devnet import Wallet
from tests.support.playground import Playground
from tests.support.wallet import BrowserWallet
from tools.screens.states import FREE, STATES

_DESK, _PHONE = ViewportSize(width=1280, height=860), ViewportSize(width=390, height=860)
_LOOKS = (("light", _DESK), ("dark", _DESK), ("light", _PHONE), ("dark", _PHONE))
_BELOW = 340  # Pixels that more is seen of the playground, whose results stand under the picture.
_SCALE = 0.6  # Words can still be read.
_COVER = "playground-composed"  # Its first look is the README's picture too.
_SCALE_COVER = 0.75
_GAP = 32  # Pixels between two looks.
_PAPER = [128, 128, 128]


@dataclass(frozen=True)
class _Studio:
    browser: Browser
    host: str
    payer: Wallet
    out: Path
    whole: bool

    async def take_page(self, name: str, path: str) -> None:
        """A page as it opens."""
        async with reading(self.browser, self.host) as (page, _):
            await page.goto(path)
            await self._take_looks(name, page)

    async def take_state(self, name: str) -> None:
        """A state of the playground."""
        wallet = BrowserWallet(self.payer)
        async with reading(self.browser, self.host, refusals=[402]) as (page, _):
            await wallet.install(page.context)
            playground = Playground(page)
            await playground.open()
            await STATES[name](playground)
            await page.mouse.move(0, 0)
            await self._take_looks(f"playground-{name}", page, extra=_BELOW)

    async def _take_looks(self, name: str, page: Page, *, extra: int = 0) -> None:
        looks = []
        for scheme, viewport in _LOOKS:
            await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # one of the two
            await page.set_viewport_size({**viewport, "height": viewport["height"] + extra})
            await page.evaluate("scrollTo(0, 0)")
            data = await page.screenshot(full_page=self.whole, animations="disabled")
            looks.append(pyvips.Image.new_from_buffer(data, "").colourspace("srgb"))
        self._save(name, _join(looks).resize(_SCALE))
        if name == _COVER:
            self._save("playground", looks[0].resize(_SCALE_COVER))

    def _save(self, name: str, picture: pyvips.Image) -> None:
        file = self.out / f"{name}.png"
        picture.pngsave(str(file), palette=True, Q=80, effort=8, keep="none")
        typer.echo(f"{file}: {file.stat().st_size // 1024} KiB")


def _join(looks: list[pyvips.Image]) -> pyvips.Image:
    """The looks side by side."""
    sheet = looks[0]
    for look in looks[1:]:
        sheet = sheet.join(look, "horizontal", expand=True, shim=_GAP, background=_PAPER)
    return sheet


def main(
    out: Annotated[Path, typer.Option(help="Folder of the pictures.")] = Path("docs/screens"),
    only: Annotated[str, typer.Option(help="Only those with this in their name.")] = "",
    *,
    whole: Annotated[bool, typer.Option(help="Pages to their end, and not only what is seen first.")] = False,
) -> None:
    """Take a picture of every page and of every state of the playground."""
    out.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(_take_all(out, only, whole=whole))
    except (StackError, ProgramExitedError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


async def _take_all(out: Path, only: str, *, whole: bool) -> None:
    places = {page.slug: page.path(DEFAULT) for page in PAGES if page is not PLAYGROUND}
    translated = {f"index-{code}": LANDING.path(language) for code, language in LANGUAGES.items()}
    states = [name for name in STATES if only in f"playground-{name}"]
    async with _opened(out, whole=whole, free=len(FREE.intersection(states))) as studio:
        for name, path in (places | translated).items():
            if only in name and name != f"index-{DEFAULT.code}":
                await studio.take_page(name, path)
        for name in states:
            await studio.take_state(name)


@asynccontextmanager
async def _opened(out: Path, *, whole: bool, free: int) -> AsyncIterator[_Studio]:
    """The stack, where everybody pays but for so many pictures, and a browser."""
    os.environ |= {"CLEARCANVAS_FREE_PER_DAY": str(free)}
    with tempfile.TemporaryDirectory() as scratch:
        settings = read_settings(http="0.0.0.0:0", grpc="127.0.0.1:0", data=Path(scratch) / "data")
        async with running_stack(settings, sys.stderr, devnet=True) as stack, launched() as browser:
            chains = json.loads((settings.data / "devnet.json").read_text(encoding="utf-8"))
            payer = Wallet(chains["base"]["payer_key"], chains["base"]["payer"])
            yield _Studio(browser, stack.http.replace("0.0.0.0", "127.0.0.1"), payer, out, whole)  # noqa: S104 - replaced.


if __name__ == "__main__":
    typer.run(main)
