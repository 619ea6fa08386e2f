"""`clearcanvas video`: videos through the job service."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from clearcanvas.v1 import jobs_pb2, jobs_pb2_grpc, videos_pb2
from clearcanvas.v1.jobs_pb2 import VideoOrder
from rich.console import Console

from cli import flags
from cli.batch import run_batch, work_through
from cli.client import connected
from cli.compositions import read_order
from cli.config import read_settings
from cli.plan import VIDEO_SUFFIXES, Job, PlanError, plan_jobs, plan_one
from cli.sheet import GrowingSheet, SheetError, has_picture_name, write_sheet
from cli.video_jobs import VideoFailedError, VideoJob
from cli.video_progress import VideoProgress, report, warning
from transport.tls import Tls

_SUFFIXES = {
    videos_pb2.VIDEO_FORMAT_MP4: ".mp4",
    videos_pb2.VIDEO_FORMAT_WEBM: ".webm",
    videos_pb2.VIDEO_FORMAT_WEBP: ".webp",
    videos_pb2.VIDEO_FORMAT_PNG_ZIP: ".zip",
}


@dataclass(frozen=True)
class Call:
    """How the service is called: where, for what, how many at once, and where the contact sheet goes."""

    address: str
    tls: Tls | None
    order: VideoOrder
    in_flight: int
    sheet: Path | None


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def video(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Videos, and folders that hold some.")],
    *,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="File for the result of one video; else a folder, made when missing.")
    ],
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
    encoding: flags.VideoForm = None,
    matting: flags.Matting = None,
    model: flags.Model = None,
    contact_sheet: Annotated[
        Path | None,
        typer.Option(help="Picture to write: frames of the result in a grid, as soon as they are done."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Make again what is there.")] = False,
    in_flight: Annotated[int, typer.Option(min=1, max=16, help="Videos in work at once.")] = 2,
    grpc: Annotated[str | None, typer.Option(help="Address of the gRPC server, HOST:PORT.")] = None,
) -> None:
    """Cut the subject out of videos, and lay it over another background.

    Without a background the result is transparent: WebM, or by --format animated WebP or a zip of PNGs. The ending of
    OUT chooses as --format does. Results that are there already are kept; Ctrl-C cancels the work. Exits with 0 when
    every video is done, 1 when some failed, 2 when the command itself is wrong.
    """
    order, jobs = _plan(paths, out, ctx.params)
    settings = read_settings(grpc=grpc)
    call = Call(settings.grpc, settings.tls, order, in_flight, contact_sheet)
    run_batch(jobs, partial(_process_all, call), "done", overwrite=overwrite)


def _plan(paths: Sequence[Path], out: Path, params: Mapping[str, Any]) -> tuple[VideoOrder, list[Job]]:
    """What is made of every video, and which video becomes which file. Raises typer.BadParameter."""
    encoding, sheet = params["encoding"], params["contact_sheet"]
    single = len(paths) == 1 and paths[0].is_file()
    named = single and out.suffix.lower() in _SUFFIXES.values() and not out.is_dir()
    if sheet is not None and not single:
        raise typer.BadParameter("--contact-sheet shows one video: name one")
    if sheet is not None and not has_picture_name(sheet):
        raise typer.BadParameter(f"--contact-sheet {sheet} should end as a picture does, for example .png")
    written = out.suffix[1:].lower() if named and encoding is None else encoding
    order = read_order({**params, "encoding": written})
    suffix = _SUFFIXES[order.format]
    if named and out.suffix.lower() != suffix:
        raise typer.BadParameter(f"{out} does not end as --format {encoding} does")
    try:
        return order, [plan_one(paths[0], out)] if named else plan_jobs(paths, out, suffix, VIDEO_SUFFIXES)
    except PlanError as error:
        raise typer.BadParameter(str(error)) from error


async def _process_all(call: Call, jobs: Sequence[Job], console: Console) -> int:
    """Process the jobs and return how many failed; each failure is printed as it happens."""
    async with connected(call.address, call.tls) as channel:
        stub: jobs_pb2_grpc.JobServiceAsyncStub = jobs_pb2_grpc.JobServiceStub(channel)
        with VideoProgress(console) as progress:

            async def do(job: Job) -> bool:
                try:
                    await _process(VideoJob(stub, str(uuid.uuid4())), job, call, progress)
                except (VideoFailedError, SheetError, OSError) as error:
                    progress.say(f"{job.source}: {error}")
                    return False
                return True

            return await work_through(jobs, call.in_flight, do)


async def _process(video_job: VideoJob, job: Job, call: Call, progress: VideoProgress) -> None:
    growing = None if call.sheet is None else GrowingSheet(call.sheet)
    with progress.bar(job.source) as bar:
        try:
            state = await video_job.submit(job.source, call.order, bar.sent)
            if sentence := warning(state.video):
                progress.say(f"{job.source}: {sentence}")
            async for response in video_job.watch(previews=growing is not None):
                state = response.job
                bar.show(state)
                if growing is not None and response.previews:
                    await asyncio.to_thread(growing.add, [(one.time_s, one.picture) for one in response.previews])
            if state.state != jobs_pb2.JOB_STATE_SUCCEEDED:
                raise VideoFailedError(state.failure.message or "the job was cancelled")
            await video_job.download(job.target, state.result.size, bar.received)
        except asyncio.CancelledError:
            await video_job.cancel()
            raise
    progress.say(f"{job.target}: {report(state)}")
    if call.sheet is not None:
        await asyncio.to_thread(write_sheet, job.target, call.sheet)
