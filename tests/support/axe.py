"""axe, the accessibility checker, run inside a page."""

from functools import cache
from typing import Any

import pytest
from playwright.async_api import Page

from tests.support.clients import FOLDER

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


async def find_barriers(page: Page, *rules: str) -> list[str]:
    """What axe objects to in the page as it stands, a line an element; with `rules`, by these rules alone."""
    await page.evaluate(_read_axe())  # Not a script of the page's: its policy would refuse that.
    only = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": _RULES}
    found: dict[str, Any] = await page.evaluate("only => axe.run({ runOnly: only, resultTypes: ['violations'] })", only)
    return [
        f"{violation['id']}: {node['target']}: {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


@cache
def _read_axe() -> str:
    file = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
    if not file.exists():
        pytest.skip("axe is not installed; run: make test")
    return file.read_text(encoding="utf-8")
