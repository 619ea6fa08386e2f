"""The `clearcanvas` command."""

from importlib import import_module

import typer
from typer._click.core import Command, Context  # typer's own copy of click, which it does not export; pinned.
from typer.core import TyperGroup

# Each has its own `app`. A module is imported when its command is called: `up` runs for days, and the libraries of
# the others would be 40 MB of it.
_COMMANDS = {
    "up": "cli.up",
    "cut": "cli.cut",
    "video": "cli.video",
    "pay": "cli.pay",
    "demo": "cli.demo",
    "models": "cli.models",
    "status": "cli.status",
    "ledger": "cli.ledger",
    "keys": "cli.keys",
    "mcp": "cli.mcp",
    "certs": "cli.certs",
}


class LazyCommands(TyperGroup):
    """Imports a command's module when it is asked for."""

    def list_commands(self, ctx: Context) -> list[str]:
        """The names of all commands, in the order of the help."""
        return list(_COMMANDS)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """The command of that name, or None."""
        if cmd_name not in _COMMANDS:
            return None
        command = typer.main.get_command(import_module(_COMMANDS[cmd_name]).app)
        command.name = cmd_name
        return command


app = typer.Typer(
    name="clearcanvas", cls=LazyCommands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@app.callback()
def clearcanvas() -> None:
    """Background removal and editing on Triton models."""


if __name__ == "__main__":
    app()
