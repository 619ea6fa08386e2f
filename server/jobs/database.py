"""The transactions of the jobs."""

from database.transactions import Transactions
from server.errors import StoreUnavailableError
from server.jobs.schema import metadata


class Database(Transactions):
    """Runs the jobs' transactions. Raises StoreUnavailableError where the database does not answer."""

    def __init__(self, url: str) -> None:
        """Raises ValueError where `url` names neither SQLite nor PostgreSQL."""
        super().__init__(url, "jobs", metadata)

    def _unavailable(self, *, busy: bool) -> StoreUnavailableError:
        return StoreUnavailableError("The store of jobs is busy." if busy else "The store of jobs does not answer.")
