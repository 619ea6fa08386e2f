"""Lighthouse, run without a network on pages of our own."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.clients import FOLDER, NODE


@dataclass(frozen=True)
class Verdict:
    """What Lighthouse says of one page; 1 is the best that a category can score."""

    url: str
    scores: dict[str, float]
    findings: list[dict[str, Any]]


async def judge(debugging: str, urls: Sequence[str]) -> list[Verdict]:
    """Has Lighthouse judge `urls`, one after the other, in the browser that is debugged at `debugging`, HOST:PORT."""
    if not (FOLDER / "node_modules" / "lighthouse").exists():
        pytest.skip("Lighthouse is not installed; run: make test")
    process = await asyncio.create_subprocess_exec(
        *(NODE, str(FOLDER / "lighthouse.mjs"), debugging.rpartition(":")[2], *urls),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return [Verdict(**json.loads(line)) for line in output.decode().splitlines()]
