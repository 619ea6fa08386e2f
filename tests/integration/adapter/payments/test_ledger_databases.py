"""Databases that are new, gone, or none: what the ledger makes of them."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from adapter.payments.errors import StoreUnavailableError
from adapter.payments.ledger import Ledger
from database.engine import make_engine
from tests.support.postgres import RunningPostgres


async def test_a_start_waits_for_another_process_that_makes_the_same_file(tmp_path: Path) -> None:
    another = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    another.execute("BEGIN IMMEDIATE")  # While it stands, SQLite refuses to change the file's mode, and does not wait.
    another.execute("CREATE TABLE first (x)")
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    start = asyncio.ensure_future(ledger.start())
    await asyncio.wait({start}, timeout=0.3)
    assert not start.done(), "did not wait"
    another.execute("COMMIT")
    another.close()
    await start
    await ledger.close()


@pytest.mark.case("P14")
async def test_a_database_that_goes_away_is_unavailable_and_comes_back(postgres: RunningPostgres) -> None:
    url = postgres.create_database()
    ledger = Ledger(url.replace(postgres.address, "127.0.0.1:1"))
    with pytest.raises(StoreUnavailableError):
        await ledger.start()
    await ledger.close()

    ledger = Ledger(url)
    await ledger.start()
    engine = make_engine(url, "ledger")
    with engine.begin() as connection:  # As a restart of the server would.
        others = "pid <> pg_backend_pid() AND datname = current_database()"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))  # noqa: S608
    engine.dispose()
    assert await ledger.chores.lead("reconciler", 10.0)
    await ledger.close()


@pytest.mark.parametrize(
    "url", ["mysql://user:secret@x/y", "secret", "sqlite://", "sqlite:////proc/nowhere/ledger.sqlite"]
)
def test_a_url_that_cannot_hold_a_ledger_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match="ledger") as refusal:
        Ledger(url)
    assert "secret" not in str(refusal.value)
