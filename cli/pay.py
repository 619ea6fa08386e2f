"""`clearcanvas pay`: one paid request."""

import asyncio
import json
import os
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from eth_account import Account
from mpp.methods.tempo import TempoAccount

from cli.config import read_settings
from cli.payment.mpp import MppRail
from cli.payment.offer import NETWORKS, Offer, PayError, Rail
from cli.payment.pending import Pending
from cli.payment.purchase import Buyer, Order
from cli.payment.x402 import X402Rail
from cli.wallet import WalletError, read_key

MAX_IMAGE_BYTES = 25 * 1024 * 1024
"""The contract's own bound; a larger file is not even read."""

DEVNET = "devnet.json"
"""What local chains leave in their data folder: it names payers and nodes."""

_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
_FORMATS = {".png": "png", ".webp": "webp"}


class RailName(StrEnum):
    """How to pay."""

    X402 = "x402"
    MPP = "mpp"


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def pay(
    url: Annotated[str, typer.Argument(help="Address of the service: http(s)://HOST/v1/remove-background.")],
    photo: Annotated[Path, typer.Argument(help="A PNG, JPEG or WebP.")],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="The result, a .png or .webp.")],
    rail: Annotated[RailName, typer.Option(help="x402 pays USDC on Base, mpp pays pathUSD on Tempo.")] = RailName.X402,
    wallet: Annotated[
        Path | None,
        typer.Option(
            help="File with the payer's private key, or a devnet.json. Else from CLEARCANVAS_WALLET_FILE or "
            "CLEARCANVAS_WALLET.",
            show_default=False,
        ),
    ] = None,
    max_price: Annotated[str, typer.Option(help="Dollars; what costs more is refused.")] = "0.10",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before spending on a main network.")] = False,
    rpc: Annotated[
        str | None, typer.Option(help="Node of the chain, for mpp. Else from the devnet.json, else a public one.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder that a local devnet.json is looked for in.")] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Longest time to go on with one payment, in seconds.")] = 120.0,
) -> None:
    """Cut out one photo and pay for it.

    Shows what is asked before anything is signed. A payment whose outcome is not known is kept beside the result: the
    same command goes on with it and pays nothing anew. Exits with 0 when the result is written, 1 when there is none.
    """
    try:
        limit = parse_dollars(max_price)
        order = read_order(url, photo, out)
        key = read_key(wallet, {"x402": "base", "mpp": "tempo"}[rail])
        devnet = wallet if wallet is not None and wallet.name == DEVNET else read_settings(data=data).data / DEVNET
        chosen = open_rail(rail, key, rpc, devnet)
        pending = Pending(out, order.url, order.body)
        buyer = Buyer(chosen, pending, approval(limit, ask=None if yes else typer.confirm), _say, timeout)
        bought = asyncio.run(buyer.buy(order))
        write_whole(out, bought.body)
        pending.remove()
    except (PayError, WalletError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"receipt    {bought.transaction or 'none'}")
    typer.echo(f"wrote      {out}")


def read_order(url: str, photo: Path, out: Path) -> Order:
    """Read the photo and say what is bought with it. Raises PayError."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise PayError(f"{url!r} is no address of a service; write http(s)://HOST/v1/remove-background")
    encoding = _FORMATS.get(out.suffix.lower())
    if encoding is None:
        raise PayError(f"{out} must end in {' or '.join(_FORMATS)}, which are what the service can write")
    if encoding == "webp" and "format=" not in parts.query:
        url = parts._replace(query="&".join(filter(None, (parts.query, "format=webp")))).geturl()
    try:
        if photo.stat().st_size > MAX_IMAGE_BYTES:
            raise PayError(f"{photo} is larger than {MAX_IMAGE_BYTES // 1024**2} MiB")
        body = photo.read_bytes()
    except OSError as error:
        raise PayError(f"{photo} cannot be read: {error.strerror}") from error
    return Order(url, _media_type(photo, body), body)


def open_rail(name: RailName, key: str, rpc: str | None, devnet: Path) -> Rail:
    """The rail with the payer's key. A running devnet's chain is asked at its own node. Raises PayError."""
    if name is RailName.X402:
        return X402Rail(Account.from_key(key))
    urls = {network.chain_id: network.rpc_url for network in NETWORKS.values()}
    if devnet.exists():
        try:
            tempo = json.loads(devnet.read_text(encoding="utf-8"))["tempo"]
            urls[tempo["chain_id"]] = tempo["rpc_url"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PayError(f"{devnet} cannot be read ({type(error).__name__})") from error
    return MppRail(TempoAccount.from_key(key), {chain: rpc or url for chain, url in urls.items()})


def approval(limit: Decimal, *, ask: Callable[[str], bool] | None) -> Callable[[Offer], None]:
    """Shows the offer, refuses what is dearer than `limit` dollars, and asks before real money is spent."""

    def approve(offer: Offer) -> None:
        kind = "test network, no real money" if offer.network.is_test else "main network, REAL money"
        typer.echo(f"price      ${offer.price} ({offer.amount} units of {offer.network.symbol})")
        typer.echo(f"network    {offer.network.title}, chain {offer.network.chain_id} ({kind})")
        typer.echo(f"recipient  {offer.recipient}")
        if offer.price > limit:
            raise PayError(f"${offer.price} is more than ${limit}; allow it with --max-price. Nothing was paid")
        if not offer.network.is_test and ask is not None and not ask(f"Pay ${offer.price}?"):
            raise PayError("not paid")

    return approve


def parse_dollars(text: str) -> Decimal:
    """Read a number of dollars. Raises PayError."""
    try:
        dollars = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        dollars = Decimal("NaN")
    if not dollars.is_finite() or dollars < 0:
        raise PayError(f"--max-price: {text!r} is no number of dollars")
    return dollars


def write_whole(target: Path, content: bytes) -> None:
    """Write the file whole or not at all. Raises PayError."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(target)
    except OSError as error:
        raise PayError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


def _media_type(photo: Path, body: bytes) -> str:
    for signature, media_type in _SIGNATURES.items():
        if body.startswith(signature):
            return media_type
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    raise PayError(f"{photo} is no PNG, JPEG or WebP")


def _say(line: str) -> None:
    typer.echo(line, err=True)
