"""The rules of the money, as queries for what breaks them. All of them hold after every single transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, case, func, literal, or_, select

from adapter.payments.ledger.claim import PAID, State
from adapter.payments.ledger.schema import claim_keys, claims, journal


@dataclass(frozen=True)
class Rule:
    """`broken_by` finds the names of what breaks the rule; it finds nothing in a good ledger."""

    text: str
    broken_by: Select[Any]


_c, _j = claims.c, journal.c
_is_settled = _c.state.in_([*PAID])
_is_delivered = _c.state == State.DELIVERED.value


def _booked(kind: str, side: str) -> Any:  # noqa: ANN401
    """What is booked for a claim, as a subquery of its row."""
    entries = select(func.coalesce(func.sum(_j.amount), 0)).where(_j.claim == _c.id, _j.kind == kind, _j.side == side)
    return entries.correlate(claims).scalar_subquery()


def _wrongly_booked(kind: str, applies: Any) -> Select[Any]:  # noqa: ANN401
    due = case((applies, _c.amount), else_=0)
    return select(_c.id).where(or_(_booked(kind, "debit") != due, _booked(kind, "credit") != due))


_CHAIN = literal("chain:") + _c.rail + ":" + _c.network
_PAYER = literal("payer:") + _c.network + ":" + _c.payer
_REVENUE = literal("revenue:") + _c.operation
_ACCOUNT = case(
    (and_(_j.kind == "settlement", _j.side == "debit"), _CHAIN),
    (and_(_j.kind == "delivery", _j.side == "credit"), _REVENUE),
    else_=_PAYER,
)
_BALANCE = func.sum(case((_j.side == "credit", _j.amount), else_=-_j.amount))
_TOTAL = select(func.coalesce(_BALANCE, 0)).select_from(journal).scalar_subquery()
_FINISHED_BADLY = or_(
    and_(_is_settled, or_(_c.transaction.is_(None), _c.settled_at.is_(None))),
    and_(~_is_settled, or_(_c.transaction.is_not(None), _c.settled_at.is_not(None))),
    _is_delivered != _c.delivered_at.is_not(None),
)

RULES: Sequence[Rule] = (
    Rule(
        "every settlement is booked once, with its amount, and nothing else is",
        _wrongly_booked("settlement", _is_settled),
    ),
    Rule(
        "every delivery is booked once, with its amount, and nothing else is",
        _wrongly_booked("delivery", _is_delivered),
    ),
    Rule(
        "every entry stands in the account it belongs to",
        select(_j.claim).join_from(journal, claims, _c.id == _j.claim).where(_j.account != _ACCOUNT),
    ),
    Rule(
        "every entry has its claim",
        select(_j.claim).outerjoin_from(journal, claims, _c.id == _j.claim).where(_c.id.is_(None)),
    ),
    Rule("debits and credits are equal", select(literal("the journal")).where(_TOTAL != 0)),
    Rule(
        "nobody was given more than was paid: delivered ≤ settled for each payer",
        select(_j.account).where(_j.account.startswith("payer:")).group_by(_j.account).having(_BALANCE < 0),
    ),
    Rule("a claim has a transaction and dates just when its state says so", select(_c.id).where(_FINISHED_BADLY)),
    Rule(
        "a transaction pays for one claim",
        select(_c.transaction)
        .where(_c.transaction.is_not(None))
        .group_by(_c.network, _c.transaction)
        .having(func.count() > 1),
    ),
    Rule(
        "a credential leads to its own claim",
        select(_c.id)
        .outerjoin_from(claims, claim_keys, and_(claim_keys.c.key == _c.name, claim_keys.c.claim == _c.id))
        .where(claim_keys.c.key.is_(None)),
    ),
)
