"""What the program is put together from: settings to the objects that are told them."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

from server.admission import Admission
from server.config import MIB, Settings
from server.jobs.jobs import Jobs
from server.jobs.previews import Shelf
from server.jobs.record import Kind
from server.jobs.runner import JobRunner, RunnerOptions
from server.jobs.settings import JobSettings, Retention
from server.jobs.uploads.setup import Places, open_places
from server.jobs.webhooks import WebhookErrand
from server.rpc.access import Access
from server.rpc.calls import CallInterceptor
from server.rpc.images import ImageOptions
from server.rpc.jobs import JobServicer
from server.rpc.service import host_of
from server.rpc.submissions import Submissions, SubmitOptions
from server.triton.model import TritonOptions
from server.triton.monitor import ModelMonitor
from server.video.task import VideoFacts, VideoLimits
from server.workers.limits import JOB_NICENESS, WorkerLimits
from server.workers.pool import WorkerPool
from server.workers.task import initialize
from server.workers.video import probe_video_file
from server.workers.workspace import Workspace
from transport.addresses import is_loopback

PRELOAD = ("server.workers.preload",)

# How long an attempt may wait for a worker that makes one of the other kind, fetch its inputs and store its result.
AROUND_S = 300.0

# How long a submit waits for a worker, behind the calls that are at work, until its video's header is read.
PROBE_WAIT_S = 20.0


@dataclass(frozen=True)
class Rooms:
    """Where work is done: the folder in shared memory and the workers of calls; the scratch disk and those of jobs; and
    where videos at work can be seen."""

    memory: Workspace
    scratch: Workspace
    pool: WorkerPool
    job_pool: WorkerPool
    shelf: Shelf = field(default_factory=Shelf)


def open_job_places(settings: Settings) -> Places:
    """Where jobs have their files. Raises ValueError, which shows no secret."""
    url = settings.cloudinary_url if settings.uploads == "cloudinary" else None
    if settings.uploads == "cloudinary" and url is None:
        raise ValueError("uploads to Cloudinary need CLOUDINARY_URL")
    settings.data.mkdir(parents=True, exist_ok=True)
    account = None if url is None else url.get_secret_value()
    return open_places(settings.store_url, settings.data / "spool", account, settings.scratch)


def calls_limits(settings: Settings) -> WorkerLimits:
    """Of a worker that a caller waits for."""
    return WorkerLimits(settings.worker_memory_mib * MIB, settings.worker_file_mib * MIB, settings.worker_cpu_s)


def jobs_limits(settings: Settings) -> WorkerLimits:
    """Of a worker for jobs."""
    return WorkerLimits(
        settings.job_memory_mib * MIB, settings.job_file_mib * MIB, settings.job_cpu_s, niceness=JOB_NICENESS
    )


def calls_pool(settings: Settings) -> WorkerPool:
    """The workers that callers wait for."""
    return WorkerPool(settings.workers, initialize, calls_limits(settings), settings.log, preload=PRELOAD)


def jobs_pool(settings: Settings) -> WorkerPool:
    """Workers of their own, so that no call waits for a job."""
    return WorkerPool(
        settings.job_workers, initialize, jobs_limits(settings), settings.log, preload=PRELOAD, name="jobs"
    )


def triton_options(settings: Settings, rooms: Rooms) -> TritonOptions:
    """How workers reach Triton."""
    region_prefix = rooms.memory.name if settings.triton_shared_memory else None
    return TritonOptions(settings.triton, settings.triton_timeout_s, region_prefix)


def image_options(settings: Settings, triton: TritonOptions) -> ImageOptions:
    """What ImageService is configured with."""
    return ImageOptions(
        settings.model,
        settings.generation_model,
        settings.max_pixels,
        settings.timeout_s,
        calls_limits(settings),
        triton,
    )


def build_jobs(settings: Settings, places: Places, rooms: Rooms, triton: TritonOptions, monitor: ModelMonitor) -> Jobs:
    """The jobs, with what does their work."""
    timeout_s = {Kind.IMAGE: settings.job_timeout_s, Kind.VIDEO: settings.video_timeout_s}
    options = RunnerOptions(
        model=settings.model,
        fast_model=settings.fast_model,
        generation_model=settings.generation_model,
        video=video_limits(settings),
        timeout_s=timeout_s,
        limits=jobs_limits(settings),
        triton=triton,
    )
    runner = JobRunner(
        options, places, rooms.job_pool, rooms.scratch, shelf=rooms.shelf, on_model_failure=monitor.suspect
    )
    slots = {Kind.IMAGE: settings.job_workers, Kind.VIDEO: max(1, settings.job_workers - 1)}
    around_s = AROUND_S + max(timeout_s.values())
    told = JobSettings(
        settings.jobs_url,
        slots,
        timeout_s={kind: limit_s + around_s for kind, limit_s in timeout_s.items()},
        retention=Retention(result=timedelta(hours=settings.retention_h)),
    )
    return Jobs(told, places.store, runner, (*places.errands, WebhookErrand()))


def build_job_calls(
    settings: Settings, places: Places, rooms: Rooms, *, monitor: ModelMonitor, jobs: Jobs, admission: Admission
) -> JobServicer:
    """JobService."""
    limits = video_limits(settings)
    probe = partial(_probe, rooms.pool, limits, calls_limits(settings))
    options = SubmitOptions(settings.max_pixels, limits, probe, monitor.check_listed)
    submissions = Submissions(options, jobs, admission, rooms.scratch)
    return JobServicer(submissions, jobs, places, admission, shelf=rooms.shelf, transfer_s=settings.transfer_s)


def video_limits(settings: Settings) -> VideoLimits:
    """What of a video is taken."""
    return VideoLimits(duration_s=settings.video_duration_s, size=settings.video_mib * MIB)


def build_interceptor(settings: Settings) -> CallInterceptor:
    """What surrounds every call."""
    callers = None if settings.tls is None else settings.callers
    access = Access(callers, local=is_loopback(host_of(settings.grpc)))
    return CallInterceptor(access, settings.receive_s, settings.transfer_s)


async def _probe(pool: WorkerPool, video: VideoLimits, limits: WorkerLimits, file: Path) -> VideoFacts:
    """A caller waits for it, so the workers of calls do it."""
    return await pool.run(probe_video_file, file, video, limits, timeout_s=video.opening_s + PROBE_WAIT_S)
