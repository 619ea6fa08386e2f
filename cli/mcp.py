"""`clearcanvas mcp`: the service as tools of agents."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def mcp(
    *,
    url: Annotated[
        str | None, typer.Option(help="The service, http(s)://HOST; else CLEARCANVAS_URL, else this machine's.")
    ] = None,
    http: Annotated[
        str | None, typer.Option(help="Serve streamable HTTP on HOST:PORT, at /mcp, in place of standard input.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Folder that files are read from and written to; else any.", show_default=False)
    ] = None,
) -> None:
    """Serve the Model Context Protocol: tools that remove and replace backgrounds, for agents.

    On standard input and output, where the agent starts this command, or on streamable HTTP. Calls are made with the
    API key in CLEARCANVAS_API_KEY, or paid by the agent.
    """
    if find_spec("mcp") is None:
        typer.echo("error: the MCP server is an extra: pip install 'clearcanvas[mcp]'", err=True)
        raise typer.Exit(1)
    options = {"--url": url, "--http": http, "--folder": folder}
    given = [word for name, value in options.items() if value is not None for word in (name, str(value))]
    # In place of this process: its input, its output and its signals are the server's. It is started in any folder,
    # from which -P keeps Python from taking modules.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "agent", *given])  # noqa: S606 - no shell is wanted.
