"""`clearcanvas models`: fetch, judge and swap the models of the repository."""

import typer

from cli.models import judging, repository, swapping

app = typer.Typer(help="Fetch, judge and swap models.", no_args_is_help=True)
for part in (repository.app, judging.app, swapping.app):
    app.add_typer(part)
