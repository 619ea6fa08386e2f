"""Jobs as they are counted for the metrics."""

from pathlib import Path

import pytest
from sqlalchemy import insert

from server import metrics
from server.errors import StoreUnavailableError
from server.jobs.book import Book
from server.jobs.census import Census
from server.jobs.database import Database
from server.jobs.fence import Fence
from server.jobs.schema import clock
from server.jobs.settings import Retention
from tests.support.fake_runner import make_order

NAME = "clearcanvas_server_jobs"


def jobs(kind: str, state: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(NAME, {"kind": kind, "state": state})


async def test_jobs_are_counted_by_kind_and_state_and_the_oldest_wait_is_known(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/jobs.sqlite")
    await database.start()
    book, fence = Book(database, Retention(), lambda: 1.8e9), Fence(database, Retention(), lambda: 1.8e9)
    first, second, gone = (make_order({}) for _ in range(3))
    for order in (first, second, gone):
        await book.enter(order)
    await book.delete(gone.id, gone.owner)
    await fence.begin(first.id, "a server")
    await database.run(lambda connection: connection.execute(insert(clock).values(id=1, now_s=90.0, seen=1.8e9)))

    await Census(database, 15).count()

    kind = first.kind.value
    assert [jobs(kind, state) for state in ("queued", "running", "succeeded", "cancelled")] == [1, 1, 0, 0]
    assert metrics.REGISTRY.get_sample_value(f"{NAME}_oldest_queued_seconds", {"kind": kind}) == 90
    await database.close()


async def test_a_store_that_is_away_leaves_what_was_counted(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/jobs.sqlite")  # Without its tables.
    with pytest.raises(StoreUnavailableError):
        await Census(database, 15).count()
    await database.close()
