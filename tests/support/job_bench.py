"""Jobs in the test's own process, with a fake runner, and periods that a test can wait for."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from server.jobs.jobs import Jobs
from server.jobs.ports import Errand, Store
from server.jobs.record import Kind, Order, Record
from server.jobs.settings import JobSettings, Periods, Retention
from server.jobs.store import JobStore
from tests.support.fake_runner import FakeRunner

HOUR = 3600
QUICK = Periods(
    beat=0.2,
    dead=2.0,
    poll=0.05,
    queue=0.1,
    retry=(0.05, 0.05),
    later=(0.05, 0.05),
    errand=(0.05, 0.05),
    sweep=HOUR,
    strays=HOUR,
)
"""Sweeps are called by the test: the machine's own come too seldom to disturb it."""
RETENTION = Retention(result=timedelta(hours=24), files=timedelta(hours=2), record=timedelta(hours=48))


class Clock:
    """The machine's clock, set by the test."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


@dataclass
class Bench:
    """All that a test of jobs needs."""

    jobs: Jobs
    store: Store
    runner: FakeRunner
    clock: Clock
    source: Path  # the input of every job

    async def submit(self, order: Order) -> Record:
        """Accept `order` with the usual input."""
        return await self.jobs.submit(order, {"input": self.source})

    async def end(self, order: Order) -> Record:
        """Wait for the end of a job."""
        return [record async for record in self.jobs.watch(order.id, order.owner)][-1]

    async def paths(self, order: Order) -> list[str]:
        """The files of a job in the store."""
        return sorted([path async for path in self.store.list_paths(f"jobs/{order.id}/")])

    async def cleared_up(self, order: Order) -> None:
        """Wait until a job has no files."""
        while await self.paths(order):  # noqa: ASYNC110 - files, not events.
            await asyncio.sleep(0.02)

    async def hours(self, count: int) -> None:
        """Let time pass, with a sweep every hour."""
        for _ in range(count):
            self.clock.time += HOUR
            await self.jobs.sweeper.sweep()


@asynccontextmanager
async def open_bench(
    url: str, folder: Path, errands: Sequence[Errand] = (), store: Store | None = None
) -> AsyncIterator[Bench]:
    """Jobs at work, until the end of the block."""
    source, clock = folder / "input", Clock()
    source.write_text("the input")
    store = store or JobStore(f"file://{folder}/store")
    runner = FakeRunner(store, folder / "journal")
    slots = {Kind.IMAGE: 4, Kind.VIDEO: 1}
    timeouts = {Kind.IMAGE: 30.0, Kind.VIDEO: 0.5}
    settings = JobSettings(url, slots, timeouts, RETENTION, QUICK)
    jobs = Jobs(settings, store, runner, errands, clock)
    await jobs.start()
    try:
        yield Bench(jobs, store, runner, clock, source)
    finally:
        await jobs.close()
