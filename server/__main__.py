"""`python -m server`: the gRPC service, until SIGTERM."""

import asyncio
import ctypes
import logging
import os
import signal
from contextlib import AsyncExitStack

import grpc.aio

from server.admission import Admission
from server.assembly import (
    Rooms,
    Routing,
    build_interceptor,
    build_job_calls,
    build_jobs,
    build_routing,
    build_swapping,
    calls_pool,
    image_options,
    image_rooms,
    jobs_pool,
    open_job_places,
)
from server.config import MIB, Settings, load_settings
from server.errors import StoreUnavailableError
from server.jobs.jobs import Jobs
from server.jobs.uploads.setup import Places
from server.metrics import REGISTRY
from server.rpc.health import HealthServicer
from server.rpc.images import ImageServicer
from server.rpc.service import ListenError, bind, build_server
from server.workers.limits import scrub_environment
from server.workers.workspace import Workspace
from telemetry.errors import TelemetryError
from telemetry.logs import set_up
from telemetry.metrics import exposed
from telemetry.traces import tracing

logger = logging.getLogger("server")

CLOSE_GRACE_S = 0.5
TRIM_PAUSE_S = 5.0


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    try:
        settings = load_settings()
        places = open_job_places(settings)  # Before the keys of its store are taken out of the environment.
    except ValueError as error:
        raise SystemExit(str(error)) from None
    scrub_environment()
    set_up(settings.log)
    try:
        with exposed(REGISTRY, settings.metrics) as address, tracing("server", settings.traces):
            if address:
                logger.info("metrics at http://%s/metrics", address)
            asyncio.run(serve(settings, places))
    except TelemetryError as error:
        raise SystemExit(str(error)) from None


async def serve(settings: Settings, places: Places) -> None:
    """Run the service with all that belongs to it, and take everything down in order."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as opened:
        rooms = Rooms(Workspace(), Workspace(settings.scratch), calls_pool(settings), jobs_pool(settings))
        for workspace in (rooms.memory, rooms.scratch):
            opened.callback(workspace.close)
        for pool in (rooms.pool, rooms.job_pool):
            opened.push_async_callback(pool.close)
            await pool.start()
        await _serve(settings, places, rooms, stopping)
    logger.info("stopped")


async def _serve(settings: Settings, places: Places, rooms: Rooms, stopping: asyncio.Event) -> None:
    try:
        routing = build_routing(settings, rooms)
        jobs = build_jobs(settings, places, rooms, routing)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    health = HealthServicer(routing.fleet.state)
    admission = Admission(settings.memory_budget_mib * MIB)
    swapping = build_swapping(settings, rooms, routing)
    images = ImageServicer(image_options(settings), admission, image_rooms(rooms, routing), swapping.mirrors.answered)
    job_calls = build_job_calls(settings, places, rooms, routing=routing, jobs=jobs, admission=admission)
    server = build_server(images, job_calls, swapping.calls, health, build_interceptor(settings))
    port = _bind(server, settings)
    await _start(jobs, places, routing)
    await server.start()
    works = (routing.router.run(), routing.fleet.watch(health.update), _give_memory_back())
    background = [asyncio.create_task(work) for work in works]
    host = settings.grpc.rpartition(":")[0]
    logger.info(
        "serving on %s:%d, pid %d, %d workers and %d for jobs, model %s from %s", host, port, os.getpid(),
        settings.workers, settings.job_workers, settings.model, settings.triton,
    )  # fmt: skip
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({stop, *background}, return_when=asyncio.FIRST_COMPLETED)
    logger.info("draining %d calls", admission.in_flight)
    await health.enter_graceful_shutdown()
    admission.close()
    job_calls.close()
    # Jobs are handed back while calls go on: another server takes them up meanwhile.
    handing_back = asyncio.create_task(jobs.close())
    await _drain(admission, settings.drain_s)
    await swapping.close()
    for task in (stop, *background):
        task.cancel()
    outcomes = await asyncio.gather(stop, handing_back, *background, return_exceptions=True)
    await server.stop(CLOSE_GRACE_S)
    await routing.close()
    for outcome in outcomes:
        if isinstance(outcome, Exception):  # What should run for ever has failed: end with its traceback.
            raise outcome


def _bind(server: grpc.aio.Server, settings: Settings) -> int:
    try:
        return bind(server, settings.grpc, settings.tls, plaintext=settings.allow_plaintext)
    except ListenError as error:
        raise SystemExit(str(error)) from None


async def _start(jobs: Jobs, places: Places, routing: Routing) -> None:
    try:
        await places.start()
        await routing.start()
        await jobs.start()
    except StoreUnavailableError as error:
        raise SystemExit(f"cannot keep jobs: {error}") from None


async def _drain(admission: Admission, limit_s: float) -> None:
    try:
        async with asyncio.timeout(limit_s):
            await admission.drained()
    except TimeoutError:
        logger.error("%d calls were not done after %.1f s", admission.in_flight, limit_s)


async def _give_memory_back() -> None:
    """Return what the C library has freed and keeps: a few pictures of 25 MiB otherwise leave 300 MB behind."""
    libc = ctypes.CDLL(None)
    while True:
        await asyncio.sleep(TRIM_PAUSE_S)
        await asyncio.to_thread(libc.malloc_trim, 0)


if __name__ == "__main__":
    main()
