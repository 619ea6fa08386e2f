"""`clearcanvas cut`: files and folders through the gRPC service."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
import webcolors
from clearcanvas.v1 import composition_pb2, images_pb2, images_pb2_grpc
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from cli.client import EditFailedError, edit_file, open_channel
from cli.config import read_settings
from cli.plan import Job, PlanError, plan_jobs

_CONNECT_LIMIT_S = 5.0


class Format(StrEnum):
    """Encoding of the results."""

    PNG = "png"
    WEBP = "webp"
    JPEG = "jpg"


_SUFFIXES = {Format.PNG: ".png", Format.WEBP: ".webp", Format.JPEG: ".jpg"}
_FORMATS = {
    Format.PNG: images_pb2.IMAGE_FORMAT_PNG,
    Format.WEBP: images_pb2.IMAGE_FORMAT_WEBP,
    Format.JPEG: images_pb2.IMAGE_FORMAT_JPEG,
}


@dataclass(frozen=True)
class Call:
    """How the service is called: where, for what, how many at once, and how long at most for each, in seconds."""

    address: str
    template: images_pb2.EditRequest
    in_flight: int
    timeout_s: float


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def cut(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Pictures, and folders that hold some.")],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results; made when missing.")],
    color: Annotated[
        str | None, typer.Option(help="Background colour: #rgb, #rrggbb, #rrggbbaa or a CSS name.")
    ] = None,
    mask: Annotated[bool, typer.Option("--mask", help="Write the alpha alone, in grey.")] = False,
    encoding: Annotated[Format, typer.Option("--format", help="Encoding of the results.")] = Format.PNG,
    model: Annotated[str, typer.Option(help="Matting model; the server's default when empty.")] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Cut again what is there.")] = False,
    in_flight: Annotated[int, typer.Option(min=1, max=64, help="Pictures in work at once.")] = 4,
    timeout: Annotated[float, typer.Option(min=1, help="Longest time for one picture, in seconds.")] = 120.0,
    grpc: Annotated[str | None, typer.Option(help="Address of the gRPC server, HOST:PORT.")] = None,
) -> None:
    """Cut the subject out of pictures.

    Folders are searched to the bottom and keep their shape; PHOTO.jpg becomes OUT/PHOTO.png. Results that are there
    already are kept. Exits with 0 when every picture is done, 1 when some failed, 2 when the command itself is wrong.
    """
    template = images_pb2.EditRequest(
        composition=composition_pb2.Composition(color=parse_color(color)) if color else None,
        output=images_pb2.OutputOptions(
            format=_FORMATS[encoding],
            kind=images_pb2.OUTPUT_KIND_MASK if mask else images_pb2.OUTPUT_KIND_PICTURE,
        ),
        model=model,
    )
    try:
        jobs = plan_jobs(paths, out, _SUFFIXES[encoding])
    except PlanError as error:
        raise typer.BadParameter(str(error)) from error
    todo = [job for job in jobs if overwrite or not job.target.exists()]
    call = Call(read_settings(grpc=grpc).grpc, template, in_flight, timeout)
    failed = asyncio.run(_cut_all(todo, call, Console(stderr=True))) if todo else 0
    typer.echo(f"{len(todo) - failed} cut, {len(jobs) - len(todo)} kept, {failed} failed")
    if failed:
        raise typer.Exit(1)


def parse_color(text: str) -> composition_pb2.Color:
    """Reads `#rgb`, `#rrggbb`, `#rrggbbaa` or a CSS name. Raises typer.BadParameter."""
    try:
        digits = (text if text.startswith("#") else webcolors.name_to_hex(text)).removeprefix("#")
        values = bytes.fromhex("".join(digit * 2 for digit in digits) if len(digits) == 3 else digits)
        if len(values) not in {3, 4} or any(character.isspace() for character in digits):
            raise ValueError(digits)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not #rgb, #rrggbb, #rrggbbaa or a CSS name", param_hint="--color"
        ) from None
    return composition_pb2.Color(red=values[0], green=values[1], blue=values[2], alpha=(*values, 255)[3])


async def _cut_all(jobs: Sequence[Job], call: Call, console: Console) -> int:
    """Runs the jobs, `in_flight` at a time, and returns how many failed; each failure is printed as it happens."""
    failed = 0
    columns = (TextColumn("cut"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    async with open_channel(call.address) as channel:
        try:
            await asyncio.wait_for(channel.channel_ready(), _CONNECT_LIMIT_S)
        except TimeoutError:
            console.print(f"error: no server answers at {call.address}; start one with: clearcanvas up")
            raise typer.Exit(1) from None
        stub: images_pb2_grpc.ImageServiceAsyncStub = images_pb2_grpc.ImageServiceStub(channel)
        waiting = iter(jobs)
        with Progress(*columns, console=console) as progress:
            bar = progress.add_task("cut", total=len(jobs))

            async def work() -> None:
                nonlocal failed
                for job in waiting:
                    try:
                        await edit_file(stub, job.source, job.target, call.template, call.timeout_s)
                    except EditFailedError as error:
                        failed += 1
                        progress.console.print(f"{job.source}: {error}", markup=False, highlight=False, soft_wrap=True)
                    progress.advance(bar)

            async with asyncio.TaskGroup() as group:
                for _ in range(call.in_flight):
                    group.create_task(work())
    return failed
