"""The journal in double entry: what came from a chain belongs to its payer until the result is delivered."""

from sqlalchemy import Connection, insert

from adapter.payments.ledger.claim import Claim
from adapter.payments.ledger.schema import journal
from adapter.payments.payment import PaymentFacts


def chain_account(facts: PaymentFacts) -> str:
    """What was received on a chain."""
    return f"chain:{facts.rail}:{facts.network}"


def payer_account(facts: PaymentFacts) -> str:
    """What is owed to a payer."""
    return f"payer:{facts.network}:{facts.payer}"


def revenue_account(operation: str) -> str:
    """What was earned with an operation."""
    return f"revenue:{operation}"


def book_settlement(connection: Connection, claim: Claim, now: float) -> None:
    """Money has arrived: the chain's account is debited, the payer's credited."""
    _book(connection, claim, "settlement", now, debit=chain_account(claim.facts), credit=payer_account(claim.facts))


def book_delivery(connection: Connection, claim: Claim, now: float) -> None:
    """The result was handed over: the payer's account is debited, the revenue credited."""
    _book(connection, claim, "delivery", now, debit=payer_account(claim.facts), credit=revenue_account(claim.operation))


def _book(connection: Connection, claim: Claim, kind: str, now: float, *, debit: str, credit: str) -> None:
    entry = {"claim": claim.id, "kind": kind, "amount": claim.facts.amount, "at": now}
    sides = [{"side": "debit", "account": debit}, {"side": "credit", "account": credit}]
    connection.execute(insert(journal), [entry | side for side in sides])
