"""States of the playground, each brought about as a visitor would."""

import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from tests.support.clip_scenes import moving
from tests.support.clips import film
from tests.support.playground import Playground

State = Callable[[Playground], Awaitable[None]]


async def _find_it(_: Playground) -> None:
    """As it is found."""


async def _cut_out(playground: Playground) -> None:
    await playground.take_sample("astronaut")
    await playground.run()
    await playground.until("done")


async def _compose(playground: Playground) -> None:
    await playground.choose("background", "gradient")
    await playground.choose("shadow", "drop")
    await playground.take_sample("coffee")
    await playground.run()
    await playground.until("done")
    await playground.page.locator("#slider").fill("20")
    await playground.page.click("#code-python")


async def _work(playground: Playground) -> None:
    """The answer never comes."""
    await playground.take_sample("chelsea")
    await playground.until("ready")
    await playground.page.evaluate("void (fetch = () => new Promise(() => {}))")
    await playground.run()
    await playground.until("working")


async def _fail(playground: Playground) -> None:
    await playground.page.set_input_files(
        "#file", {"name": "letter.txt", "mimeType": "text/plain", "buffer": b"Dear Sir"}
    )
    await playground.until("error")


async def _owe(playground: Playground) -> None:
    await playground.choose("background", "color")
    await playground.take_sample("chelsea")
    await playground.run()
    await playground.until("payment")


async def _pay(playground: Playground) -> None:
    await _owe(playground)
    await playground.page.click("#pay")
    await playground.until("done")


async def _show_video(playground: Playground) -> None:
    await playground.page.click("#mode-video")
    with tempfile.TemporaryDirectory() as folder:
        await playground.upload(film(Path(folder) / "clip.mp4", moving(frames=24, size=(360, 640), step=4.0)))
        await playground.until("ready")
        await playground.run()
        await playground.until("payment")
        await playground.page.click("#pay")
        await playground.until("done")


STATES: Mapping[str, State] = {
    "found": _find_it,
    "cut-out": _cut_out,
    "composed": _compose,
    "working": _work,
    "error": _fail,
    "payment": _owe,
    "paid": _pay,
    "video": _show_video,
}
FREE = {"cut-out", "composed"}
"""Those that use a free picture. Those of payment come after them, when there is none left."""
