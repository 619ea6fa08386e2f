"""`clearcanvas keys`: who may use the image operations, for what, and how much."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from adapter.errors import KeysUnavailableError
from adapter.keys.key import Key, NewKey, sort_operations
from adapter.keys.store import KeyStore
from adapter.operations import OPERATIONS

T = TypeVar("T")

NAMES = (*(row.name for row in OPERATIONS), "video", "removebg")
"""What a key can be for."""

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Make, list and revoke API keys.")

Data = Annotated[Path, typer.Option(help="Folder of the stack; the keys are in its keys.sqlite.")]
_DATA = Path("data")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Whose key it is, for people to read.")],
    operation: Annotated[
        list[str] | None, typer.Option(help="An operation it is for; may be given again. Without it, all.")
    ] = None,
    per_minute: Annotated[int, typer.Option(min=1, help="Requests in any minute.")] = 60,
    monthly: Annotated[
        int | None, typer.Option(min=1, help="Results in a calendar month (UTC). Without it, no end.")
    ] = None,
    data: Data = _DATA,
) -> None:
    """Make a key and print its secret, once: only a hash of it is kept.

    CLEARCANVAS_KEYS, where set, names the place of the keys instead: sqlite:///PATH or postgresql://…
    """
    unknown = set(operation or ()) - set(NAMES)
    if unknown:
        raise typer.BadParameter(f"no operation {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    wanted = NewKey(name, sort_operations(operation or ()), per_minute, monthly)
    issued = _run(data, lambda store: store.add(wanted))
    typer.echo(f"key {issued.key.id}, for {_operations(issued.key)}; its secret is not shown again:", err=True)
    typer.echo(issued.secret)


@app.command("list")
def show(data: Data = _DATA) -> None:
    """List all keys with what they have used of this month. Secrets are not kept, and not shown."""
    table = Table(title="API keys")
    table.add_column("id", no_wrap=True)  # Whole, however narrow the terminal: it is what `revoke` takes.
    for column in ("name", "for"):
        table.add_column(column, overflow="fold")
    for column in ("a minute", "a month", "used", "made", "revoked"):
        table.add_column(column, justify="right")
    for key, used in _run(data, KeyStore.list_all):
        monthly = "–" if key.monthly is None else str(key.monthly)
        dates = ("" if time_s is None else f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d}" for time_s in _times(key))
        table.add_row(key.id, key.name, _operations(key), str(key.per_minute), monthly, str(used), *dates)
    Console().print(table, markup=False)


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(metavar="ID", help="The id that `list` shows.")], data: Data = _DATA
) -> None:
    """Make a key good for nothing, for ever; running adapters follow within a second."""
    if not _run(data, lambda store: store.revoke(key)):
        typer.echo(f"there is no key {key} that could be revoked", err=True)
        raise typer.Exit(1)
    typer.echo(f"revoked {key}", err=True)


def _run(data: Path, work: Callable[[KeyStore], Coroutine[Any, Any, T]]) -> T:
    """Opens the store for one piece of work; ends with 2 where it cannot be opened."""
    try:
        return asyncio.run(_open(os.environ.get("CLEARCANVAS_KEYS") or f"sqlite:///{data / 'keys.sqlite'}", work))
    except (ValueError, KeysUnavailableError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


async def _open(url: str, work: Callable[[KeyStore], Coroutine[Any, Any, T]]) -> T:
    store = KeyStore(url)
    try:
        await store.start()
        return await work(store)
    finally:
        await store.close()


def _operations(key: Key) -> str:
    return "all operations" if key.operations is None else ", ".join(key.operations)


def _times(key: Key) -> tuple[float | None, float | None]:
    return key.created_at, key.revoked_at
