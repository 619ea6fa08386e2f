"""Runs transactions in threads of its own, so that none blocks the event loop."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from database.engine import CONNECTIONS, make_engine

T = TypeVar("T")

_ATTEMPTS = 4  # Two requests that insert the same key collide once; the second try sees what the first has done.
_SETUP_LOCK = 4020402  # Any number: PostgreSQL's advisory lock for making the tables.


class Transactions(ABC):
    """Runs functions over a connection, each in one transaction, in a thread."""

    def __init__(self, url: str, name: str, tables: MetaData) -> None:
        """`name` says in errors what is kept. Raises ValueError where `url` names neither SQLite nor PostgreSQL."""
        self._tables = tables
        self._engine = make_engine(url, name)
        # SQLite has one writer at a time; more threads would only wait for each other.
        self._threads = ThreadPoolExecutor(1 if self._engine.dialect.name == "sqlite" else CONNECTIONS, name)

    async def start(self) -> None:
        """Make the tables where they are missing. Raises what `_unavailable` returns."""
        await self.run(self._make_tables)

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction: all of it happens, or nothing. It may run more than once.

        Raises what `_unavailable` returns; what `work` raises rolls back and passes.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._transact, work)

    async def close(self) -> None:
        """Give back the connections and the threads."""
        await asyncio.to_thread(self._threads.shutdown)
        self.dispose()

    def dispose(self) -> None:
        """Give back the connections that are not in use."""
        self._engine.dispose()

    @abstractmethod
    def _unavailable(self, *, busy: bool) -> Exception:
        """The error for a database that does not answer, or that is too `busy` to take a transaction."""

    def _transact(self, work: Callable[[Connection], T]) -> T:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except IntegrityError as error:
                if attempt == _ATTEMPTS:
                    raise self._unavailable(busy=True) from error
            except (SQLAlchemyError, OSError) as error:
                raise self._unavailable(busy=False) from error
        raise AssertionError

    def _make_tables(self, connection: Connection) -> None:
        if connection.dialect.name == "postgresql":  # CREATE … IF NOT EXISTS of two processes at once can fail there.
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _SETUP_LOCK})
        self._tables.create_all(connection)
