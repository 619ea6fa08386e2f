"""Which version of which model answers a request, and what every server must know of it."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from cards.target import Target, parse_target
from server import metrics
from server.errors import InvalidParameterError, ModelRefusedError, StoreUnavailableError
from server.routing.database import RoutingDatabase
from server.routing.keeper import Keeper, Wish
from server.routing.presence import Presence, Standing, View
from server.routing.route import WHOLE, Route, Share
from server.routing.wanted import find_defaults, named, spare
from server.triton.contract import not_found
from server.triton.control import Placement

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RoutingPeriods:
    """In seconds. A change is followed everywhere within about two polls."""

    poll: float = 0.5  # between two looks at the database, and at each Triton
    beat: float = 2.0  # between two heartbeats
    dead: float = 20.0  # a server whose heartbeat stands still for so long is dead, and what it holds is let go


class Router:
    """Follows the routing that all servers share, and has the Tritons follow."""

    def __init__(
        self, database: RoutingDatabase, presence: Presence, periods: RoutingPeriods = RoutingPeriods()
    ) -> None:
        self._database = database
        self._presence = presence
        self._periods = periods
        self._keepers: Sequence[Keeper] = ()
        self._view = View()
        self._defaults: Mapping[str, Target] = {}
        self._asked = frozenset[Target]()  # ever, as far as this process has seen
        self._in_flight: Counter[Target] = Counter()
        self._soon = asyncio.Event()
        self._looked = asyncio.Condition()

    async def start(self, keepers: Sequence[Keeper]) -> None:
        """Make the tables where they are missing; look at them, and at each Triton. Raises StoreUnavailableError."""
        self._keepers = keepers
        await self._database.start()
        await self._exchange(beat=True)
        await asyncio.gather(*(self._look(keeper) for keeper in keepers))

    async def run(self) -> None:
        """Follow, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            for keeper in self._keepers:
                tasks.create_task(self._keep(keeper))

    async def close(self) -> None:
        """Leave, with all that this server held. The database may be away."""
        await asyncio.gather(*(keeper.close() for keeper in self._keepers))
        with suppress(StoreUnavailableError):
            await self._database.run(self._presence.leave)
        await self._database.close()

    @property
    def routes(self) -> Mapping[str, Route]:
        """What every name stands for: those that were changed, and those of loaded models."""
        return {name: self._default(name) for name in self._defaults} | dict(self._view.routes)

    def route(self, name: str) -> Route | None:
        """What a name stands for; None where nobody has said, and no Triton has a model of that name."""
        return self._view.routes.get(name) or (self._default(name) if name in self._defaults else None)

    def main(self, name: str) -> Target:
        """The version that most requests of a name get; version 0 where nothing is known of it."""
        route = self.route(name)
        return Target(name) if route is None else route.main

    def choose(self, asked: str, request_id: str) -> Target:
        """The version that a request gets. `asked`: NAME, or NAME@VERSION for just that one.

        Version 0 where nothing is known of the name: Triton says then whether there is such a model. Raises
        InvalidParameterError, and ModelNotFoundError for a version that is not loaded.
        """
        try:
            target = parse_target(asked)
        except ValueError as error:
            raise InvalidParameterError(str(error), {"field": "model"}) from None
        if target.version:
            self._check_loaded(target)
            return target
        route = self.route(target.model)
        return target if route is None else route.pick(request_id)

    def _check_loaded(self, target: Target) -> None:
        """What is wanted will be there soon; what is not, and is nowhere, was not meant to be served."""
        there = [keeper for keeper in self._keepers if keeper.placements is not None]
        wanted = named(self._view, self._defaults) | self._view.held
        if there and target not in wanted and not any(target in keeper.ready for keeper in there):
            raise not_found(target, "model")

    @contextmanager
    def using(self, *targets: Target) -> Iterator[None]:
        """Somebody waits for these versions during the block: they stay loaded."""
        self._in_flight.update(targets)
        try:
            yield
        finally:
            self._in_flight.subtract(targets)
            self._in_flight += Counter()  # Drops what nobody waits for any more.

    @contextmanager
    def serving(self, asked: str, request_id: str) -> Iterator[Target]:
        """`choose`, and `using` what was chosen."""
        target = self.choose(asked, request_id)
        with self.using(target):
            yield target

    def look(self) -> None:
        """Look now: something was changed here."""
        self._soon.set()

    def placements(self) -> tuple[Placement, ...]:
        """What each of this server's Tritons knew of at the last look."""
        return tuple(each for keeper in self._keepers for each in keeper.placements or ())

    async def ready(self, target: Target) -> None:
        """Wait until every live server has `target`, which somebody must want, on all its Tritons that answer.

        Raises ModelRefusedError, with Triton's reason, where one cannot load it.
        """

        def arrived() -> bool:
            servers = self._view.servers.values()
            reasons = [server.failed[target] for server in servers if target in server.failed]
            if reasons:
                raise ModelRefusedError(reasons[0], {"model": target.model})
            return all(target in server.ready for server in servers)

        await self._wait(arrived)

    async def settled(self, name: str, generation: int, targets: Collection[Target] = ()) -> None:
        """Wait until every live server goes by that routing of `name` or a newer one, and nobody waits for `targets`.

        Not for those of them that another name stands for.
        """

        def arrived() -> bool:
            gone = set(targets) - named(self._view, self._defaults)
            servers = self._view.servers.values()
            return all(s.follows.get(name, 0) >= generation and not gone & s.in_flight for s in servers)

        await self._wait(arrived)

    async def _wait(self, arrived: Callable[[], bool]) -> None:
        async with self._looked:
            self.look()
            await self._looked.wait()  # At the earliest with what is known from now on.
            self.look()
            await self._looked.wait()
            await self._looked.wait_for(arrived)

    async def _follow(self) -> None:
        loop, beaten = asyncio.get_running_loop(), 0.0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._periods.poll):
                    await self._soon.wait()
            self._soon.clear()
            beat = loop.time() - beaten >= self._periods.beat
            with suppress(StoreUnavailableError):  # What is known stays so.
                await self._exchange(beat=beat)
                beaten = loop.time() if beat else beaten

    async def _exchange(self, *, beat: bool) -> None:
        mine = self._standing()
        view = await self._database.run(partial(self._presence.exchange, mine=mine, beat=beat))
        if view.routes != self._view.routes:
            logger.info("routing: %s", "; ".join(map(str, view.routes.values())))
            self._soon.set()  # Say soon that it is followed.
        async with self._looked:
            self._view = view
            self._asked = self._asked.union(view.held, *(route.targets for route in view.routes.values()))
            self._looked.notify_all()

    def _standing(self) -> Standing:
        there = [keeper for keeper in self._keepers if keeper.placements is not None]
        steady = [keeper.steady for keeper in there]
        return Standing(
            follows={name: route.generation for name, route in self._view.routes.items()},
            in_flight=frozenset(self._in_flight) - named(self._view, self._defaults) - _bare(self._in_flight),
            ready=frozenset.intersection(*steady) if steady else frozenset(),
            failed={target: reason for keeper in there for target, reason in keeper.failed.items()},
        )

    async def _keep(self, keeper: Keeper) -> None:
        while True:
            await asyncio.sleep(self._periods.poll)
            await self._look(keeper)
            routes = self.routes.values()
            metrics.show_shares({(r.name, str(share.target)): share.percent for r in routes for share in r.shares})

    async def _look(self, keeper: Keeper) -> None:
        await keeper.look()
        loaded = frozenset[Target]().union(*(each.ready for each in self._keepers))
        self._defaults = find_defaults(loaded, self._view, self._defaults)

    def wish(self, keeper: Keeper) -> Wish:
        """What a Triton is to have: all of them the same, but each the models of its own that nobody routes."""
        mine = {name: target for name, target in self._defaults.items() if any(t.model == name for t in keeper.ready)}
        wanted = named(self._view, mine) | self._view.held
        # What a card has loaded, and nobody has ever spoken of here, is none of ours.
        ours = {target for target in keeper.ready if target in self._asked or target.model in self._view.routes}
        return Wish(wanted, spare(ours, self._view, wanted))

    def _default(self, name: str) -> Route:
        return Route(name, (Share(self._defaults[name], WHOLE),))


def _bare(targets: Collection[Target]) -> frozenset[Target]:
    return frozenset(target for target in targets if not target.version)
