"""Many workers at the same jobs, on both databases."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TypeVar

import pytest
from sqlalchemy import Connection, insert

from server.errors import StoreUnavailableError
from server.jobs.database import Database
from server.jobs.fence import Fence
from server.jobs.record import Outcome
from server.jobs.rows import new_row
from server.jobs.schema import jobs
from server.jobs.settings import Retention
from tests.support.fake_runner import make_order

T = TypeVar("T")

WORKERS, SERVERS, JOBS = 50, 2, 1000
WALL = 1.8e9


@pytest.fixture
async def fences(database: str) -> AsyncIterator[list[Fence]]:
    """What two servers have of one database."""
    databases = [Database(database) for _ in range(SERVERS)]
    for each in databases:
        await each.start()
    yield [Fence(each, Retention(), lambda: WALL) for each in databases]
    for each in databases:
        await each.close()


@pytest.mark.case("J3")
async def test_fifty_workers_make_one_result_of_each_of_a_thousand_jobs(database: str, fences: list[Fence]) -> None:
    orders = [make_order() for _ in range(JOBS)]
    await _enter(database, [new_row(order, WALL, 0.0) for order in orders])
    # Every job is offered twice, as to one who was declared dead and to one who took it over.
    offers = [order.id for order in orders] * 2
    random.Random(3).shuffle(offers)
    made: Counter[str] = Counter()

    async def work(fence: Fence, server: str) -> None:
        while offers:
            job = offers.pop()
            record = await _insist(partial(fence.begin, job, server))
            if record is None:
                continue
            outcome = Outcome(f"{server}/{job}", "text/plain", 1)
            if await _insist(partial(fence.succeed, job, record.attempt, outcome)):
                made[job] += 1

    await asyncio.gather(*(work(fences[number % SERVERS], str(number)) for number in range(WORKERS)))

    assert made == {order.id: 1 for order in orders}


async def _insist(write: Callable[[], Awaitable[T]]) -> T:
    """As an attempt does: SQLite's one lock is not handed out in turn, and may be waited for too long."""
    while True:
        try:
            return await write()
        except StoreUnavailableError:
            continue


async def _enter(url: str, rows: list[dict[str, object]]) -> None:
    database = Database(url)

    def work(connection: Connection) -> None:
        connection.execute(insert(jobs), rows)

    await database.run(work)
    await database.close()
