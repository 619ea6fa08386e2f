"""The `clearcanvas` command."""

import typer

from cli import models
from cli.cut import cut
from cli.demo import demo
from cli.up import up

app = typer.Typer(
    name="clearcanvas",
    help="Background removal and editing on Triton models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(up)
app.command()(cut)
app.command()(demo)
app.add_typer(models.app, name="models")

if __name__ == "__main__":
    app()
