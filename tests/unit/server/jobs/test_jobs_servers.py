"""Who is held for dead, and when."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.jobs.database import Database
from server.jobs.servers import Servers
from server.jobs.settings import Periods

PERIODS = Periods()


class World:
    """Two servers, each with a clock of its own that has nothing to do with the other's."""

    def __init__(self, database: Database) -> None:
        self.now = {"observer": 1000.0, "other": -50.0}
        self.observer, self.other = (
            Servers(database, name, PERIODS, lambda name=name: self.now[name])  # type: ignore[misc]
            for name in ("observer", "other")
        )

    async def look(self, *, beaten: bool) -> set[str]:
        """What the observer sees a period later."""
        self.now["observer"] += PERIODS.beat
        if beaten:
            await self.other.beat()
        return await self.observer.living()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = Database(f"sqlite:///{tmp_path}/jobs.sqlite")
    await database.start()
    world = World(database)
    assert not await world.observer.beat()
    assert not await world.other.beat()
    yield world
    await database.close()


@pytest.mark.case("J1")
async def test_a_server_whose_beat_stands_still_for_20_s_is_dead(world: World) -> None:
    assert await world.look(beaten=True) == {"observer", "other"}
    for _ in range(3):
        assert await world.look(beaten=False) == {"observer", "other"}
    assert await world.look(beaten=False) == {"observer"}
    assert not await world.other.beat(), "it learns of it"
    assert await world.look(beaten=True) == {"observer", "other"}


@pytest.mark.case("J1")
def test_the_periods_add_up_to_the_promise_of_35_s() -> None:
    late = PERIODS.beat  # The beat that it dies after is seen so late, and so late it is seen that it stands still.
    assert late + PERIODS.dead + late + PERIODS.queue < 35


async def test_a_server_that_beats_lives(world: World) -> None:
    for _ in range(10):
        assert await world.look(beaten=True) == {"observer", "other"}


@pytest.mark.case("J14")
async def test_a_server_that_leaves_is_gone_at_once(world: World) -> None:
    await world.other.leave()
    assert await world.look(beaten=False) == {"observer"}


@pytest.mark.case("J2")
@pytest.mark.case("J8")
async def test_an_observer_that_did_not_look_for_a_while_judges_nobody(world: World) -> None:
    await world.look(beaten=True)
    world.now["observer"] += 3600  # It was paused, or the database was away.
    assert await world.look(beaten=False) == {"observer", "other"}
