"""`python -m server`: the gRPC service, until SIGTERM."""

import asyncio
import ctypes
import logging
import os
import signal
import sys

from pydantic import ValidationError

from server.admission import Admission
from server.config import MIB, Settings, load_settings
from server.rpc.calls import RequestIdFilter
from server.rpc.health import HealthServicer
from server.rpc.images import ImageOptions, ImageServicer
from server.rpc.service import build_server
from server.triton.model import TritonOptions
from server.triton.monitor import ModelMonitor
from server.workers.limits import WorkerLimits, scrub_environment
from server.workers.pool import WorkerPool
from server.workers.task import initialize
from server.workers.workspace import Workspace

logger = logging.getLogger("server")

PRELOAD = ("server.workers.preload",)
CLOSE_GRACE_S = 0.5
TRIM_PAUSE_S = 5.0


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    try:
        settings = load_settings()
    except ValidationError as error:
        raise SystemExit(str(error)) from None
    scrub_environment()
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(RequestIdFilter())
    logging.basicConfig(
        level=logging.INFO,
        handlers=[handler],
        format="%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s",
    )
    asyncio.run(serve(settings))


async def serve(settings: Settings) -> None:
    """Run the service with all that belongs to it, and take everything down in order."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    workspace = Workspace()
    limits = WorkerLimits(settings.worker_memory_mib * MIB, settings.worker_file_mib * MIB, settings.worker_cpu_s)
    pool = WorkerPool(settings.workers, initialize, limits, preload=PRELOAD)
    try:
        await pool.start()
        await _serve(settings, workspace, limits, pool, stopping)
    finally:
        await pool.close()
        workspace.close()
    logger.info("stopped")


async def _serve(
    settings: Settings, workspace: Workspace, limits: WorkerLimits, pool: WorkerPool, stopping: asyncio.Event
) -> None:
    region_prefix = workspace.name if settings.triton_shared_memory else None
    triton = TritonOptions(settings.triton, settings.triton_timeout_s, region_prefix)
    monitor = ModelMonitor(triton, settings.model, settings.require_device)
    health = HealthServicer(monitor.state)
    admission = Admission(settings.memory_budget_mib * MIB)
    options = ImageOptions(
        settings.model, settings.generation_model, settings.max_pixels, settings.timeout_s, limits, triton
    )
    images = ImageServicer(options, admission, workspace, pool, monitor.suspect)
    server = build_server(images, health, settings.receive_s, settings.transfer_s)
    try:
        port = server.add_insecure_port(settings.grpc)
    except RuntimeError as error:
        raise SystemExit(f"cannot listen on {settings.grpc}: {error}") from None
    await server.start()
    background = [asyncio.create_task(monitor.run(health.update)), asyncio.create_task(_give_memory_back())]
    host = settings.grpc.rpartition(":")[0]
    logger.info(
        "serving on %s:%d, pid %d, %d workers, model %s from %s", host, port, os.getpid(), settings.workers,
        settings.model, settings.triton,
    )  # fmt: skip
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({stop, *background}, return_when=asyncio.FIRST_COMPLETED)
    logger.info("draining %d calls", admission.in_flight)
    await health.enter_graceful_shutdown()
    admission.close()
    try:
        async with asyncio.timeout(settings.drain_s):
            await admission.drained()
    except TimeoutError:
        logger.error("%d calls were not done after %.1f s", admission.in_flight, settings.drain_s)
    for task in (stop, *background):
        task.cancel()
    outcomes = await asyncio.gather(stop, *background, return_exceptions=True)
    await server.stop(CLOSE_GRACE_S)
    await monitor.close()
    for outcome in outcomes:
        if isinstance(outcome, Exception):  # What should run for ever has failed: end with its traceback.
            raise outcome


async def _give_memory_back() -> None:
    """Return what the C library has freed and keeps: a few pictures of 25 MiB otherwise leave 300 MB behind."""
    libc = ctypes.CDLL(None)
    while True:
        await asyncio.sleep(TRIM_PAUSE_S)
        await asyncio.to_thread(libc.malloc_trim, 0)


if __name__ == "__main__":
    main()
