"""What changes of a model need of others: the routing, the gate, and someone who listens."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from cards.target import Target
from evaluation.scores import Score
from evaluation.verdict import Measured
from server.routing.route import Route, Share


@dataclass(frozen=True)
class Step:
    """One step that is done. `text`: what was found, in words."""

    name: str
    text: str
    seconds: float


Entry = Callable[[Connection], None]
"""Writes a line into the journal, as a part of a transaction."""

Tell = Callable[[Step, Route], Awaitable[None]]
"""Told of each step, and of the routing after it."""


class Traffic(Protocol):
    """Which version requests go to, as all servers see it."""

    def route(self, name: str) -> Route | None:
        """What a name stands for; None where nobody has said, and no Triton has a model of that name."""
        ...

    async def ready(self, target: Target) -> None:
        """Wait until every server has a version that is held. Raises `ModelRefusedError` where it cannot be loaded."""
        ...

    async def settled(self, name: str, generation: int, targets: Collection[Target]) -> None:
        """Wait until every server goes by that routing, and nobody waits for any of `targets`."""
        ...


class Store(Protocol):
    """Where the routing is kept; see `server.routing.store`."""

    async def read(self) -> Mapping[str, Route]:
        """What each name stands for that was ever changed."""
        ...

    def lock(self, name: str) -> AbstractAsyncContextManager[None]:
        """Be the only one who changes it. Raises `ModelBusyError`."""
        ...

    def hold(self, *targets: Target) -> AbstractAsyncContextManager[None]:
        """Have versions loaded everywhere, and kept so, during the block."""
        ...

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
        """Let a name stand for something else, and do `also` in the same transaction."""
        ...


class Cards(Protocol):
    """What is known of the models on the disk."""

    async def check_name(self, name: str) -> None:
        """Raise `ModelNotFoundError` where no matting model has that name."""
        ...

    async def verify(self, target: Target) -> str:
        """Read a version's weights, and say what was found. Raises `ModelRefusedError` where it may not be served."""
        ...


class MatteMaker(Protocol):
    """Makes mattes of single versions. Raises `ServiceError`."""

    async def make(self, target: Target, source: Path, file: Path) -> float:
        """Write the matte of the encoded picture `source` as a PNG, and return the seconds of its inference."""
        ...

    async def difference(self, first: Path, second: Path) -> float:
        """The mean absolute difference of two mattes, 0 to 1."""
        ...

    async def scores(self, mattes: Mapping[str, tuple[Path, Path]]) -> dict[str, Score]:
        """Hold mattes against their truths; both are encoded. Raises `ModelRefusedError` where that cannot be done."""
        ...


@dataclass(frozen=True)
class Trial:
    """What two versions did with the golden set."""

    new: Measured
    old: Measured


class Gate(Protocol):
    """Asks versions that are loaded. Raises `ModelRefusedError`, with the reason, where one does not answer."""

    async def ask(self, target: Target) -> str:
        """Ask a version once, and say what it did."""
        ...

    async def compare(self, new: Target, old: Target) -> Trial:
        """Have both work on the golden set."""
        ...


class Notes(Protocol):
    """Where it is written down what was done and what was refused."""

    def entry(self, name: str, kind: str, subject: str, *, done: bool, text: str) -> Entry:
        """What writes down that something was done to `name`, or refused."""
        ...

    async def write(self, entry: Entry) -> None:
        """Write it down in a transaction of its own."""
        ...


@dataclass(frozen=True)
class Ports:
    """All of them."""

    traffic: Traffic
    store: Store
    cards: Cards
    gate: Gate
    notes: Notes
