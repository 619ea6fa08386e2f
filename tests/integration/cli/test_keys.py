"""`clearcanvas keys`: a key is made, used, listed and revoked; its secret is shown once and kept nowhere."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.jobs.orders import VIDEO
from adapter.keys.key import digest_secret, is_secret
from adapter.operations import OPERATIONS
from adapter.sale.settings import PRICES
from cli.keys import NAMES, app
from tests.support.postgres import RunningPostgres


def keys(*arguments: str, code: int = 0) -> tuple[str, str]:
    """Runs the command; returns what it printed, and what it said beside."""
    result = CliRunner().invoke(app, [*arguments], env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output
    return result.stdout, result.stderr


def add(data: Path, *arguments: str) -> tuple[str, str]:
    """Makes a key; returns its secret and its id."""
    printed, said = keys("add", *arguments, "--data", str(data))
    return printed.strip(), said.split()[1].rstrip(",")


def test_the_secret_is_printed_alone_and_only_its_hash_is_kept(tmp_path: Path) -> None:
    secret, key_id = add(tmp_path, "a shop")
    assert is_secret(secret)
    assert digest_secret(secret).hex().startswith(key_id)
    listed, _ = keys("list", "--data", str(tmp_path))
    assert key_id in listed
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert digest_secret(secret) in kept
    assert secret.encode() not in kept
    assert secret not in listed


def test_what_a_key_allows_is_listed(tmp_path: Path) -> None:
    bounds = ("--operation", "matte", "--operation", "blur", "--per-minute", "7", "--monthly", "900")
    add(tmp_path, "[red]a shop[/red]", *bounds)
    listed, _ = keys("list", "--data", str(tmp_path))
    for word in ("[red]a", "blur, matte", "7", "900"):
        assert word in listed


@pytest.mark.parametrize(
    "arguments",
    [("--operation", "mate"), ("--operation", "remove-background"), ("--per-minute", "0"), ("--monthly", "0")],
)
def test_what_a_key_cannot_be_for_is_refused(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    keys("add", "a shop", *arguments, "--data", str(tmp_path), code=2)
    assert not (tmp_path / "keys.sqlite").exists()


def test_a_key_is_for_what_is_served_with_keys() -> None:
    assert set(NAMES) == {"removebg", VIDEO, *(row.name for row in OPERATIONS)}
    assert set(NAMES) - {"removebg"} <= set(PRICES)


def test_a_key_is_revoked_once(tmp_path: Path) -> None:
    _, key_id = add(tmp_path, "a shop")
    keys("revoke", key_id, "--data", str(tmp_path))
    _, said = keys("revoke", key_id, "--data", str(tmp_path), code=1)
    assert key_id in said


def test_the_keys_are_where_the_setting_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: RunningPostgres
) -> None:
    monkeypatch.setenv("CLEARCANVAS_KEYS", postgres.create_database())
    _, key_id = add(tmp_path, "a shop")
    assert key_id in keys("list")[0]
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("CLEARCANVAS_KEYS", "mysql://user:hidden@x/y")
    _, said = keys("list", code=2)
    assert "hidden" not in said


def test_a_file_that_is_no_database_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "keys.sqlite").write_bytes(b"not a database, but long enough to be looked at as one" * 30)
    _, said = keys("list", "--data", str(tmp_path), code=2)
    assert said.strip() == "The store of the API keys does not answer. Try again later."
