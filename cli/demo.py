"""`clearcanvas demo`: one photo through the whole stack, and once more for money, with the times to show for it."""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TextIO

import aiohttp
import pyvips
import typer
from rich.console import Console
from rich.table import Table

from cli.config import Settings, read_settings
from cli.environment import for_others
from cli.pay import read_order, write_whole
from cli.payment.offer import PayError
from cli.payment.pending import Pending
from cli.payment.trial import pay_on_devnet, read_chain
from cli.programs import ProgramExitedError
from cli.stack import StackError, running_stack

_CHECK = 16  # Side of one field of the checkerboard, in pixels.


class DemoError(Exception):
    """The stack did not answer with a picture."""


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def demo(
    photo: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A photo.")] = Path(
        "tests/photos/astronaut.png"
    ),
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")] = Path("demo"),
) -> None:
    """Start the stack and local chains on free ports, cut out one photo, pay for another cut, show it, and stop."""
    out.mkdir(parents=True, exist_ok=True)
    settings = read_settings(http="127.0.0.1:0", grpc="127.0.0.1:0", data=out / "data")
    try:
        with (out / "stack.log").open("w", encoding="utf-8") as log:
            measured = asyncio.run(_measure(photo, out / "paid.png", settings, log))
        write_whole(out / "cutout.png", measured.cutout)
        write_whole(out / "paid.png", measured.paid)
    except (StackError, ProgramExitedError, DemoError, PayError) as error:
        typer.echo(f"error: {error}; see {out / 'stack.log'}", err=True)
        raise typer.Exit(1) from error
    before_after(photo, out / "cutout.png", out / "before-after.png")
    table = Table("", "seconds", title=str(photo))
    table.columns[1].justify = "right"
    for name, seconds in measured.rows:
        table.add_row(name, f"{seconds:.3f}")
    Console().print(table)
    typer.echo(f"wrote {', '.join(str(out / name) for name in ('cutout.png', 'before-after.png', 'paid.png'))}")


@dataclass(frozen=True)
class Measured:
    """What came back, and how long each stage took, in seconds."""

    cutout: bytes
    paid: bytes
    rows: list[tuple[str, float]]


async def _measure(photo: Path, paid: Path, settings: Settings, log: TextIO) -> Measured:
    """Sends the photo twice, the second time to a warm stack, and a third time for money."""
    rows = []
    began = time.perf_counter()
    typer.echo("starting Triton, the gRPC server, the local chains and the HTTP adapter")
    async with running_stack(settings, log, devnet=True) as stack:
        rows.append(("start of the stack", time.perf_counter() - began))
        typer.echo(f"ready http://{stack.http}")
        order = read_order(f"http://{stack.http}/v1/remove-background", photo, paid)
        for title in ("first request", "second request"):
            typer.echo(f"{title}: POST /image/matte/v1")
            cutout, stages, seconds = await _matte(f"http://{stack.http}/image/matte/v1", order.body)
            rows += [(f"{title}: {name}", value) for name, value in stages]
            rows.append((f"{title}: total over HTTP", seconds))
        typer.echo("paid request: POST /v1/remove-background")
        began = time.perf_counter()
        pending = Pending(paid, order.url, order.body)
        bought = await pay_on_devnet(order, read_chain(settings.data / "devnet.json"), pending, typer.echo)
        rows.append(("paid request: 402, payment and 200", time.perf_counter() - began))
        pending.remove()
        await _show_ledger(settings.data)
        typer.echo("stopping")
    return Measured(cutout, bought.body, rows)


async def _show_ledger(data: Path) -> None:
    """Prints what `clearcanvas ledger` says of the payment; a ledger with a broken rule fails the demo."""
    command = (sys.executable, "-m", "cli", "ledger", "--data", str(data), "--last", "1")
    process = await asyncio.create_subprocess_exec(*command, env=for_others(os.environ))
    if await process.wait() != 0:
        raise DemoError("the ledger is not right")


async def _matte(url: str, photo: bytes) -> tuple[bytes, list[tuple[str, float]], float]:
    """Sends the photo; returns the result, the stages of `Server-Timing` and the whole time, in seconds."""
    began = time.perf_counter()
    form = aiohttp.FormData()
    form.add_field("image", photo, filename="photo")
    async with aiohttp.ClientSession() as session, session.post(url, data=form) as response:
        body = await response.read()
        if response.status != 200:
            raise DemoError(f"{url} answered {response.status}: {body[:200].decode(errors='replace')}")
        return body, server_timing(response.headers.getall("Server-Timing", [])), time.perf_counter() - began


def server_timing(headers: Sequence[str]) -> list[tuple[str, float]]:
    """Reads `decode;dur=12.5, infer;dur=400` (milliseconds) into names and seconds. W3C Server Timing."""
    stages = []
    for entry in ",".join(headers).split(","):
        name, *parameters = (part.strip() for part in entry.split(";"))
        stages += [(name, float(value[4:]) / 1000) for value in parameters if value.startswith("dur=")]
    return stages


def before_after(photo: Path, cutout: Path, target: Path) -> None:
    """Writes the photo and, beside it, the cut-out on a checkerboard."""
    before = pyvips.Image.new_from_file(str(photo)).autorot().colourspace("srgb")
    before = before.flatten(background=255) if before.hasalpha() else before
    after = pyvips.Image.new_from_file(str(cutout))
    coordinates = pyvips.Image.xyz(after.width, after.height) // _CHECK
    fields = (coordinates[0] + coordinates[1]) % 2 == 0
    board = fields.ifthenelse(255, 204).cast("uchar").bandjoin([fields.ifthenelse(255, 204).cast("uchar")] * 2)
    after = board.copy(interpretation="srgb").composite2(after, "over").flatten()
    before.join(after, "horizontal", shim=_CHECK, background=255).pngsave(str(target), compression=9)
