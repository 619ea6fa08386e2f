"""What several servers see and hold of the routing, on one database."""

import asyncio
from dataclasses import dataclass, field
from functools import partial

import pytest

from cards.target import Target
from database.presence import Sightings
from server.errors import ModelBusyError
from server.routing.database import RoutingDatabase
from server.routing.presence import Presence, Standing, View
from server.routing.route import Route, Share
from server.routing.store import RouteStore

ONE, TWO = Target("isnet", 1), Target("isnet", 2)
DEAD_S = 20.0


@dataclass
class Server:
    """One server's part, with a clock of its own."""

    name: str
    database: RoutingDatabase
    now: float = 0.0
    store: RouteStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = RouteStore(self.database, self.name)
        self._presence = Presence(self.name, self.store, Sightings(DEAD_S, lambda: self.now))

    async def exchange(self, mine: Standing | None = None, *, beat: bool = True) -> View:
        return await self.database.run(partial(self._presence.exchange, mine=mine or Standing(), beat=beat))

    async def leave(self) -> None:
        await self.database.run(self._presence.leave)


@pytest.fixture
def one(database: RoutingDatabase) -> Server:
    return Server("one", database)


@pytest.fixture
def two(database: RoutingDatabase) -> Server:
    return Server("two", database, now=5000.0)


async def change(server: Server, target: Target, generation: int) -> Route:
    return await server.store.change(
        "isnet", shares=[Share(target, 100)], mirror=None, previous=[], generation=generation
    )


async def test_a_change_is_seen_by_all(one: Server, two: Server) -> None:
    route = await one.store.change(
        "isnet",
        shares=[Share(ONE, 90), Share(TWO, 10)],
        mirror=Share(Target("birefnet", 3), 5),
        previous=[Share(ONE, 100)],
        generation=0,
    )
    assert route.generation == 1
    assert await two.store.read() == {"isnet": route}
    assert (await two.exchange()).routes == {"isnet": route}


async def test_what_was_decided_on_an_old_routing_is_refused(one: Server, two: Server) -> None:
    await change(one, ONE, 0)
    for generation in (0, 2):
        with pytest.raises(ModelBusyError):
            await change(two, TWO, generation)
    assert (await change(two, TWO, 1)).generation == 2
    with pytest.raises(ModelBusyError):
        await change(one, ONE, 1)


async def test_of_two_who_change_at_once_one_wins(one: Server, two: Server) -> None:
    outcomes = await asyncio.gather(change(one, ONE, 0), change(two, TWO, 0), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ModelBusyError", "Route"]


async def test_a_lock_is_one_s_alone(one: Server, two: Server) -> None:
    async with one.store.lock("isnet"):
        for server in (one, two):
            with pytest.raises(ModelBusyError):
                async with server.store.lock("isnet"):
                    raise AssertionError
        async with two.store.lock("another"):
            pass
        await one.exchange()
        with pytest.raises(ModelBusyError):
            async with two.store.lock("isnet"):
                raise AssertionError
    async with two.store.lock("isnet"):
        pass


async def test_a_hold_lasts_as_long_as_its_block(one: Server, two: Server) -> None:
    async with one.store.hold(ONE, TWO):
        assert (await two.exchange()).held == {ONE, TWO}
    assert not (await two.exchange()).held


async def test_everybody_s_standing_is_seen(one: Server, two: Server) -> None:
    mine = Standing({"isnet": 3}, frozenset({ONE}), frozenset({TWO}), {ONE: "corrupt"})
    assert (await one.exchange(mine)).servers == {"one": mine}
    assert (await two.exchange()).servers == {"one": mine, "two": Standing()}
    other = Standing({"isnet": 4})
    await one.exchange(other, beat=False)
    assert (await two.exchange()).servers["one"] == other, "what is new is said at once"
    await one.leave()
    assert set((await two.exchange()).servers) == {"two"}


async def look(at: Server, seconds: float = 5.0) -> View:
    at.now += seconds
    return await at.exchange()


async def test_who_stands_still_is_struck_off_with_all_it_holds(one: Server, two: Server) -> None:
    async with one.store.hold(TWO), one.store.lock("isnet"):
        await one.exchange()
        for _ in range(4):
            assert set((await look(two)).servers) == {"one", "two"}
        view = await look(two)
        assert set(view.servers) == {"two"}
        assert not view.held
        async with two.store.lock("isnet"):
            pass
        # It was only paused: it is back, and so is what it still holds.
        await one.exchange()
        view = await look(two)
        assert set(view.servers) == {"one", "two"}
        assert view.held == {TWO}
    assert not (await look(two)).held


async def test_who_beats_lives(one: Server, two: Server) -> None:
    for _ in range(10):
        await one.exchange()
        assert set((await look(two)).servers) == {"one", "two"}
