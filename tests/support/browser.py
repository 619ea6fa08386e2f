"""A real browser for tests: headless Chromium, and pages that fail a test by what a reader would not see."""

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, ViewportSize, async_playwright

DESKTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=360, height=740)
LIMIT_MS = 60_000  # For what must come in the end; a machine at work on other things may take long.

_REFUSED = "Failed to load resource: the server responded with a status of "
_OWN_SCHEMES = {"data", "blob", "about"}


@dataclass
class Watch:
    """What went wrong in the pages of a context, and what they asked for."""

    host: str
    """HOST:PORT, the only one that a page may speak to."""
    refusals: Sequence[int] = ()
    """Statuses that a test provokes: the browser writes every one of them to its console."""
    problems: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def attach(self, context: BrowserContext) -> None:
        """Watches every page of `context`."""
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.problems.append(f"uncaught: {error.error}"))
        context.on("request", self._see)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        expected = (f"{_REFUSED}{status} " for status in self.refusals)
        if not message.text.startswith(tuple(expected)):
            self.problems.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def _see(self, request: Request) -> None:
        self.requests.append(request)
        address = urlsplit(request.url)
        if address.scheme not in _OWN_SCHEMES and address.netloc != self.host:
            self.problems.append(f"asked another host: {request.url}")


@asynccontextmanager
async def launched(*arguments: str) -> AsyncIterator[Browser]:
    """The system's Chromium without a window; leaves the test out where there is none."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no browser on this machine; install chromium")
    # It runs as root, and in containers, whose shared memory may be small.
    options = ["--no-sandbox", "--disable-dev-shm-usage", *arguments]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=options)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def reading(
    browser: Browser, host: str, *, refusals: Sequence[int] = (), **options: Any
) -> AsyncIterator[tuple[Page, Watch]]:
    """A page for a reader who is new at `host`. At the end of the block: no error, no warning, no request elsewhere.

    `options` are those of a context of playwright's: a viewport, a colour scheme, a language.
    """
    context = await browser.new_context(
        **{"base_url": f"http://{host}", "viewport": DESKTOP, "locale": "en-US", "reduced_motion": "reduce", **options}
    )
    context.set_default_timeout(LIMIT_MS)
    watch = Watch(host, refusals)
    watch.attach(context)
    try:
        yield await context.new_page(), watch
    finally:
        await context.close()
    assert watch.problems == []
