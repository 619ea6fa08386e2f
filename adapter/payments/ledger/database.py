"""The database under the ledger: SQLite by default, PostgreSQL by URL. Blocking calls run in threads of its own."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar, cast

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from adapter.payments.errors import StoreUnavailableError
from adapter.payments.ledger.schema import metadata

T = TypeVar("T")

_WAIT_S = 5  # For a lock or a connection; a payer is told 503 rather than kept waiting longer.
_ATTEMPTS = 4  # Two requests that insert the same key collide once; the second try sees what the first has done.
_SETUP_LOCK = 4020402  # Any number: PostgreSQL's advisory lock for making the tables.


class Database:
    """Runs functions over a connection, each in one transaction, in a thread."""

    def __init__(self, url: str) -> None:
        """Raises ValueError where `url` names neither SQLite nor PostgreSQL."""
        try:
            self._url = make_url(url)
        except ArgumentError as error:
            raise ValueError("the ledger's URL cannot be read: use sqlite:///PATH or postgresql+psycopg://…") from error
        kind = self._url.get_backend_name()
        if kind not in ("sqlite", "postgresql"):
            raise ValueError(f"the ledger is kept in SQLite or PostgreSQL, not in {kind}")
        self._engine = _sqlite(self._url) if kind == "sqlite" else _postgres(self._url)
        # SQLite has one writer at a time; more threads would only wait for each other.
        self._threads = ThreadPoolExecutor(1 if kind == "sqlite" else 8, "ledger")

    async def start(self) -> None:
        """Make the tables where they are missing. Raises StoreUnavailableError."""
        await self.run(_make_tables)

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction: all of it happens, or nothing. It may run more than once.

        Raises StoreUnavailableError where the database does not answer; what `work` raises rolls back and passes.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._transact, work)

    async def close(self) -> None:
        """Give back the connections and the threads."""
        await asyncio.to_thread(self._threads.shutdown)
        self._engine.dispose()

    def _transact(self, work: Callable[[Connection], T]) -> T:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except IntegrityError as error:
                if attempt == _ATTEMPTS:
                    raise StoreUnavailableError("ledger_busy", "The payment ledger is busy.") from error
            except (SQLAlchemyError, OSError) as error:
                raise StoreUnavailableError("ledger_unavailable", "The payment ledger does not answer.") from error
        raise AssertionError


def _make_tables(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # CREATE … IF NOT EXISTS of two processes at once can fail there.
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _SETUP_LOCK})
    metadata.create_all(connection)


def _sqlite(url: URL) -> Engine:
    if url.database and not url.database.startswith("file:"):
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": _WAIT_S})

    @event.listens_for(engine, "connect")
    def _configure(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        cast(
            "sqlite3.Connection", connection
        ).isolation_level = None  # Or the driver begins transactions of its own, late.
        # FULL: what was committed before the money moved must outlive a power cut.
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            cast("sqlite3.Connection", connection).execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # Read and write under one lock, or two readers both decide.

    return engine


def _postgres(url: URL) -> Engine:
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=8,
        max_overflow=0,
        pool_timeout=_WAIT_S,
        pool_pre_ping=True,
        connect_args={"connect_timeout": _WAIT_S, "options": f"-c statement_timeout={_WAIT_S}s"},
    )
