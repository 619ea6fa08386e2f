"""`clearcanvas ledger`: right books pass, and books that somebody has forged do not."""

from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from adapter.payments.ledger.audit import read_report
from adapter.payments.ledger.schema import GUARDS
from cli.__main__ import app
from database.engine import make_engine
from tests.support.payments.shop import open_shop
from tests.support.payments.world import charge_for


@pytest.fixture
async def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder whose ledger holds a delivered and a released payment."""
    monkeypatch.delenv("CLEARCANVAS_LEDGER", raising=False)
    async with open_shop(tmp_path) as shop:
        await shop.buy(shop.pay("a"))
        with pytest.raises(ZeroDivisionError):
            async with shop.gate.open(shop.pay("b"), charge_for(b"cat")):
                raise ZeroDivisionError
    return tmp_path


def ledger(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["ledger", *arguments])
    return result.exit_code, result.output


def test_right_books_are_listed_and_summed(folder: Path) -> None:
    code, output = ledger("--data", str(folder))

    assert code == 0, output
    for word in ("delivered", "released", "chain:x402:eip155:1", "$0.05", "The books are right"):
        assert word in output


def test_the_variable_names_the_ledger_where_it_is_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARCANVAS_LEDGER", f"sqlite:///{folder / 'ledger.sqlite'}")

    assert ledger("--data", "/nowhere")[0] == 0


@pytest.mark.parametrize("content", [None, b"", b"not a database at all, and long enough to be one" * 40])
def test_no_ledger_is_a_clear_error(tmp_path: Path, content: bytes | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLEARCANVAS_LEDGER", raising=False)
    if content is not None:
        (tmp_path / "ledger.sqlite").write_bytes(content)

    code, output = ledger("--data", str(tmp_path))

    assert code == 2
    assert "ledger" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("forgery", "broken"),
    [
        ("UPDATE journal SET amount = amount + 1 WHERE side = 'debit' AND kind = 'settlement'", "debits and credits"),
        ("DELETE FROM journal WHERE kind = 'settlement'", "every settlement is booked once"),
        ("DELETE FROM journal WHERE kind = 'delivery'", "every delivery is booked once"),
        ("DELETE FROM journal WHERE kind = 'settlement'", "delivered ≤ settled"),
        ("UPDATE journal SET account = 'payer:eip155:1:0xthief' WHERE account LIKE 'payer:%'", "account it belongs to"),
        ("UPDATE claims SET state = 'released' WHERE state = 'delivered'", "every settlement is booked once"),
        ("UPDATE claims SET state = 'released' WHERE state = 'delivered'", "a transaction and dates"),
        ("UPDATE claims SET state = 'delivered' WHERE state = 'released'", "every delivery is booked once"),
        ('UPDATE claims SET "transaction" = (SELECT max("transaction") FROM claims)', "one claim"),
        ("UPDATE claims SET amount = 1 WHERE state = 'delivered'", "with its amount"),
        ("DELETE FROM claim_keys", "leads to its own claim"),
        ("DELETE FROM claims WHERE state = 'delivered'", "every entry has its claim"),
    ],
)
def test_forged_books_are_found(folder: Path, forgery: str, broken: str) -> None:
    url = f"sqlite:///{folder / 'ledger.sqlite'}"
    engine = make_engine(url, "ledger")
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        for name, *_rest in GUARDS:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.execute(text(forgery))
    engine.dispose()

    violations = read_report(url).violations

    assert any(broken in violation for violation in violations), violations
    assert sum("no longer guards" in violation for violation in violations) == len(GUARDS)
    assert ledger("--data", str(folder))[0] == 1
