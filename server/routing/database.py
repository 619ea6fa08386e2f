"""The transactions of the routing."""

from database.transactions import Transactions
from server.errors import StoreUnavailableError
from server.routing.schema import metadata


class RoutingDatabase(Transactions):
    """Runs the routing's transactions. Raises StoreUnavailableError where the database does not answer."""

    def __init__(self, url: str) -> None:
        """Raises ValueError where `url` names neither SQLite nor PostgreSQL."""
        super().__init__(url, "jobs", metadata)  # They lie beside the jobs.

    def _unavailable(self, *, busy: bool) -> StoreUnavailableError:
        return StoreUnavailableError("The store of routing is busy." if busy else "The store of routing is away.")
