"""`clearcanvas models promote | rollback | route | mirror | changes | served`: what names stand for, under traffic."""

import asyncio
import re
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from typing import Annotated, Protocol, TypeVar

import grpc.aio
import typer
from clearcanvas.v1 import models_pb2, models_pb2_grpc
from rich.console import Console
from rich.table import Table

from cards.target import Target, parse_target
from cli.client import NoServerError, connected
from cli.config import read_settings

app = typer.Typer()

Grpc = Annotated[str | None, typer.Option(help="Address of the gRPC server, HOST:PORT.", show_default=False)]
Name = Annotated[
    str | None, typer.Option(help="The name that requests say; default: the model's own.", show_default=False)
]

_PART = re.compile(r"(?P<target>[^=]+)=(?P<percent>[1-9][0-9]{0,2})%?")
_CHANGE_S, _QUESTION_S = 900.0, 20.0  # A change waits for a load and a golden set; a question for nothing.

T = TypeVar("T")


class Answer(Protocol):
    """What every change streams: steps, each with the routing after it."""

    @property
    def step(self) -> models_pb2.Step:
        """The step that is done."""
        ...

    @property
    def routing(self) -> models_pb2.Routing:
        """What the name stands for now."""
        ...


@app.command("promote")
def promote_command(
    target: Annotated[str, typer.Argument(metavar="NAME@VERSION", help="The version to serve.")],
    *,
    name: Name = None,
    max_latency_ratio: Annotated[
        float,
        typer.Option(min=0, help="Most time of an inference, as a multiple of the old one's; 0: the server's own."),
    ] = 0,
    grpc: Grpc = None,
) -> None:
    """Put a version in the place of the one that a name stands for, if it is as good and as fast on the golden set.

    Exits with 1, and says why, when it is refused: then nothing has changed.
    """
    request = models_pb2.PromoteModelRequest(
        target=_version(target), name=name or "", max_latency_ratio=max_latency_ratio
    )
    _follow(grpc, lambda stub: stub.PromoteModel(request, timeout=_CHANGE_S))


@app.command("rollback")
def rollback_command(
    name: Annotated[str, typer.Argument(help="The name that requests say.")], *, grpc: Grpc = None
) -> None:
    """Go back to what a name stood for before its last change."""
    request = models_pb2.RollbackModelRequest(name=name)
    _follow(grpc, lambda stub: stub.RollbackModel(request, timeout=_CHANGE_S))


@app.command("route")
def route_command(
    shares: Annotated[list[str], typer.Argument(metavar="NAME@VERSION=PERCENT...", help="isnet@1=90 isnet@2=10")],
    *,
    name: Name = None,
    grpc: Grpc = None,
) -> None:
    """Split a name's requests among versions. The same request id goes to the same version."""
    parts = [models_pb2.Share(target=target, percent=percent) for target, percent in map(_part, shares)]
    request = models_pb2.RouteModelRequest(name=name or parts[0].target.model, shares=parts)
    _follow(grpc, lambda stub: stub.RouteModel(request, timeout=_CHANGE_S))


@app.command("mirror")
def mirror_command(
    share: Annotated[str, typer.Argument(metavar="NAME@VERSION=PERCENT", help="isnet@2=5%; with --off just isnet")],
    *,
    off: Annotated[bool, typer.Option("--off", help="End mirroring.")] = False,
    name: Name = None,
    grpc: Grpc = None,
) -> None:
    """Have a version work on copies of a share of a name's requests: `changes` shows how it differs."""
    if off:
        model = _parsed(share.partition("=")[0]).model
        request = models_pb2.MirrorModelRequest(name=name or model)
    else:
        target, percent = _part(share)
        mirror = models_pb2.Mirror(target=target, percent=percent)
        request = models_pb2.MirrorModelRequest(name=name or target.model, mirror=mirror)
    _follow(grpc, lambda stub: stub.MirrorModel(request, timeout=_CHANGE_S))


@app.command("changes")
def changes_command(
    name: Annotated[str, typer.Argument(help="The name that requests say.")], *, grpc: Grpc = None
) -> None:
    """Show what was done to a name and what was refused, newest first, and what mirroring has found."""
    request = models_pb2.ListModelChangesRequest(name=name)
    answer = _ask(grpc, lambda stub: stub.ListModelChanges(request, timeout=_QUESTION_S))
    console = Console()
    changes = Table("time (UTC)", "what", "version", "done", "")
    for change in answer.changes:
        time = change.time.ToDatetime().strftime("%Y-%m-%d %H:%M:%S")
        changes.add_row(time, change.kind, change.subject, "yes" if change.done else "refused", change.text)
    console.print(changes)
    if answer.findings:
        console.print(_findings(answer.findings))


@app.command("served")
def served_command(*, grpc: Grpc = None) -> None:
    """Show what each name stands for, and where each version is loaded."""
    request = models_pb2.ListModelsRequest()
    answer = _ask(grpc, lambda stub: stub.ListModels(request, timeout=_QUESTION_S))
    names = Table("name", "stands for", "mirror", "rollback goes to")
    for routing in answer.routings:
        mirror = f"{_name(routing.mirror.target)}={routing.mirror.percent}%" if routing.HasField("mirror") else ""
        names.add_row(routing.name, _shares(routing.shares), mirror, _shares(routing.previous))
    cards = Table("version", "kind", "licence", "quality", "loaded at")
    for card in answer.cards:
        places = (f"{place.triton} {place.state.lower()}" for place in card.placements)
        cards.add_row(_name(card.target), card.kind, card.facts["license"], card.facts["quality"], ", ".join(places))
    console = Console()
    console.print(names)
    console.print(cards)


def _findings(findings: Iterable[models_pb2.MirrorFindings]) -> Table:
    table = Table("copies on", "beside", "compared", "failed", "left out", "mean difference", "largest", "seconds")
    for found in findings:
        seconds = f"{found.candidate_s:.3f} / {found.answered_s:.3f}"
        counts = (str(count) for count in (found.compared, found.failed, found.skipped))
        differences = f"{found.mean_difference:.4f}", f"{found.largest_difference:.4f}"
        table.add_row(_name(found.candidate), _name(found.answered), *counts, *differences, seconds)
    return table


def _follow(
    grpc_address: str | None, call: "Callable[[models_pb2_grpc.ModelServiceAsyncStub], AsyncIterable[Answer]]"
) -> None:
    """Print each step of a change as it is done, and at last what the name stands for."""
    console = Console(highlight=False, soft_wrap=True)

    async def follow(stub: "models_pb2_grpc.ModelServiceAsyncStub") -> models_pb2.Routing:
        routing = models_pb2.Routing()
        async for answer in call(stub):
            console.print(f"{answer.step.name:<8} {answer.step.seconds:6.1f} s  {answer.step.text}", markup=False)
            routing = answer.routing
        return routing

    routing = _ask(grpc_address, follow)
    console.print(f"{routing.name} stands for {_shares(routing.shares)}", markup=False)


def _ask(grpc_address: str | None, call: "Callable[[models_pb2_grpc.ModelServiceAsyncStub], Awaitable[T]]") -> T:
    """The answer of the service. A refusal is its sentence, and exit code 1."""

    async def ask() -> T:
        settings = read_settings(grpc=grpc_address)
        async with connected(settings.grpc, settings.tls) as channel:
            return await call(models_pb2_grpc.ModelServiceStub(channel))

    try:
        return asyncio.run(ask())
    except NoServerError as error:
        message = str(error)
    except grpc.aio.AioRpcError as error:
        message = error.details() or error.code().name
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(1)


def _part(text: str) -> tuple[models_pb2.ModelVersion, int]:
    """The version and the hundredths of `isnet@2=10` or `isnet@2=10%`."""
    match = _PART.fullmatch(text)
    if match is None or int(match["percent"]) > 100:
        raise typer.BadParameter(f"{text!r} is not NAME@VERSION=PERCENT, for example isnet@2=10")
    return _version(match["target"]), int(match["percent"])


def _version(text: str) -> models_pb2.ModelVersion:
    target = _parsed(text)
    if not target.version:
        raise typer.BadParameter(f"{text!r} does not say which version: write NAME@VERSION, for example {text}@2")
    return models_pb2.ModelVersion(model=target.model, version=target.version)


def _parsed(text: str) -> Target:
    try:
        return parse_target(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _shares(shares: Iterable[models_pb2.Share]) -> str:
    parts = (_name(share.target) + ("" if share.percent == 100 else f"={share.percent}%") for share in shares)
    return " ".join(parts)


def _name(version: models_pb2.ModelVersion) -> str:
    return str(Target(version.model, version.version))
