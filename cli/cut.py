"""`clearcanvas cut`: files and folders through the gRPC service."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from clearcanvas.v1 import images_pb2, images_pb2_grpc
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from cli import flags
from cli.batch import run_batch, work_through
from cli.client import EditFailedError, connected, edit_file
from cli.compositions import read_template
from cli.config import read_settings
from cli.plan import Job, PlanError, plan_jobs
from transport.tls import Tls

_SUFFIXES = {
    images_pb2.IMAGE_FORMAT_PNG: ".png",
    images_pb2.IMAGE_FORMAT_WEBP: ".webp",
    images_pb2.IMAGE_FORMAT_JPEG: ".jpg",
}


@dataclass(frozen=True)
class Call:
    """How the service is called: where, for what, how many at once, and how long at most for each, in seconds."""

    address: str
    tls: Tls | None
    template: images_pb2.EditRequest
    in_flight: int
    timeout_s: float


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def cut(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Pictures, and folders that hold some.")],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results; made when missing.")],
    color: flags.Color = None,
    gradient: flags.Gradient = None,
    angle: flags.Angle = None,
    radial: flags.Radial = False,
    blur: flags.Blur = None,
    lens: flags.Lens = False,
    background: flags.Background = None,
    fit: flags.Fit = None,
    fill: flags.Fill = None,
    prompt: flags.Prompt = None,
    negative_prompt: flags.NegativePrompt = None,
    seed: flags.Seed = None,
    steps: flags.Steps = None,
    generation_model: flags.GenerationModel = None,
    shadow: flags.Shadow = None,
    offset_x: flags.OffsetX = None,
    offset_y: flags.OffsetY = None,
    shadow_blur: flags.ShadowBlur = None,
    shadow_color: flags.ShadowColor = None,
    mask: flags.Mask = False,
    encoding: flags.Encoding = None,
    crop: flags.Crop = False,
    margin: flags.Margin = None,
    size: flags.Size = None,
    scale: flags.Scale = None,
    position: flags.Position = None,
    model: flags.Model = None,
    own_alpha: flags.OwnAlpha = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Cut again what is there.")] = False,
    in_flight: Annotated[int, typer.Option(min=1, max=64, help="Pictures in work at once.")] = 4,
    timeout: Annotated[float, typer.Option(min=1, help="Longest time for one picture, in seconds.")] = 120.0,
    grpc: Annotated[str | None, typer.Option(help="Address of the gRPC server, HOST:PORT.")] = None,
) -> None:
    """Cut the subject out of pictures, and lay it over another background.

    Folders are searched to the bottom and keep their shape; PHOTO.jpg becomes OUT/PHOTO.png. Results that are there
    already are kept. Exits with 0 when every picture is done, 1 when some failed, 2 when the command itself is wrong.
    """
    settings = read_settings(grpc=grpc)
    call = Call(settings.grpc, settings.tls, read_template(ctx.params), in_flight, timeout)
    _run(call, paths, out, overwrite=overwrite)


def _run(call: Call, paths: Sequence[Path], out: Path, *, overwrite: bool) -> None:
    try:
        jobs = plan_jobs(paths, out, _SUFFIXES[call.template.output.format])
    except PlanError as error:
        raise typer.BadParameter(str(error)) from error
    run_batch(jobs, partial(_cut_all, call), "cut", overwrite=overwrite)


async def _cut_all(call: Call, jobs: Sequence[Job], console: Console) -> int:
    """Runs the jobs and returns how many failed; each failure is printed as it happens."""
    columns = (TextColumn("cut"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    async with connected(call.address, call.tls) as channel:
        stub: images_pb2_grpc.ImageServiceAsyncStub = images_pb2_grpc.ImageServiceStub(channel)
        with Progress(*columns, console=console) as progress:
            bar = progress.add_task("cut", total=len(jobs))

            async def do(job: Job) -> bool:
                try:
                    await edit_file(stub, job.source, job.target, call.template, call.timeout_s)
                except EditFailedError as error:
                    progress.console.print(f"{job.source}: {error}", markup=False, highlight=False, soft_wrap=True)
                    return False
                finally:
                    progress.advance(bar)
                return True

            return await work_through(jobs, call.in_flight, do)
