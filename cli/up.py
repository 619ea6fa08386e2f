"""`clearcanvas up`: the whole stack in the foreground."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.config import Settings, read_settings
from cli.programs import ProgramExitedError
from cli.stack import StackError, running_stack

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def up(
    http: Annotated[str | None, typer.Option(help="Address of the HTTP adapter, HOST:PORT; port 0 picks one.")] = None,
    grpc: Annotated[str | None, typer.Option(help="Address of the gRPC server, HOST:PORT; port 0 picks one.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder for what the programs keep while they run.")] = None,
    *,
    devnet: Annotated[bool, typer.Option("--devnet", help="Be paid on local chains, which are started too.")] = False,
) -> None:
    """Start Triton, the gRPC server and the HTTP adapter, and keep them until Ctrl-C or SIGTERM."""
    try:
        asyncio.run(_serve(read_settings(http=http, grpc=grpc, data=data), devnet=devnet))
    except (StackError, ProgramExitedError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


async def _serve(settings: Settings, *, devnet: bool) -> None:
    stopping = asyncio.create_task(_signalled())
    serving = asyncio.create_task(_keep(settings, devnet=devnet))
    await asyncio.wait({stopping, serving}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        stopping.cancel()
    else:
        typer.echo("stopping", err=True)
        serving.cancel()
    try:
        await serving
    except asyncio.CancelledError:
        typer.echo("stopped", err=True)


async def _keep(settings: Settings, *, devnet: bool) -> None:
    async with running_stack(settings, sys.stderr, devnet=devnet) as stack:
        typer.echo(f"ready http://{stack.http}")
        typer.echo(f"grpc {stack.grpc}")
        if devnet:
            typer.echo(f"devnet {settings.data / 'devnet.json'}")
        await stack.programs.until_exit()


async def _signalled() -> None:
    """Returns at SIGINT or SIGTERM. Later ones change nothing: the stop is under way and bounded."""
    signalled = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, signalled.set)
    await signalled.wait()
