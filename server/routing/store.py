"""Routing as every server sees it: what names stand for, what must stay loaded, who changes what."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from cards.target import Target, parse_target
from server.errors import ModelBusyError
from server.routing.database import RoutingDatabase
from server.routing.route import Route, Share
from server.routing.schema import holds, locks, routes

Json = list[Any]


class RouteStore:
    """Raises StoreUnavailableError where the database does not answer."""

    def __init__(self, database: RoutingDatabase, server: str) -> None:
        """`server`: this process's name in the database; what it holds and locks goes with it."""
        self._database = database
        self._server = server
        self._holds: dict[str, Target] = {}
        self._locks: set[str] = set()

    async def read(self) -> Mapping[str, Route]:
        """What each name stands for that was ever changed."""
        return await self._database.run(read_routes)

    async def change(
        self,
        name: str,
        *,
        shares: Sequence[Share],
        mirror: Share | None,
        previous: Sequence[Share],
        generation: int,
        also: Callable[[Connection], None] | None = None,
    ) -> Route:
        """Let a name stand for something else. `generation`: of the routing that the change was decided on.

        `also` is done in the same transaction. Raises ModelBusyError where somebody else has changed it since.
        """
        wanted = Route(name, tuple(shares), mirror, generation + 1, tuple(previous))

        def work(connection: Connection) -> Route:
            if generation:
                row = update(routes).where(routes.c.name == name, routes.c.generation == generation)
                if not connection.execute(row.values(**_columns(wanted))).rowcount:
                    raise busy(name)
            elif connection.execute(select(routes.c.name).where(routes.c.name == name)).first():
                raise busy(name)
            else:
                connection.execute(insert(routes).values(name=name, **_columns(wanted)))
            if also is not None:
                also(connection)
            return wanted

        return await self._database.run(work)

    @asynccontextmanager
    async def hold(self, *targets: Target) -> AsyncIterator[None]:
        """Have versions loaded everywhere, and kept so, during the block, and as long as this server lives."""
        mine = {str(uuid4()): target for target in targets}
        self._holds |= mine
        try:
            await self._database.run(self.settle)
            yield
        finally:
            for each in mine:
                del self._holds[each]
            await self._database.run(self.settle)

    @asynccontextmanager
    async def lock(self, name: str) -> AsyncIterator[None]:
        """Be the only one, of all servers, who does something called `name`. Raises ModelBusyError at once."""
        holder = str(uuid4())

        def work(connection: Connection) -> None:
            if connection.execute(select(locks.c.name).where(locks.c.name == name)).first():
                raise busy(name)
            connection.execute(insert(locks).values(name=name, server=self._server, holder=holder))

        self._locks.add(holder)
        try:
            await self._database.run(work)
            yield
        finally:
            self._locks.remove(holder)
            await self._database.run(self.settle)

    def settle(self, connection: Connection) -> None:
        """Have the tables say what this server holds, and has locked no more; done again and again.

        It loses its rows when it is taken for dead, and could not take them back while the database was away.
        """
        there = set(connection.scalars(select(holds.c.id).where(holds.c.server == self._server)))
        # What others add meanwhile is seen here or is not written yet: these are the collections themselves.
        for key, target in list(self._holds.items()):
            if key not in there:
                connection.execute(insert(holds).values(id=key, server=self._server, target=str(target)))
        for key in there:
            if key not in self._holds:
                connection.execute(delete(holds).where(holds.c.id == key))
        for key in connection.scalars(select(locks.c.holder).where(locks.c.server == self._server)).all():
            if key not in self._locks:
                connection.execute(delete(locks).where(locks.c.holder == key))


def read_routes(connection: Connection) -> Mapping[str, Route]:
    """What each name stands for that was ever changed."""
    return {row["name"]: _route(row) for row in connection.execute(select(routes)).mappings()}


def read_holds(connection: Connection) -> frozenset[Target]:
    """What must stay loaded although no name stands for it."""
    return frozenset(parse_target(text) for text in connection.scalars(select(holds.c.target)))


def busy(name: str) -> ModelBusyError:
    """The error for a name that somebody else is changing."""
    return ModelBusyError(f"Another change of {name} is under way.", {"model": name})


def _columns(route: Route) -> dict[str, Any]:
    return {
        "shares": _written(route.shares),
        "mirror": None if route.mirror is None else _written([route.mirror]),
        "previous": _written(route.previous),
        "generation": route.generation,
    }


def _route(row: RowMapping) -> Route:
    mirror = None if row["mirror"] is None else _shares(row["mirror"])[0]
    return Route(row["name"], _shares(row["shares"]), mirror, row["generation"], _shares(row["previous"]))


def _written(shares: Sequence[Share]) -> Json:
    return [[str(share.target), share.percent] for share in shares]


def _shares(written: Json) -> tuple[Share, ...]:
    return tuple(Share(parse_target(target), percent) for target, percent in written)
