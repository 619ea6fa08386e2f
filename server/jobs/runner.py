"""One attempt at a job: inputs out of the store, the work in a worker, the result into the store."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cards.target import Target
from server.composition import Composition, Picture, painting_model
from server.jobs.paths import input_path, output_path
from server.jobs.ports import OnProgress
from server.jobs.previews import Shelf
from server.jobs.record import Json, Kind, Outcome, Record
from server.jobs.uploads.setup import Places
from server.routing.router import Router
from server.triton.fleet import Fleet
from server.triton.model import TritonOptions
from server.video.task import VideoLimits, VideoTask
from server.wire.image_jobs import read_image_spec, write_image_facts
from server.wire.video_jobs import read_video_spec, write_video_result
from server.workers.limits import WorkerLimits
from server.workers.pool import WorkerPool
from server.workers.progress import read_progress
from server.workers.task import EditJob, edit_picture
from server.workers.video import VideoJob, render_video_file
from server.workers.workspace import Workspace

logger = logging.getLogger(__name__)
T = TypeVar("T")
_Job = TypeVar("_Job", EditJob, VideoJob)

LOOK_S = 0.25  # Often enough for a bar that moves, and nothing beside the work itself.

IMAGE, VIDEO, BACKGROUND = "image", "video", "background"
"""Names of a job's files."""

PROGRESS = "progress"


@dataclass(frozen=True)
class RunnerOptions:
    """What the work is done with."""

    model: str  # used when an order names none
    fast_model: str  # of videos
    generation_model: str  # used when a generated background names none
    video: VideoLimits
    timeout_s: Mapping[Kind, float]  # longest one attempt may take
    limits: WorkerLimits


@dataclass(frozen=True)
class RunnerRooms:
    """Where the work is done, and where it can be seen."""

    pool: WorkerPool
    scratch: Workspace
    shelf: Shelf
    router: Router
    fleet: Fleet


@dataclass(frozen=True)
class _Made:
    """A result, still in the scratch folder."""

    file: Path
    content_type: str
    facts: Json


class JobRunner:
    """Implements `server.jobs.ports.Runner` with a pool of workers that does nothing else."""

    def __init__(
        self,
        options: RunnerOptions,
        places: Places,
        rooms: RunnerRooms,
    ) -> None:
        self._options = options
        self._places = places
        self._rooms = rooms
        # Both kinds together may have more attempts under way than there are workers; the time of one begins with its
        # worker.
        self._room = asyncio.Semaphore(rooms.pool.size)

    async def run(self, record: Record, attempt: int, on_progress: OnProgress) -> Outcome:
        """Make the result of `record` and put it into the store. See `Runner.run`."""
        async with self._room:
            with self._rooms.scratch.folder() as folder:
                async with _followed(folder / PROGRESS, on_progress):
                    made = await self._made(record, folder)
                return await self._kept(record, attempt, made)

    async def _kept(self, record: Record, attempt: int, made: _Made) -> Outcome:
        path = output_path(record.id, attempt, made.file.name)
        await self._places.store.put_file(path, made.file)
        uploaded = await self._places.upload(record.id, record.kind, made.file, made.content_type)
        return Outcome(path, made.content_type, made.file.stat().st_size, {**made.facts, **uploaded})

    async def _made(self, record: Record, folder: Path) -> _Made:
        return await (self._render if record.kind is Kind.VIDEO else self._edit)(record, folder)

    async def _edit(self, record: Record, folder: Path) -> _Made:
        call = read_image_spec(record.spec)
        job = EditJob(
            source=await self._fetched(record, IMAGE, folder),
            target=folder / f"result.{call.task.output.format.value}",
            task=call.task,
            model=self._choose(record, call.model or self._options.model),
            generation_model=self._painter(record, call.task.composition),
            deadline=self._deadline(record),
            background=await self._fetched_background(record, call.task.composition, folder),
            progress=folder / PROGRESS,
        )
        given = time.monotonic()
        result = await self._run(edit_picture, job)
        waited_s = time.monotonic() - given - sum(seconds for _, seconds in result.stages)
        return _Made(job.target, result.content_type, write_image_facts(result, max(0.0, waited_s)))

    async def _render(self, record: Record, folder: Path) -> _Made:
        with self._rooms.shelf.holding(record.id, folder) as previews:
            return await self._render_shown(record, folder, previews)

    async def _render_shown(self, record: Record, folder: Path, previews: Path) -> _Made:
        call = read_video_spec(record.spec)
        job = VideoJob(
            source=await self._fetched(record, VIDEO, folder),
            target=folder / f"result.{call.format.extension}",
            task=VideoTask(call.composition, call.format, call.matting, self._options.video),
            model=self._choose(record, call.model or self._options.model),
            fast_model=self._choose(record, self._options.fast_model),
            generation_model=self._painter(record, call.composition),
            deadline=self._deadline(record),
            progress=folder / PROGRESS,
            previews=previews,
            background=await self._fetched_background(record, call.composition, folder),
        )
        result = await self._run(render_video_file, job)
        stages = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in result.stages)
        logger.info("video %s: %d frames, %s, %s", record.id, result.frames, result.matting.value, stages)
        return _Made(job.target, result.content_type, write_video_result(result))

    async def _run(self, function: Callable[[_Job, WorkerLimits, TritonOptions], T], job: _Job) -> T:
        """Do the work with one of the Tritons; what it asks them for stays loaded meanwhile."""

        async def work(triton: TritonOptions) -> T:
            limits, left_s = self._options.limits, job.deadline - time.monotonic()
            return await self._rooms.pool.run(function, job, limits, triton, timeout_s=left_s)

        with self._rooms.router.using(*job.targets):
            return await self._rooms.fleet.run(job.targets, work)

    def _choose(self, record: Record, name: str) -> Target:
        return self._rooms.router.choose(name, record.id)

    def _painter(self, record: Record, composition: Composition) -> Target | None:
        name = painting_model(composition, self._options.generation_model)
        return None if name is None else self._choose(record, name)

    def _deadline(self, record: Record) -> float:
        return time.monotonic() + self._options.timeout_s[record.kind]

    async def _fetched(self, record: Record, name: str, folder: Path) -> Path:
        await self._places.store.get_to_file(input_path(record.id, record.digest, name), folder / name)
        return folder / name

    async def _fetched_background(self, record: Record, composition: Composition, folder: Path) -> Path | None:
        if not isinstance(composition.background, Picture):
            return None
        return await self._fetched(record, BACKGROUND, folder)


@asynccontextmanager
async def _followed(file: Path, on_progress: OnProgress) -> AsyncIterator[None]:
    """Tell what a worker writes to `file`, during the block and at its end."""
    following = asyncio.create_task(_follow(file, on_progress))
    try:
        yield
        _tell(file, on_progress)
    finally:
        following.cancel()


async def _follow(file: Path, on_progress: OnProgress) -> None:
    while True:
        await asyncio.sleep(LOOK_S)
        _tell(file, on_progress)


def _tell(file: Path, on_progress: OnProgress) -> None:
    progress = read_progress(file)
    if progress is not None:
        on_progress(*progress)
