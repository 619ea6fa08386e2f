"""`clearcanvas certs`: an authority and the certificates of all programs, for development and tests."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

# Whoever calls on this machine may write either; a cluster adds the names of its services.
SERVER_NAMES = ("server", "localhost", "127.0.0.1", "::1")
CALLERS = ("adapter", "operator")

_LIFE = timedelta(days=365)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def certs(
    directory: Annotated[Path, typer.Argument(help="Folder for the certificates; made where it is not there.")],
    server: Annotated[list[str] | None, typer.Option(help="Another name or address of the server.")] = None,
    caller: Annotated[list[str] | None, typer.Option(help="Another caller.")] = None,
) -> None:
    """Make an authority and certificates for server, adapter, operator and other callers, for development.

    The authority's key is thrown away: nobody can make another certificate that these programs believe. They are no
    match for an organisation's own authority, which renews what it gives out.
    """
    if directory.exists() and any(directory.iterdir()):
        raise typer.BadParameter(f"{directory} is not empty: certificates are not made anew over others")
    import trustme  # noqa: PLC0415 - it takes a while to load, and this command alone needs it.

    authority = trustme.CA(organization_name="ClearCanvas development")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(directory / "ca.pem", authority.cert_pem.bytes())
    callers = (*CALLERS, *(caller or ()))
    for name, names in {"server": (*SERVER_NAMES, *(server or ())), **{name: (name,) for name in callers}}.items():
        made = authority.issue_cert(*names, common_name=name, not_after=datetime.now(UTC) + _LIFE)
        folder = directory / name
        folder.mkdir(mode=0o700)
        _write(folder / "cert.pem", b"".join(part.bytes() for part in made.cert_chain_pems))
        _write(folder / "key.pem", made.private_key_pem.bytes())
    for name in ("server", *callers):
        typer.echo(f"# {name}")
        for variable, file in (("CERT", f"{name}/cert.pem"), ("KEY", f"{name}/key.pem"), ("CA", "ca.pem")):
            typer.echo(f"CLEARCANVAS_TLS_{variable}={directory.absolute() / file}")


def _write(file: Path, data: bytes) -> None:
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(data)
