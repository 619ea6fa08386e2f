"""Two servers on one database: both follow a change, and nothing is let go that either still needs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cards.target import Target
from database.presence import Sightings
from server.errors import InvalidParameterError, ModelNotFoundError, ModelRefusedError
from server.routing.database import RoutingDatabase
from server.routing.keeper import Keeper
from server.routing.presence import Presence
from server.routing.route import Route, Share
from server.routing.router import Router, RoutingPeriods
from server.routing.store import RouteStore
from tests.support.fake_control import FakeControl

ONE, TWO, THREE = Target("isnet", 1), Target("isnet", 2), Target("isnet", 3)
OFTEN = RoutingPeriods(poll=0.02, beat=0.1)
LIMIT_S = 30


@dataclass
class Server:
    """A server that runs, and the Triton that it shares with the others."""

    store: RouteStore
    router: Router
    triton: FakeControl

    async def change(self, *shares: Share, generation: int = 0) -> Route:
        route = await self.store.change("isnet", shares=shares, mirror=None, previous=[], generation=generation)
        self.router.look()
        return route

    async def settled(self, route: Route, *gone: Target) -> None:
        async with asyncio.timeout(LIMIT_S):
            await self.router.settled(route.name, route.generation, gone)

    async def ready(self, target: Target) -> None:
        async with asyncio.timeout(LIMIT_S):
            await self.router.ready(target)

    async def until_loaded(self, *targets: Target) -> None:
        async with asyncio.timeout(LIMIT_S):
            while self.triton.ready != set(targets):  # noqa: ASYNC110 - a Triton tells nobody.
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running(folder: Path, name: str, triton: FakeControl) -> AsyncIterator[Server]:
    database = RoutingDatabase(f"sqlite:///{folder}/jobs.sqlite")
    store = RouteStore(database, name)
    router = Router(database, Presence(name, store, Sightings(OFTEN.dead)), OFTEN)
    await router.start([Keeper(triton, triton.address, store, router.wish)])
    work = asyncio.create_task(router.run())
    try:
        yield Server(store, router, triton)
    finally:
        work.cancel()
        outcome = (await asyncio.gather(work, return_exceptions=True))[0]
        assert isinstance(outcome, asyncio.CancelledError), outcome
        await router.close()


@pytest.fixture
def triton() -> FakeControl:
    return FakeControl("triton:8400", ONE)


@pytest.fixture
async def one(tmp_path: Path, triton: FakeControl) -> AsyncIterator[Server]:
    async with running(tmp_path, "one", triton) as server:
        yield server


@pytest.fixture
async def two(tmp_path: Path, triton: FakeControl, one: Server) -> AsyncIterator[Server]:
    async with running(tmp_path, "two", triton) as server:
        yield server


async def test_a_name_that_nobody_changed(one: Server) -> None:
    assert one.router.choose("isnet", "id") == ONE
    assert one.router.choose("isnet@1", "id") == ONE
    assert one.router.choose("unknown", "id") == Target("unknown")
    assert one.router.routes == {"isnet": Route("isnet", (Share(ONE, 100),))}
    with pytest.raises(ModelNotFoundError):
        one.router.choose("isnet@7", "id")
    with pytest.raises(InvalidParameterError):
        one.router.choose("no model", "id")


async def test_a_version_is_brought_up_switched_to_and_the_old_one_let_go(one: Server, two: Server) -> None:
    async with one.store.hold(TWO):
        await one.ready(TWO)
        assert one.triton.ready == {ONE, TWO}
        assert two.router.choose("isnet", "id") == ONE, "what is only held gets no requests"
        assert two.router.choose("isnet@2", "id") == TWO
        route = await one.change(Share(TWO, 100))
    await one.settled(route, ONE)
    assert one.router.choose("isnet", "id") == two.router.choose("isnet", "id") == TWO
    await one.until_loaded(TWO)


async def test_what_somebody_waits_for_at_another_server_stays_until_it_is_done(one: Server, two: Server) -> None:
    with two.router.using(ONE):
        route = await one.change(Share(TWO, 100))
        await one.settled(route)
        await one.until_loaded(ONE, TWO)
        waiting = asyncio.create_task(one.settled(route, ONE))
        await one.settled(route)
        assert not waiting.done()
        assert one.triton.ready == {ONE, TWO}
    await waiting
    await one.until_loaded(TWO)


async def test_a_version_that_another_name_stands_for_is_not_waited_for(one: Server) -> None:
    await one.store.change("portrait", shares=[Share(ONE, 100)], mirror=None, previous=[], generation=0)
    with one.router.using(ONE):
        route = await one.change(Share(TWO, 100))
        await one.settled(route, ONE)
    await one.until_loaded(ONE, TWO)


async def test_a_broken_version_is_refused_with_its_reason_and_all_else_goes_on(one: Server, two: Server) -> None:
    one.triton.broken = {TWO: "corrupt"}
    async with one.store.hold(TWO):
        with pytest.raises(ModelRefusedError, match="corrupt"):
            await one.ready(TWO)
    assert one.router.choose("isnet", "id") == two.router.choose("isnet", "id") == ONE
    assert one.triton.ready == {ONE}


async def test_a_candidate_that_is_not_taken_is_let_go(one: Server, two: Server) -> None:
    async with two.store.hold(TWO, THREE):
        await one.until_loaded(ONE, TWO, THREE)
    await one.until_loaded(ONE)


async def test_what_a_card_has_loaded_is_left_alone(tmp_path: Path) -> None:
    async with running(tmp_path, "one", FakeControl("triton:8400", ONE, TWO)) as server:
        await server.change(Share(THREE, 100), generation=0)
        await server.until_loaded(THREE)
    other = Target("other", 1), Target("other", 2)
    async with running(tmp_path, "two", FakeControl("triton:8400", THREE, *other)) as server:
        async with server.store.hold(ONE):
            await server.until_loaded(ONE, THREE, *other)
        await server.until_loaded(THREE, *other)


async def test_a_triton_that_was_started_again_is_brought_back(one: Server, two: Server) -> None:
    route = await one.change(Share(TWO, 50), Share(THREE, 50))
    await one.until_loaded(TWO, THREE)
    one.triton.away = True
    async with asyncio.timeout(LIMIT_S):
        while one.router.placements() or two.router.placements():  # noqa: ASYNC110 - a look tells nobody.
            await asyncio.sleep(0.01)
    one.triton.ready, one.triton.away = {ONE}, False
    await one.settled(route)
    await one.until_loaded(TWO, THREE)


async def test_a_server_that_stops_keeps_nobody_waiting(one: Server, tmp_path: Path, triton: FakeControl) -> None:
    async with running(tmp_path, "third", triton) as third:
        with third.router.using(ONE):
            route = await one.change(Share(TWO, 100))
            await one.settled(route)
    await one.settled(route, ONE)
    await one.until_loaded(TWO)
