"""Reads the whole ledger at one moment: its sums, and every rule of the money that it breaks."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, case, func, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from adapter.payments.errors import StoreUnavailableError
from adapter.payments.ledger.claim import PAID, Claim, State, read_claim
from adapter.payments.ledger.rules import RULES
from adapter.payments.ledger.schema import GUARDS, claims, journal
from database.engine import make_engine

_NAMED = 20  # Offenders of one rule that are named; a broken ledger may have a million.
_TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'",
}


@dataclass(frozen=True)
class Account:
    """Sums of one account, or of all accounts of payers together, in millionths of a dollar."""

    name: str
    debits: int
    credits: int


@dataclass(frozen=True)
class Report:
    """The ledger at one moment. Amounts in millionths of a dollar."""

    states: dict[State, int]
    """Claims in each state."""
    settled: int
    delivered: int
    redeemable: int
    """Paid before any work (MPP push) and seen here, but not settled here yet: the payer may still come for it."""
    accounts: tuple[Account, ...]
    recent: tuple[Claim, ...]
    """The claims that changed last, newest first."""
    violations: tuple[str, ...]
    """A sentence for each rule that is broken; empty where all is well."""


def read_report(url: str, recent: int = 20) -> Report:
    """Read and check the ledger at `url`. Blocks. `recent`: how many claims to list.

    Raises ValueError where there is none, StoreUnavailableError where it does not answer.
    """
    engine = make_engine(url, "ledger", read_only=True)
    try:
        with engine.begin() as connection:
            if not inspect(connection).has_table("claims"):
                raise ValueError("there is no ledger in this database")
            return make_report(connection, recent)
    except SQLAlchemyError as error:
        raise StoreUnavailableError("ledger_unavailable", "The payment ledger does not answer.") from error
    finally:
        engine.dispose()


def make_report(connection: Connection, recent: int) -> Report:
    """Read and check what `connection` sees."""
    c = claims.c
    states = connection.execute(select(c.state, func.count()).group_by(c.state))
    newest = select(claims).order_by(c.changed_at.desc(), c.id).limit(recent)
    return Report(
        states={State(state): count for state, count in states},
        settled=_sum(connection, c.state.in_([*PAID])),
        delivered=_sum(connection, c.state == State.DELIVERED.value),
        redeemable=_sum(connection, c.expires_at.is_(None) & c.verified_at.is_not(None) & c.state.not_in([*PAID])),
        accounts=tuple(_accounts(connection)),
        recent=tuple(read_claim(row) for row in connection.execute(newest).mappings()),
        violations=tuple(_violations(connection)),
    )


def _sum(connection: Connection, which: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.coalesce(func.sum(claims.c.amount), 0)).where(which)).scalar_one())


def _accounts(connection: Connection) -> Iterator[Account]:
    # A payer's address is in the rows of the claims; here they are one.
    name = case((journal.c.account.startswith("payer:"), "payers"), else_=journal.c.account).label("name")
    sides = [func.sum(case((journal.c.side == side, journal.c.amount), else_=0)) for side in ("debit", "credit")]
    for row in connection.execute(select(name, *sides).group_by(name).order_by(name)):
        yield Account(row[0], int(row[1]), int(row[2]))


def _violations(connection: Connection) -> Iterator[str]:
    for rule in RULES:
        offenders = [str(row[0]) for row in connection.execute(rule.broken_by.limit(_NAMED + 1))]
        if offenders:
            more = " and more" if len(offenders) > _NAMED else ""
            yield f"broken: {rule.text} ({', '.join(offenders[:_NAMED])}{more})"
    present = {row[0] for row in connection.execute(text(_TRIGGERS[connection.dialect.name]))}
    for name, _when, _condition, message in GUARDS:
        if name not in present:
            yield f"broken: the database no longer guards that {message} ({name})"
