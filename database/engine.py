"""Connections to a database: SQLite by default, PostgreSQL by URL."""

import sqlite3
import time
from pathlib import Path
from typing import cast

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

CONNECTIONS = 8
"""Connections of one process to PostgreSQL; a transaction takes about a millisecond."""

_WAIT_S = 5  # For a lock or a connection; a payer is told 503 rather than kept waiting longer.
# A process that was paused amid a transaction loses it, rather than to keep its locks from all others.
_POSTGRES = f"-c statement_timeout={_WAIT_S}s -c idle_in_transaction_session_timeout={_WAIT_S}s"


def make_engine(url: str, name: str, *, read_only: bool = False) -> Engine:
    """Prepare connections to `url`; with `read_only`, each transaction sees one state and may change nothing.

    `name` says in errors what is kept there, for example `ledger`. Raises ValueError where `url` names neither SQLite
    nor PostgreSQL, or a SQLite file to read that is not there.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:  # Its text shows the whole URL, and a URL may hold a password.
        raise ValueError(f"the URL of the {name} cannot be read: use sqlite:///PATH or postgresql://…") from None
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        return _sqlite(parsed, name, read_only=read_only)
    if kind == "postgresql":
        return _postgres(parsed, read_only=read_only)
    raise ValueError(f"the {name} is kept in SQLite or PostgreSQL, not in {kind}")


def _sqlite(url: URL, name: str, *, read_only: bool) -> Engine:
    path = None if url.database in (None, "", ":memory:") else Path(str(url.database))
    if path is None:
        raise ValueError(f"the {name} must be a file: what is only in memory is lost with the process")
    if read_only and not path.exists():
        raise ValueError(f"there is no {name} in {path}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"the folder of the {name} cannot be made: {error}") from error
    engine = create_engine(url.set(drivername="sqlite"), connect_args={"timeout": _WAIT_S})

    @event.listens_for(engine, "connect")
    def _configure(raw: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        connection = cast("sqlite3.Connection", raw)
        connection.isolation_level = None  # Or the driver begins transactions of its own, late.
        if read_only:
            connection.execute("PRAGMA query_only = ON")
            return
        _use_write_ahead_log(connection)
        # FULL: what was committed before the money moved must outlive a power cut.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # IMMEDIATE: read and write under one lock, or two who have read the same both decide.
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Whoever opens a new file first changes its mode; another at that moment is told `locked`, not made to wait."""
    for _attempt in range(_WAIT_S * 20):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(1 / 20)
        else:
            return
    raise sqlite3.OperationalError("database is locked")


def _postgres(url: URL, *, read_only: bool) -> Engine:
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=_WAIT_S,
        pool_pre_ping=True,
        connect_args={"connect_timeout": _WAIT_S, "options": _POSTGRES},
    )
    if not read_only:
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
