"""`clearcanvas models eval | compare | bench`: how good and how fast a model is."""

import typer

app = typer.Typer()
