"""Work on copies: what a version would have answered is compared with what did answer. Answers stay as they are."""

import asyncio
import logging
import os
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path

from cards.target import Target
from server.errors import ServiceError, StoreUnavailableError
from server.lifecycle.findings import Copies, Findings, Pair
from server.lifecycle.ports import MatteMaker, Traffic
from server.workers.workspace import Workspace

logger = logging.getLogger(__name__)

# One copy at a time: it takes two inferences, and whoever waits for an answer comes first. What is due meanwhile is
# counted as left out.
AT_ONCE = 1

SOURCE = "source"


class Mirrors:
    """Takes copies of pictures that were answered, and has both versions work on them, as jobs do."""

    def __init__(self, traffic: Traffic, mattes: MatteMaker, findings: Findings, memory: Workspace) -> None:
        """`memory`: where pictures lie while they are worked on; a copy is another name for the same file."""
        self._traffic = traffic
        self._mattes = mattes
        self._findings = findings
        self._memory = memory
        self._at_work: set[asyncio.Task[None]] = set()
        self._skipped: Counter[Pair] = Counter()

    def answered(self, name: str, by: Target, request_id: str, source: Path) -> None:
        """Take a copy of the encoded picture at `source`, if it is due. Returns at once, and never raises.

        `name`: as the request said; `by`: the version that answered.
        """
        route = self._traffic.route(name)
        if route is None or route.mirror is None or route.mirror.target == by or not route.mirrors(request_id):
            return
        pair = Pair(name, route.mirror.target, by)
        if len(self._at_work) >= AT_ONCE:
            self._skipped[pair] += 1
            return
        with ExitStack() as opened:
            folder = opened.enter_context(self._memory.folder())
            try:
                os.link(source, folder / SOURCE)
            except OSError:
                self._skipped[pair] += 1
                return
            task = asyncio.create_task(self._work(pair, folder))
            self._at_work.add(task)
            left = opened.pop_all()
        left.callback(self._at_work.discard, task)
        task.add_done_callback(lambda _: left.close())

    async def finished(self) -> None:
        """Wait until no copy is at work."""
        await asyncio.gather(*self._at_work, return_exceptions=True)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._at_work:
            task.cancel()
        await self.finished()

    async def _work(self, pair: Pair, folder: Path) -> None:
        try:
            found = await self._compared(pair, folder)
        except ServiceError as error:  # Of the version that answered, or of this server: that is no finding.
            logger.warning("a copy for %s was not compared: %s", pair.candidate, error)
            found = Copies(skipped=1)
        skipped = self._skipped.pop(pair, 0)
        with suppress(StoreUnavailableError):
            await self._findings.add(pair, found)
            if skipped:
                await self._findings.add(pair, Copies(skipped=skipped))

    async def _compared(self, pair: Pair, folder: Path) -> Copies:
        source, answered, candidate = folder / SOURCE, folder / "answered.png", folder / "candidate.png"
        answered_s = await self._mattes.make(pair.answered, source, answered)
        try:
            candidate_s = await self._mattes.make(pair.candidate, source, candidate)
        except ServiceError as error:
            logger.warning("%s failed on a copy: %s", pair.candidate, error)
            return Copies(failed=1)
        difference = await self._mattes.difference(answered, candidate)
        return Copies(1, 0, 0, difference, difference, candidate_s, answered_s)
