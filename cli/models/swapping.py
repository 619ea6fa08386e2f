"""`clearcanvas models promote | rollback | route | mirror | changes`: what a name stands for, while requests go on."""

import typer

app = typer.Typer()
