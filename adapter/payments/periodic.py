"""What is done again and again while the process lives."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)


async def every(interval_s: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do `work`, then wait `interval_s`, until cancelled. What it raises is logged, and ends one round only."""
    while True:
        round_ = asyncio.ensure_future(work())
        try:
            await asyncio.wait({round_})
        finally:
            round_.cancel()
        if (error := round_.exception()) is not None:
            _log.error("%s failed", work.__qualname__, exc_info=error)
        await asyncio.sleep(interval_s)
