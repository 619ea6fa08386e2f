"""One Triton is brought to what is wanted, and nothing is taken away that anybody needs."""

import asyncio

import pytest

from cards.target import Target
from server.routing.database import RoutingDatabase
from server.routing.keeper import Keeper, Wish
from server.routing.store import RouteStore
from tests.support.fake_control import FakeControl

ONE, TWO, THREE, OTHER = Target("isnet", 1), Target("isnet", 2), Target("isnet", 3), Target("birefnet", 1)


class World:
    """A keeper, whose looks are the test's, and what is wished."""

    def __init__(self, store: RouteStore) -> None:
        self.store = store
        self.control = FakeControl("triton:8400", ONE)
        self.wish = Wish(frozenset({ONE}))
        self.now = 1000.0
        self.keeper = Keeper(self.control, "triton:8400", store, lambda _keeper: self.wish, lambda: self.now)

    async def look(self, wanted: set[Target] | None = None, spare: set[Target] | None = None) -> None:
        """Look once, and wait for what came of it."""
        self.wish = Wish(frozenset(wanted or self.wish.wanted), frozenset(spare or ()))
        await self.keeper.look()
        await self.keeper.done()


@pytest.fixture
def world(database: RoutingDatabase) -> World:
    return World(RouteStore(database, "me"))


async def test_nothing_is_done_where_all_is_well(world: World) -> None:
    await world.look()
    assert not world.control.told
    assert world.keeper.steady == {ONE}


async def test_each_version_is_loaded_beside_the_others(world: World) -> None:
    await world.look({ONE, TWO, THREE, OTHER})
    assert world.control.told == ["birefnet [1]", "isnet [1, 2]", "isnet [1, 2, 3]"]
    assert world.keeper.ready == {ONE, TWO, THREE, OTHER}
    assert world.keeper.steady == {ONE}, "the look was before it"
    await world.look()
    assert world.keeper.steady == {ONE, TWO, THREE, OTHER}


async def test_what_is_spare_goes_once_what_is_wanted_is_there(world: World) -> None:
    await world.look({TWO}, spare={ONE})
    assert world.control.told == ["isnet [1, 2]", "isnet [2]"]
    await world.look({OTHER}, spare={TWO})
    assert world.control.told[2:] == ["birefnet [1]", "isnet dropped"]


async def test_what_is_loaded_and_neither_wanted_nor_spare_is_left_alone_and_not_vouched_for(world: World) -> None:
    world.control.ready.add(TWO)
    await world.look({ONE})
    assert not world.control.told
    assert world.keeper.steady == {ONE}


async def test_a_broken_version_is_told_with_its_reason_and_tried_again_later(world: World) -> None:
    world.control.broken = {TWO: "corrupt"}
    await world.look({ONE, TWO, OTHER})
    assert world.keeper.failed == {TWO: "corrupt"}
    assert world.keeper.ready == {ONE, OTHER}, "the others are loaded all the same"
    told = len(world.control.told)
    await world.look()
    assert len(world.control.told) == told, "not with each look"
    world.now += 60
    await world.look()
    assert len(world.control.told) == told + 1
    await world.look({ONE})
    assert not world.keeper.failed, "nobody wants it any more"


async def test_a_triton_that_was_started_again_is_brought_back(world: World) -> None:
    await world.look({TWO})
    world.control.away = True
    await world.look()
    assert (world.keeper.placements, world.keeper.steady) == (None, frozenset())
    world.control.away, world.control.ready = False, {ONE}  # as its card says
    await world.look(spare={ONE})
    assert world.control.ready == {TWO}


async def test_a_triton_that_unloads_nothing_is_not_asked_again_and_again(world: World) -> None:
    world.control.fixed = True
    await world.look({OTHER}, spare={ONE})
    assert world.control.told == ["birefnet [1]", "isnet dropped"]
    await world.look(spare={ONE})
    assert len(world.control.told) == 2
    world.now += 60
    world.control.fixed = False
    await world.look(spare={ONE})
    assert world.control.ready == {OTHER}


async def test_of_several_servers_one_acts(world: World) -> None:
    async with world.store.lock("triton triton:8400"):
        await world.look({TWO})
        assert not world.control.told
    await world.look()
    assert world.control.told


async def test_what_is_wanted_again_in_the_last_moment_stays(world: World) -> None:
    world.wish = Wish(frozenset({TWO}), frozenset({ONE}))
    await world.keeper.look()  # It begins; before it comes to unloading, somebody holds the old version.
    world.wish = Wish(frozenset({ONE, TWO}))
    await world.keeper.done()
    assert world.control.ready == {ONE, TWO}


async def test_what_is_on_its_way_out_is_not_vouched_for(world: World) -> None:
    leaving, go_on = asyncio.Event(), asyncio.Event()
    serve = world.control.serve

    async def slow(model: str, versions: list[int]) -> None:
        leaving.set()
        await go_on.wait()
        await serve(model, versions)

    world.control.ready.add(TWO)
    world.control.serve = slow  # type: ignore[assignment,method-assign]
    world.wish = Wish(frozenset({TWO}), frozenset({ONE}))
    await world.keeper.look()
    await leaving.wait()
    world.wish = Wish(frozenset({ONE, TWO}))
    await world.keeper.look()
    assert world.keeper.steady == {TWO}, "the old version is there, but goes"
    go_on.set()
    await world.keeper.done()
    await world.look()
    await world.look()
    assert world.keeper.steady == {ONE, TWO}
