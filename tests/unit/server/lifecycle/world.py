"""Fakes of what changes of a model need, which write down in one list what was asked of them, in order."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, create_engine

from cards.target import Target
from evaluation.scores import Score
from evaluation.verdict import Measured
from server.errors import ModelBusyError, ModelNotFoundError, ModelRefusedError
from server.lifecycle.changer import Changer
from server.lifecycle.ports import Entry, Ports, Step, Trial
from server.routing.route import Route, Share

ONE, TWO, OTHER = Target("isnet", 1), Target("isnet", 2), Target("birefnet", 1)
WHOLE_ONE, WHOLE_TWO = (Share(ONE, 100),), (Share(TWO, 100),)
HALVES = (Share(ONE, 50), Share(TWO, 50))


def measured(mae: float = 0.01, seconds: float = 0.1) -> Measured:
    """One picture, cut out as well and as fast as said."""
    score = Score(mae=mae, sad=1.0, mse=mae, gradient=1.0, s_measure=0.9, e_measure=0.9, weighted_f=0.9)
    return Measured({"a": score}, {"a": (seconds,)})


@dataclass
class World:
    """All ports in one. What is in `faults`, by the name of a step, is raised there."""

    routes: dict[str, Route] = field(default_factory=dict)
    trial: Trial = field(default_factory=lambda: Trial(measured(), measured()))
    faults: dict[str, BaseException] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    notes: list[tuple[str, str, bool, str]] = field(default_factory=list)
    told: list[tuple[Step, Route]] = field(default_factory=list)
    held: list[Target] = field(default_factory=list)
    locked: set[str] = field(default_factory=set)
    ratio: float = 1.5
    connection: Connection = field(default_factory=lambda: create_engine("sqlite://").connect())

    @property
    def changer(self) -> Changer:
        return Changer(Ports(self, self, self, self, self), self.ratio)

    async def tell(self, step: Step, route: Route) -> None:
        self.told.append((step, route))

    @property
    def steps(self) -> list[str]:
        return [step.name for step, _ in self.told]

    def stands_for(self, name: str = "isnet") -> tuple[Share, ...]:
        route = self.route(name)
        assert route is not None
        return route.shares

    # What others do.

    def route(self, name: str) -> Route | None:
        return self.routes.get(name) or (Route("isnet", WHOLE_ONE) if name == "isnet" else None)

    async def ready(self, target: Target) -> None:
        assert target in self.held
        self._do(f"load {target}")

    async def settled(self, name: str, generation: int, targets: Collection[Target]) -> None:
        assert self.routes[name].generation == generation
        self._do(f"drain {' '.join(map(str, sorted(targets)))}".strip())

    async def read(self) -> Mapping[str, Route]:
        return dict(self.routes)

    async def change(
        self,
        name: str,
        *,
        shares: Sequence[Share],
        mirror: Share | None,
        previous: Sequence[Share],
        generation: int,
        also: Entry | None,
    ) -> Route:
        assert name in "".join(self.locked)
        assert {share.target for share in shares if share.target != ONE} <= set(self.held) | self._routed()
        self._do("switch")
        if also is not None:
            await self.write(also)
        self.routes[name] = Route(name, tuple(shares), mirror, generation + 1, tuple(previous))
        return self.routes[name]

    def _routed(self) -> set[Target]:
        return {share.target for route in self.routes.values() for share in route.shares}

    @asynccontextmanager
    async def hold(self, *targets: Target) -> AsyncIterator[None]:
        self.held.extend(targets)
        try:
            yield
        finally:
            for target in targets:
                self.held.remove(target)

    @asynccontextmanager
    async def lock(self, name: str) -> AsyncIterator[None]:
        if name in self.locked:
            raise ModelBusyError(f"Another change of {name} is under way.")
        self.locked.add(name)
        try:
            yield
        finally:
            self.locked.remove(name)

    async def check_name(self, name: str) -> None:
        if name not in ("isnet", "birefnet"):
            raise ModelNotFoundError(f"There is no matting model of the name {name!r}.")

    async def verify(self, target: Target) -> str:
        self._do(f"verify {target}")
        return "as its card says"

    async def ask(self, target: Target) -> str:
        assert target in self.held
        self._do(f"canary {target}")
        return "it answers"

    async def compare(self, new: Target, old: Target) -> Trial:
        assert new in self.held
        self._do(f"golden {new} {old}")
        return self.trial

    def entry(self, name: str, kind: str, subject: str, *, done: bool, text: str) -> Entry:
        return lambda _: self.notes.append((kind, subject, done, text))

    async def write(self, entry: Entry) -> None:
        entry(self.connection)

    def _do(self, what: str) -> None:
        self.done.append(what)
        fault = self.faults.get(what.split(maxsplit=1)[0])
        if fault is not None:
            raise fault


def refused(text: str) -> ModelRefusedError:
    """A refusal with that reason."""
    return ModelRefusedError(text)
