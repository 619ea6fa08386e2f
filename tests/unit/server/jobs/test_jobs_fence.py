"""Attempts in the database: the newest counts, and three are all there are."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.jobs.book import Book
from server.jobs.database import Database
from server.jobs.fence import Fence
from server.jobs.record import Failure, Outcome, Record, State
from server.jobs.settings import Retention
from tests.support.fake_runner import make_order

FAILURE = Failure("PROCESSING_FAILED", "It failed.")
OUTCOME = Outcome("jobs/…", "text/plain", 9)


class Desk:
    """A book with one job in it."""

    def __init__(self, database: Database) -> None:
        self.order = make_order({})
        self.book = Book(database, Retention(), lambda: 1.8e9)
        self.fence = Fence(database, Retention(), lambda: 1.8e9)

    async def begin(self) -> Record:
        record = await self.fence.begin(self.order.id, "a server")
        assert record
        return record

    async def record(self) -> Record:
        return await self.book.get(self.order.id, self.order.owner)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    database = Database(f"sqlite:///{tmp_path}/jobs.sqlite")
    await database.start()
    desk = Desk(database)
    await desk.book.enter(desk.order)
    yield desk
    await database.close()


@pytest.mark.case("J2")
async def test_what_an_older_attempt_writes_does_not_count(desk: Desk) -> None:
    old, new = await desk.begin(), await desk.begin()
    job = desk.order.id
    await desk.fence.report({(job, old.attempt): (9, 10)})
    assert not await desk.fence.succeed(job, old.attempt, OUTCOME)
    assert not await desk.fence.fail(job, old.attempt, FAILURE)
    assert await desk.fence.put_back(job, old.attempt, FAILURE) is None
    await desk.fence.hand_back(job, old.attempt)
    assert await desk.record() == new
    assert await desk.fence.succeed(job, new.attempt, OUTCOME)
    assert not await desk.fence.succeed(job, new.attempt, OUTCOME)


@pytest.mark.case("J4")
async def test_a_job_that_takes_its_server_along_fails_after_three(desk: Desk) -> None:
    for _ in range(3):
        await desk.begin()
    assert await desk.fence.begin(desk.order.id, "a server") is None
    ended = await desk.record()
    assert ended.state is State.FAILED
    assert ended.failure == Failure("PROCESSING_FAILED", "The work was cut off again and again.")


@pytest.mark.case("J14")
async def test_an_attempt_that_was_handed_back_does_not_count(desk: Desk) -> None:
    for attempt in range(1, 6):
        record = await desk.begin()
        assert record.attempt == attempt
        await desk.fence.hand_back(desk.order.id, record.attempt)
    assert (await desk.record()).state is State.QUEUED


@pytest.mark.case("J6")
@pytest.mark.parametrize(
    ("reports", "progress"),
    [
        ([(1, 4), (3, 4), (2, 4)], (3, 4)),
        ([(3, 4), (1, 2)], (3, 4)),  # another total, and less of the whole
        ([(3, 4), (6, 8)], (6, 8)),
        ([(0, 0), (1, 3)], (1, 3)),
    ],
)
async def test_less_of_the_whole_is_not_noted(
    desk: Desk, reports: list[tuple[int, int]], progress: tuple[int, int]
) -> None:
    record = await desk.begin()
    for report in reports:
        await desk.fence.report({(desk.order.id, record.attempt): report})
    noted = await desk.record()
    assert (noted.done, noted.total) == progress
