"""The transactions of the ledger."""

from adapter.payments.errors import StoreUnavailableError
from adapter.payments.ledger.schema import metadata
from database.transactions import Transactions


class Database(Transactions):
    """Runs the ledger's transactions. Raises StoreUnavailableError where the database does not answer."""

    def __init__(self, url: str) -> None:
        """Raises ValueError where `url` names neither SQLite nor PostgreSQL."""
        super().__init__(url, "ledger", metadata)

    def _unavailable(self, *, busy: bool) -> StoreUnavailableError:
        if busy:
            return StoreUnavailableError("ledger_busy", "The payment ledger is busy.")
        return StoreUnavailableError("ledger_unavailable", "The payment ledger does not answer.")
