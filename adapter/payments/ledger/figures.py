"""The ledger in a few numbers, for those who watch it: cheap enough to be read every few seconds."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select

from adapter.payments.ledger.claim import PAID, State
from adapter.payments.ledger.schema import claims, journal

KINDS = ("settlement", "delivery")


@dataclass(frozen=True)
class Figures:
    """At one moment. Amounts in millionths of a dollar, by kind: settlement, delivery."""

    states: Mapping[State, int]
    """Claims in each state."""
    ages_s: Mapping[State, float]
    """How long ago the claim changed that stands longest in each state; 0 where there is none."""
    booked: Mapping[str, int]
    """What the journal holds."""
    claimed: Mapping[str, int]
    """What the claims' own states say, which the journal must agree with."""


def read_figures(connection: Connection, now: float) -> Figures:
    """Read what `connection` sees; `now` in Unix seconds."""
    c, j = claims.c, journal.c
    states, ages_s = dict.fromkeys(State, 0), dict.fromkeys(State, 0.0)
    for state, count, oldest in connection.execute(
        select(c.state, func.count(), func.min(c.changed_at)).group_by(c.state)
    ):
        states[State(state)], ages_s[State(state)] = int(count), max(0.0, now - oldest)
    sums = connection.execute(select(j.kind, func.sum(j.amount)).where(j.side == "credit").group_by(j.kind))
    booked = dict.fromkeys(KINDS, 0) | {str(kind): int(amount) for kind, amount in sums}
    claimed = {
        "settlement": _sum(connection, c.state.in_([*PAID])),
        "delivery": _sum(connection, c.state == State.DELIVERED.value),
    }
    return Figures(states, ages_s, booked, claimed)


def _sum(connection: Connection, which: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.coalesce(func.sum(claims.c.amount), 0)).where(which)).scalar_one())
