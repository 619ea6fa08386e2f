"""What the program is put together from: settings to the objects that are told them."""

import socket
import time
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

from database.presence import Sightings
from server.admission import Admission
from server.config import MIB, Settings
from server.edit import EditResult
from server.jobs.jobs import Jobs
from server.jobs.previews import Shelf
from server.jobs.record import Kind
from server.jobs.runner import JobRunner, RunnerOptions, RunnerRooms
from server.jobs.settings import JobSettings, Retention
from server.jobs.uploads.setup import Places, open_places
from server.jobs.webhooks import WebhookErrand
from server.lifecycle.changer import Changer
from server.lifecycle.findings import Findings
from server.lifecycle.gate import GoldenGate
from server.lifecycle.journal import Journal
from server.lifecycle.mattes import Mattes
from server.lifecycle.mirrors import Mirrors
from server.lifecycle.ports import Ports
from server.lifecycle.repository import Repository
from server.routing.database import RoutingDatabase
from server.routing.keeper import Keeper
from server.routing.presence import Presence
from server.routing.router import Router, RoutingPeriods
from server.routing.store import RouteStore
from server.rpc.access import Access
from server.rpc.calls import CallInterceptor
from server.rpc.images import ImageOptions, ImageRooms
from server.rpc.jobs import JobServicer
from server.rpc.models import ModelServicer
from server.rpc.service import host_of
from server.rpc.submissions import Submissions, SubmitOptions
from server.triton.control import TritonControl
from server.triton.fleet import Fleet, Member
from server.triton.model import TritonOptions
from server.triton.monitor import ModelMonitor
from server.video.task import VideoFacts, VideoLimits
from server.workers.limits import JOB_NICENESS, WorkerLimits
from server.workers.pool import WorkerPool
from server.workers.task import EditJob, edit_picture, initialize
from server.workers.video import probe_video_file
from server.workers.workspace import Workspace
from transport.addresses import is_loopback

PRELOAD = ("server.workers.preload",)

PERIODS = RoutingPeriods()

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


@dataclass(frozen=True)
class Routing:
    """What names stand for, and the Tritons that follow. `database`, `store`: what all servers see of it."""

    database: RoutingDatabase
    store: RouteStore
    router: Router
    keepers: tuple[Keeper, ...]
    fleet: Fleet

    async def start(self) -> None:
        """Learn what names stand for. Raises StoreUnavailableError."""
        await self.router.start(self.keepers)

    async def close(self) -> None:
        """Leave the other servers, and the Tritons."""
        await self.router.close()
        await self.fleet.close()

    async def check_listed(self, model: str, field: str) -> None:
        """Raise ModelNotFoundError where nothing is known of what a request names. `field`: of it, that does so."""
        if self.router.route(self.router.choose(model, "").model) is None:
            await self.fleet.check_listed(model, field)


def build_routing(settings: Settings, rooms: Rooms) -> Routing:
    """Call it inside the running event loop. Raises ValueError where the database cannot be one."""
    server = str(uuid4())
    database = RoutingDatabase(settings.jobs_url)
    store = RouteStore(database, server)
    router = Router(database, Presence(server, store, Sightings(PERIODS.dead)), PERIODS)
    keepers = tuple(Keeper(TritonControl(each), _place(each), store, router.wish) for each in settings.tritons)
    fleet = [
        _member(settings, triton_options(settings, rooms, keeper.control.address), router, keeper) for keeper in keepers
    ]
    return Routing(database, store, router, keepers, Fleet(fleet))


def _member(settings: Settings, triton: TritonOptions, router: Router, keeper: Keeper) -> Member:
    monitor = ModelMonitor(triton, partial(router.main, settings.model), settings.require_device)
    return Member(triton, monitor, lambda: keeper.ready)


def triton_options(settings: Settings, rooms: Rooms, address: str) -> TritonOptions:
    """How workers reach one Triton: by shared memory where it is on this machine."""
    shared = settings.triton_shared_memory and is_loopback(host_of(address))
    return TritonOptions(address, settings.triton_timeout_s, rooms.memory.name if shared else None)


def image_options(settings: Settings) -> ImageOptions:
    """What ImageService is configured with."""
    return ImageOptions(
        settings.model,
        settings.generation_model,
        settings.max_pixels,
        settings.timeout_s,
        calls_limits(settings),
    )


def image_rooms(rooms: Rooms, routing: Routing) -> ImageRooms:
    """Where ImageService has its work done."""
    return ImageRooms(rooms.memory, rooms.pool, routing.router, routing.fleet)


def build_jobs(settings: Settings, places: Places, rooms: Rooms, routing: Routing) -> Jobs:
    """The jobs, with what does their work."""
    timeout_s = {Kind.IMAGE: settings.job_timeout_s, Kind.VIDEO: settings.video_timeout_s}
    options = RunnerOptions(
        model=settings.model,
        fast_model=settings.fast_model,
        generation_model=settings.generation_model,
        video=video_limits(settings),
        timeout_s=timeout_s,
        limits=jobs_limits(settings),
    )
    where = RunnerRooms(rooms.job_pool, rooms.scratch, rooms.shelf, routing.router, routing.fleet)
    runner = JobRunner(options, places, where)
    slots = {Kind.IMAGE: settings.job_workers, Kind.VIDEO: max(1, settings.job_workers - 1)}
    around_s = AROUND_S + max(timeout_s.values())
    told = JobSettings(
        settings.jobs_url,
        slots,
        timeout_s={kind: limit_s + around_s for kind, limit_s in timeout_s.items()},
        retention=Retention(result=timedelta(hours=settings.retention_h)),
    )
    return Jobs(told, places.store, runner, (*places.errands, WebhookErrand()))


@dataclass(frozen=True)
class Swapping:
    """ModelService, and what has versions work on copies."""

    calls: ModelServicer
    mirrors: Mirrors

    async def close(self) -> None:
        """Give up what is under way."""
        await self.calls.close()
        await self.mirrors.close()


def build_swapping(settings: Settings, rooms: Rooms, routing: Routing) -> Swapping:
    """What changes the routing. Its work is done by the workers of jobs: no call waits for it."""
    limits = jobs_limits(settings)

    async def run(job: EditJob) -> EditResult:
        with routing.router.using(*job.targets):
            return await routing.fleet.run(
                job.targets,
                lambda triton: rooms.job_pool.run(
                    edit_picture, job, limits, triton, timeout_s=job.deadline - time.monotonic()
                ),
            )

    mattes = Mattes(run, rooms.job_pool, settings.max_pixels, settings.job_timeout_s)
    journal, findings = Journal(routing.database), Findings(routing.database)
    repository = Repository(settings.model_repository)
    gate = GoldenGate(settings.golden, mattes, rooms.scratch)
    changer = Changer(Ports(routing.router, routing.store, repository, gate, journal), settings.max_latency_ratio)
    calls = ModelServicer(changer, repository, routing.router, journal, findings)
    return Swapping(calls, Mirrors(routing.router, mattes, findings, rooms.memory))


def build_job_calls(
    settings: Settings, places: Places, rooms: Rooms, *, routing: Routing, jobs: Jobs, admission: Admission
) -> JobServicer:
    """JobService."""
    limits = video_limits(settings)
    probe = partial(_probe, rooms.pool, limits, calls_limits(settings))
    options = SubmitOptions(settings.max_pixels, limits, probe, routing.check_listed)
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


def _place(address: str) -> str:
    """A Triton's name among those of all servers: what is at a loopback address is another one on each machine."""
    return f"{socket.gethostname()} {address}" if is_loopback(host_of(address)) else address


async def _probe(pool: WorkerPool, video: VideoLimits, limits: WorkerLimits, file: Path) -> VideoFacts:
    """A caller waits for it, so the workers of calls do it."""
    return await pool.run(probe_video_file, file, video, limits, timeout_s=video.opening_s + PROBE_WAIT_S)
