"""What every server says of itself, and who of them lives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from cards.target import Target, parse_target
from database.presence import Sightings
from server.routing.route import Route
from server.routing.schema import holds, locks, servers
from server.routing.store import RouteStore, read_holds, read_routes


@dataclass(frozen=True)
class Standing:
    """What a server says. `follows`: the generation of each name's routing that its requests go by; none is 0.

    `in_flight`: versions that somebody waits for there. `ready`: versions that all its Tritons have. `failed`: versions
    that one of them could not load, with the reason.
    """

    follows: Mapping[str, int] = field(default_factory=dict)
    in_flight: frozenset[Target] = frozenset()
    ready: frozenset[Target] = frozenset()
    failed: Mapping[Target, str] = field(default_factory=dict)


@dataclass(frozen=True)
class View:
    """All that is known, at one moment: of every name that was changed, of what is held, and of every live server."""

    routes: Mapping[str, Route] = field(default_factory=dict)
    held: frozenset[Target] = frozenset()
    servers: Mapping[str, Standing] = field(default_factory=dict)


class Presence:
    """This server's row among the others'. Its methods are parts of a transaction."""

    def __init__(self, me: str, store: RouteStore, sightings: Sightings) -> None:
        self._me = me
        self._store = store
        self._sightings = sightings

    def exchange(self, connection: Connection, mine: Standing, *, beat: bool) -> View:
        """Look at all, strike off the dead, and say `mine` where something in it is new, or a `beat` is due."""
        rows = {row["id"]: row for row in connection.execute(select(servers)).mappings()}
        dead = self._sightings.look({server: row["beats"] for server, row in rows.items()}) - {self._me}
        for server in dead:
            _strike(connection, server)
        self._say(connection, rows.get(self._me), mine, beat=beat)
        self._store.settle(connection)
        others = {server: _standing(row) for server, row in rows.items() if server not in dead}
        return View(read_routes(connection), read_holds(connection), {**others, self._me: mine})

    def leave(self, connection: Connection) -> None:
        """Strike this server off, with what it holds."""
        _strike(connection, self._me)

    def _say(self, connection: Connection, row: RowMapping | None, mine: Standing, *, beat: bool) -> None:
        columns = _columns(mine)
        if row is None:
            connection.execute(insert(servers).values(id=self._me, beats=0, **columns))
        elif beat or any(row[key] != value for key, value in columns.items()):
            which = update(servers).where(servers.c.id == self._me)
            connection.execute(which.values(beats=row["beats"] + 1, **columns))


def _strike(connection: Connection, server: str) -> None:
    connection.execute(delete(servers).where(servers.c.id == server))
    for table in (holds, locks):
        connection.execute(delete(table).where(table.c.server == server))


def _columns(mine: Standing) -> dict[str, Any]:
    return {
        "follows": dict(mine.follows),
        "in_flight": sorted(map(str, mine.in_flight)),
        "ready": sorted(map(str, mine.ready)),
        "failed": {str(target): reason for target, reason in sorted(mine.failed.items())},
    }


def _standing(row: RowMapping) -> Standing:
    return Standing(
        follows=row["follows"],
        in_flight=frozenset(map(parse_target, row["in_flight"])),
        ready=frozenset(map(parse_target, row["ready"])),
        failed={parse_target(target): reason for target, reason in row["failed"].items()},
    )
