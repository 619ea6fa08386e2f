"""The ledger: which credential bought what, how far that has come, and the money booked for it in double entry."""

from adapter.payments.ledger.claim import Claim, State, StoredResult
from adapter.payments.ledger.ledger import Ledger

__all__ = ["Claim", "Ledger", "State", "StoredResult"]
