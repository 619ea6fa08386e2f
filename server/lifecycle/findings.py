"""What work on copies has found, summed up by versions in the database that all servers share."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, case, insert, select, update

from cards.target import Target, parse_target
from server.routing.database import RoutingDatabase
from server.routing.schema import findings


@dataclass(frozen=True)
class Pair:
    """Whose work is compared: for a name, that of `candidate` on copies, with that of `answered`."""

    name: str
    candidate: Target
    answered: Target


@dataclass(frozen=True)
class Copies:
    """What was found of one copy, or the sums over several.

    `difference`: mean absolute difference of the alphas, 0 to 1; `largest`: the largest of them. `candidate_s`,
    `answered_s`: seconds of the inferences.
    """

    compared: int = 0
    failed: int = 0
    skipped: int = 0
    difference: float = 0.0
    largest: float = 0.0
    candidate_s: float = 0.0
    answered_s: float = 0.0

    def mean(self, total: float) -> float:
        """A sum as the mean over what was compared; 0 where nothing was."""
        return total / self.compared if self.compared else 0.0


class Findings:
    """Raises `StoreUnavailableError` where the database does not answer."""

    def __init__(self, database: RoutingDatabase) -> None:
        self._database = database

    async def add(self, pair: Pair, found: Copies) -> None:
        """Add what was found to what is known."""
        await self._database.run(lambda connection: _add(connection, pair, found))

    async def read(self, name: str) -> Sequence[tuple[Pair, Copies]]:
        """What is known of all that worked on copies of a name's requests."""
        wanted = select(findings).where(findings.c.name == name).order_by(findings.c.candidate, findings.c.answered)
        rows = await self._database.run(lambda connection: connection.execute(wanted).mappings().all())
        return [
            (
                Pair(name, parse_target(row["candidate"]), parse_target(row["answered"])),
                Copies(**{column: row[column] for column in Copies.__dataclass_fields__}),
            )
            for row in rows
        ]


def _add(connection: Connection, pair: Pair, found: Copies) -> None:
    keys = {"name": pair.name, "candidate": str(pair.candidate), "answered": str(pair.answered)}
    sums: dict[str, ColumnElement[float]] = {
        column: findings.c[column] + getattr(found, column)
        for column in ("compared", "failed", "skipped", "difference", "candidate_s", "answered_s")
    }
    largest = case((findings.c.largest < found.largest, found.largest), else_=findings.c.largest)
    row = update(findings).where(*(findings.c[key] == value for key, value in keys.items()))
    if not connection.execute(row.values(**sums, largest=largest)).rowcount:
        connection.execute(insert(findings).values(**keys, **vars(found)))
