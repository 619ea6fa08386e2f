"""What `clearcanvas status` shows."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.scrape import Figures

if TYPE_CHECKING:
    from cli.status import Glance

_GIB = 1024**3
_Row = tuple[str, str, str]
_BAD = ("does not", "not ", "unavailable", "shutting down", "is out", "broken", "unknown for")


def draw(console: Console, glance: "Glance") -> None:
    """Prints a table; what is bad is red."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for style in ("bold", "dim", ""):
        table.add_column(style=style, overflow="fold")
    for title, where, words in _rows(glance):
        bad = any(word in words for word in _BAD)
        table.add_row(title, where, Text(words, style="red" if bad else ""))
    console.print(table)


def _rows(glance: "Glance") -> Iterator[_Row]:
    places, adapter, server = glance.places, glance.adapter_figures, glance.server_figures
    yield "adapter", f"http://{places.http}", glance.ready
    yield "", places.adapter, _traffic(adapter) if adapter.there else "its metrics cannot be read"
    yield "server", places.grpc, glance.server
    if not server.there:
        yield "", places.server, "its metrics cannot be read"
    else:
        yield "", places.server, _calls(server)
        yield "workers", "", _workers(server)
        for sample in server.every("clearcanvas_server_triton_up"):
            yield "triton", sample.labels["triton"], "serves" if sample.value else "is out"
        yield from _models(server)
        yield "jobs", "", _jobs(server)
    if any(adapter.every("clearcanvas_payments")):
        yield "money", "", _money(adapter)


def _traffic(figures: Figures) -> str:
    counts = {family: figures.sum("clearcanvas_adapter_requests_total") - _without(figures, family) for family in "245"}
    said = ", ".join(f"{count:.0f} × {family}xx" for family, count in counts.items())
    return f"{_age(figures)}, {figures.sum('clearcanvas_adapter_in_flight'):.0f} in flight; {said}"


def _without(figures: Figures, family: str) -> float:
    every = figures.every("clearcanvas_adapter_requests_total")
    return sum(sample.value for sample in every if not sample.labels["status"].startswith(family))


def _calls(figures: Figures) -> str:
    used, budget = (figures.sum(f"clearcanvas_server_memory_{name}") for name in ("bytes", "budget_bytes"))
    good = figures.sum("clearcanvas_server_calls_total", outcome="ok")
    refused = figures.sum("clearcanvas_server_calls_total", outcome="OVERLOADED")
    return (
        f"{_age(figures)}, {figures.sum('clearcanvas_server_in_flight'):.0f} in flight with {used / _GIB:.2f} of "
        f"{budget / _GIB:.2f} GiB; {good:.0f} calls well, {refused:.0f} refused for want of memory"
    )


def _workers(figures: Figures) -> str:
    pools = [
        f"{figures.sum('clearcanvas_server_workers_busy', pool=pool):.0f} of "
        f"{figures.sum('clearcanvas_server_workers', pool=pool):.0f} busy with {pool}, "
        f"{figures.sum('clearcanvas_server_queue', pool=pool):.0f} wait"
        for pool in ("calls", "jobs")
    ]
    return f"{'; '.join(pools)}; {figures.sum('clearcanvas_server_worker_deaths_total'):.0f} died"


def _models(figures: Figures) -> Iterator[_Row]:
    for sample in figures.every("clearcanvas_server_model_share"):
        name, target = sample.labels["name"], sample.labels["target"]
        model, _, version = target.partition("@")
        answered = figures.sum("clearcanvas_server_model_answers_total", model=model, version=version)
        yield "model", name, f"{target} has {sample.value:.0f} %; {answered:.0f} pictures"


def _jobs(figures: Figures) -> str:
    states = {
        state: figures.sum("clearcanvas_server_jobs", state=state)
        for state in ("queued", "running", "succeeded", "failed", "cancelled")
    }
    waits = [sample.value for sample in figures.every("clearcanvas_server_jobs_oldest_queued_seconds")]
    said = ", ".join(f"{count:.0f} {state}" for state, count in states.items())
    return f"{said}; the oldest waits for {max(waits):.0f} s" if states["queued"] else said


def _money(figures: Figures) -> str:
    settled, delivered = (
        figures.sum("clearcanvas_payments_booked_micros", kind=kind) / 1e6 for kind in ("settlement", "delivery")
    )
    words = [f"${settled:,.2f} settled, ${delivered:,.2f} delivered"]
    if unknown := figures.sum("clearcanvas_payments", state="unknown"):
        age_s = figures.sum("clearcanvas_payments_oldest_seconds", state="unknown")
        words.append(f"{unknown:.0f} unknown for up to {age_s:.0f} s")
    broken = figures.sum("clearcanvas_payments_broken_rules")
    words.append(f"{broken:.0f} rules are broken: see `clearcanvas ledger`" if broken else "the books are right")
    if not figures.sum("clearcanvas_payments_ledger_up"):
        words.append("the ledger does not answer")
    return "; ".join(words)


def _age(figures: Figures) -> str:
    minutes, seconds = divmod(int(max(0.0, time.time() - figures.sum("process_start_time_seconds"))), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s"))
    largest = next((index for index, (value, _) in enumerate(parts) if value), 3)
    return "up " + " ".join(f"{value} {unit}" for value, unit in parts[largest : largest + 2])
