"""Work on copies: which are taken, what is found, and that an answer never waits for them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from cards.target import Target
from evaluation.scores import Score
from server.errors import ModelUnavailableError, ServiceError
from server.lifecycle.findings import Copies, Findings, Pair
from server.lifecycle.mirrors import Mirrors
from server.routing.database import RoutingDatabase
from server.routing.route import Route, Share
from server.workers.workspace import Workspace
from tests.unit.server.lifecycle.world import ONE, TWO, WHOLE_ONE, World

PAIR = Pair("isnet", TWO, ONE)
PICTURE = b"a picture"


class FakeMattes:
    """Mattes that are as far apart as said. Waits, where a gate is set, before the first one is made."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.seen: list[tuple[Target, bytes]] = []
        self.faults: dict[Target, ServiceError] = {}

    async def make(self, target: Target, source: Path, file: Path) -> float:
        await self.gate.wait()
        self.seen.append((target, await asyncio.to_thread(source.read_bytes)))
        if target in self.faults:
            raise self.faults[target]
        return {ONE: 0.25, TWO: 0.5}[target]

    async def scores(self, mattes: Mapping[str, tuple[Path, Path]]) -> dict[str, Score]:
        raise AssertionError("nobody judges copies")

    async def difference(self, first: Path, second: Path) -> float:
        return 0.125


class Desk:
    """A server's mirrors, and one answered request after another."""

    def __init__(self, folder: Path) -> None:
        self.world = World(routes={"isnet": Route("isnet", WHOLE_ONE, Share(TWO, 100), 1)})
        self.mattes = FakeMattes()
        self.database = RoutingDatabase(f"sqlite:///{folder}/jobs.sqlite")
        self.findings = Findings(self.database)
        self.memory = Workspace(folder / "memory")
        self.mirrors = Mirrors(self.world, self.mattes, self.findings, self.memory)

    def answer(self, request_id: str = "1", by: Target = ONE, name: str = "isnet") -> None:
        """What the service does with a request: its picture is gone at once."""
        source = self.memory.root / f"{request_id}-in"
        source.write_bytes(PICTURE)
        self.mirrors.answered(name, by, request_id, source)
        source.unlink()

    async def found(self) -> dict[Pair, Copies]:
        await self.mirrors.finished()
        return dict(await self.findings.read("isnet"))

    def files(self) -> list[Path]:
        return list(self.memory.root.iterdir())


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path)
    await desk.database.start()
    yield desk
    await desk.mirrors.close()
    await desk.database.close()
    desk.memory.close()


async def test_both_versions_work_on_the_copy_and_the_difference_is_kept(desk: Desk) -> None:
    desk.answer()
    expected = Copies(1, 0, 0, difference=0.125, largest=0.125, candidate_s=0.5, answered_s=0.25)
    assert await desk.found() == {PAIR: expected}
    assert desk.mattes.seen == [(ONE, PICTURE), (TWO, PICTURE)]
    assert not desk.files()


async def test_a_copy_that_is_due_while_another_is_at_work_is_left_out_and_counted(desk: Desk) -> None:
    desk.mattes.gate.clear()
    for request in range(4):
        desk.answer(str(request))
    desk.mattes.gate.set()
    assert (await desk.found())[PAIR].skipped == 3
    assert (await desk.found())[PAIR].compared == 1


async def test_what_the_candidate_fails_on_is_counted_against_it(desk: Desk) -> None:
    desk.mattes.faults[TWO] = ModelUnavailableError("The model isnet cannot answer now.")
    desk.answer()
    assert await desk.found() == {PAIR: Copies(failed=1)}


async def test_what_the_other_fails_on_is_no_finding(desk: Desk) -> None:
    desk.mattes.faults[ONE] = ModelUnavailableError("The model isnet cannot answer now.")
    desk.answer()
    assert await desk.found() == {PAIR: Copies(skipped=1)}


@pytest.mark.parametrize(
    ("route", "by"),
    [
        (None, ONE),
        (Route("isnet", WHOLE_ONE), ONE),
        (Route("isnet", (Share(ONE, 50), Share(TWO, 50)), Share(TWO, 100)), TWO),
    ],
    ids=["no routing", "no mirror", "its own answer"],
)
async def test_nothing_is_copied_where_there_is_nothing_to_compare(desk: Desk, route: Route | None, by: Target) -> None:
    desk.world.routes = {} if route is None else {"isnet": route}
    desk.answer(by=by)
    assert await desk.found() == {}
    assert not desk.mattes.seen


async def test_about_as_many_are_copied_as_was_said(desk: Desk) -> None:
    route = Route("isnet", WHOLE_ONE, Share(TWO, 5), 1)
    desk.world.routes["isnet"] = route
    due = [str(request) for request in range(400) if route.mirrors(str(request))]
    for request in range(400):
        desk.answer(str(request))
        await desk.mirrors.finished()
    assert (await desk.found())[PAIR].compared == len(due)
    assert 5 <= len(due) <= 40


async def test_closing_gives_up_what_is_under_way_and_leaves_no_file(desk: Desk) -> None:
    desk.mattes.gate.clear()
    desk.answer()
    await desk.mirrors.close()
    assert not desk.files()
    assert dict(await desk.findings.read("isnet")) == {}
