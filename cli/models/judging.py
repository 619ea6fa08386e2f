"""`clearcanvas models eval | compare | bench`: how good and how fast a model is."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cards.errors import CardError
from cards.target import Target, parse_target
from cli.client import NoServerError
from cli.config import Settings, read_settings
from cli.models import tables
from cli.models.measuring import load, measure
from cli.models.reports import resolve, write_report
from cli.programs import ProgramExitedError
from cli.stack import StackError
from evaluation.errors import EvaluationError
from evaluation.samples import read_samples
from evaluation.verdict import describe, judge

app = typer.Typer()

Data = Annotated[Path, typer.Option(help="Folder with images/ and masks/, as in DIS5K, P3M-10k, AM-2k or PPM-100.")]
Rounds = Annotated[int, typer.Option(min=1, help="How often each picture is asked for, for the times.")]
Grpc = Annotated[
    str | None, typer.Option(help="A running server, HOST:PORT.", show_default="an engine and a server of its own")
]
Repository = Annotated[
    Path | None, typer.Option(help="Model repository; default from CLEARCANVAS_MODEL_REPOSITORY.", show_default=False)
]


@app.command("eval")
def eval_command(
    name: Annotated[str, typer.Argument(help="NAME or NAME@VERSION.")],
    *,
    data: Data = Path("golden"),
    rounds: Rounds = 1,
    save: Annotated[bool, typer.Option(help="Write the figures into the model's card, and a report beside it.")] = True,
    grpc: Grpc = None,
    repository: Repository = None,
) -> None:
    """Hold a model's mattes against the truth: errors, S-, E- and weighted F-measure, latency, memory.

    The report and a contact sheet of the worst cases go to NAME/eval/VERSION/SET in the repository.
    """
    settings = read_settings(model_repository=repository, grpc=grpc)
    with _errors():
        samples = read_samples(data)
        targets = [_target(settings, name)]
        (trial,) = asyncio.run(measure(settings, targets, samples, rounds, running=grpc is not None))
        console = Console()
        console.print(tables.of_trials([trial], data.name))
        console.print(tables.of_cases([trial]))
        if save:
            folder = write_report(settings.model_repository, trial, data)
            typer.echo(f"the report and the worst cases are in {folder}")


@app.command("compare")
def compare_command(
    first: Annotated[str, typer.Argument(metavar="A", help="NAME or NAME@VERSION: what is served.")],
    second: Annotated[str, typer.Argument(metavar="B", help="NAME or NAME@VERSION: what may take its place.")],
    *,
    data: Data = Path("golden"),
    rounds: Rounds = 3,
    max_latency_ratio: Annotated[float, typer.Option(min=0, help="How much longer B may take.")] = 1.5,
    grpc: Grpc = None,
    repository: Repository = None,
) -> None:
    """Judge two models on the same pictures, in turn: whether B may take A's place, as `promote` would decide.

    Exits with 0 where it may, and with 3 where it may not.
    """
    settings = read_settings(model_repository=repository, grpc=grpc)
    with _errors():
        targets = [_target(settings, text) for text in (first, second)]
        if targets[0] == targets[1]:
            raise typer.BadParameter("A and B are the same", param_hint="B")
        samples = read_samples(data)
        old, new = asyncio.run(measure(settings, targets, samples, rounds, running=grpc is not None))
    console = Console()
    console.print(tables.of_trials([old, new], data.name))
    console.print(tables.of_cases([old, new]))
    typer.echo(f"{new.target} against {old.target}: {describe(new.measured, old.measured)}")
    reasons = judge(new.measured, old.measured, max_latency_ratio)
    for reason in reasons:
        typer.echo(f"refused: {reason}")
    if reasons:
        raise typer.Exit(3)
    typer.echo(f"{new.target} may take the place of {old.target}")


@app.command("bench")
def bench_command(
    name: Annotated[str, typer.Argument(help="NAME or NAME@VERSION.")],
    *,
    in_flight: Annotated[str, typer.Option(help="Requests at once, one measurement each.")] = "1,2,4,8,16",
    seconds: Annotated[float, typer.Option(min=0.1, help="Duration of each measurement.")] = 5.0,
    triton: Annotated[
        str | None, typer.Option(help="A running Triton, HOST:PORT.", show_default="an engine of its own")
    ] = None,
    repository: Repository = None,
) -> None:
    """Measure latency and throughput of a model in Triton itself, with more and more requests in flight.

    As perf_analyzer does: whole pictures by gRPC, each sender waiting for its answer before it sends again.
    """
    settings = read_settings(model_repository=repository)
    counts = _counts(in_flight)
    with _errors():
        target = _target(settings, name) if triton is None else _parse(name)
        device, levels = asyncio.run(load(settings, target, counts, seconds, running=triton))
    Console().print(tables.of_levels(str(target), device, levels))


def _target(settings: Settings, text: str) -> Target:
    """A version that the repository has."""
    return resolve(settings.model_repository, _parse(text))


def _parse(text: str) -> Target:
    try:
        return parse_target(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="NAME") from error


def _counts(text: str) -> list[int]:
    counts = [int(word) if word.isascii() and word.isdecimal() else 0 for word in text.split(",")]
    if not all(1 <= count <= 1024 for count in counts):
        raise typer.BadParameter(f"{text!r} is no list of numbers from 1 to 1024", param_hint="--in-flight")
    return counts


@contextmanager
def _errors() -> Iterator[None]:
    """What can go wrong is a sentence and exit code 1, not a traceback."""
    try:
        yield
    except (CardError, EvaluationError, NoServerError, ProgramExitedError, StackError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
