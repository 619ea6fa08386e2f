"""`clearcanvas ledger`: what was paid and delivered, and whether the books are right."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from adapter.payments.errors import StoreUnavailableError
from adapter.payments.ledger.audit import Report, read_report
from adapter.payments.ledger.claim import Claim

app = typer.Typer(add_completion=False)


@app.command()
def ledger(
    data: Annotated[Path, typer.Option(help="Folder of the stack; its ledger.sqlite is read.")] = Path("data"),
    last: Annotated[int, typer.Option(min=0, help="How many of the latest payments to list.")] = 20,
) -> None:
    """List and sum the payments and check the books; ends with 1 where a rule of the money is broken.

    CLEARCANVAS_LEDGER, where set, names the ledger instead: sqlite:///PATH or postgresql://…
    """
    console, problems = Console(), Console(stderr=True)
    try:
        report = read_report(os.environ.get("CLEARCANVAS_LEDGER") or f"sqlite:///{data / 'ledger.sqlite'}", last)
    except (ValueError, StoreUnavailableError) as error:
        problems.print(str(error), markup=False, style="red")
        raise typer.Exit(2) from error
    _show(console, report)
    if report.violations:
        for violation in report.violations:
            problems.print(violation, markup=False, style="red", soft_wrap=True)
        raise typer.Exit(1)
    console.print("The books are right: all rules of the money hold.", style="green")


def _show(console: Console, report: Report) -> None:
    if report.recent:
        console.print(_payments(report.recent))
    accounts = Table("account", title="accounts")
    for side in ("debits", "credits"):
        accounts.add_column(side, justify="right")
    for account in report.accounts:
        accounts.add_row(account.name, _dollars(account.debits), _dollars(account.credits))
    accounts.add_section()
    total = [_dollars(sum(getattr(account, side) for account in report.accounts)) for side in ("debits", "credits")]
    accounts.add_row("all", *total)
    console.print(accounts)
    states = ", ".join(f"{count} {state}" for state, count in sorted(report.states.items())) or "none"
    console.print(f"payments: {states}")
    console.print(
        f"settled {_dollars(report.settled)}, delivered {_dollars(report.delivered)}, "
        f"owed {_dollars(report.settled - report.delivered)}, prepaid and not used {_dollars(report.redeemable)}"
    )


def _payments(claims: tuple[Claim, ...]) -> Table:
    table = Table("state", "operation", "network", "payer", title="latest payments")
    table.add_column("amount", justify="right")
    table.add_column("transaction")
    table.add_column("settled (UTC)")
    for claim in claims:
        settlement = claim.settlement
        when = "" if settlement is None else f"{datetime.fromtimestamp(settlement.settled_at, UTC):%m-%d %H:%M:%S}"
        table.add_row(
            str(claim.state),
            claim.operation,
            claim.facts.network,
            _short(claim.facts.payer),
            _dollars(claim.facts.amount),
            "" if settlement is None else _short(settlement.transaction),
            when,
        )
    return table


def _short(name: str) -> str:
    """The ends of an address or a hash, by which one finds it elsewhere."""
    return name if len(name) <= 14 else f"{name[:8]}…{name[-4:]}"


def _dollars(amount: int) -> str:
    return f"${amount / 1_000_000:,.6f}".rstrip("0").rstrip(".") if amount % 10_000 else f"${amount / 1_000_000:,.2f}"
