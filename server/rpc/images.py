"""ImageService: admit, hand to a worker, stream the result; and say beforehand what a header tells."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from clearcanvas.v1 import images_pb2, images_pb2_grpc

from cards.target import Target, parse_target
from server import metrics
from server.admission import Admission
from server.composition import painting_model
from server.edit import EditResult
from server.errors import (
    DeadlineExceededError,
    OverloadedError,
)
from server.image.header import EndsInHeaderError, read_header
from server.routing.router import Router
from server.rpc.calls import REQUEST_ID_KEY, Context
from server.rpc.pictures import check_pixels, cost_of
from server.triton.fleet import Fleet
from server.wire.messages import EditCall, Pictures, read_edit_request, read_inspect_request, write_facts, write_header
from server.workers.limits import WorkerLimits
from server.workers.pool import WorkerPool
from server.workers.task import EditJob, edit_picture
from server.workers.workspace import RequestFiles, Workspace
from telemetry.request import request_id
from telemetry.traces import record_stages

logger = logging.getLogger(__name__)

CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class ImageOptions:
    """What the service is configured with."""

    model: str  # used when a request names none
    generation_model: str  # the same, for generated backgrounds
    max_pixels: int
    timeout_s: float  # longest one call may take; a shorter deadline of the caller wins
    limits: WorkerLimits


@dataclass(frozen=True)
class ImageRooms:
    """Where the work is done."""

    workspace: Workspace
    pool: WorkerPool
    router: Router
    fleet: Fleet


OnAnswered = Callable[[str, Target, str, Path], None]
"""Hears the name that a request was for, the version that answered it, the request's id, and the encoded picture, which
is gone afterwards. It may not raise."""


class ImageServicer(images_pb2_grpc.ImageServiceServicer):
    """Edits single pictures in worker processes."""

    def __init__(
        self,
        options: ImageOptions,
        admission: Admission,
        rooms: ImageRooms,
        on_answered: OnAnswered | None = None,
    ) -> None:
        """`on_answered` hears of answers to requests that left the version to the routing."""
        self._options = options
        self._admission = admission
        self._rooms = rooms
        self._on_answered = on_answered

    # The generated base class knows generators alone. A coroutine that writes to its context is grpc.aio's other
    # form, and the one that can be given a deadline: a generator is suspended, not cancelled, while gRPC sends.
    async def Edit(  # type: ignore[override]  # noqa: N802 - gRPC's name
        self, request: images_pb2.EditRequest, context: Context
    ) -> None:
        """Cut out and compose one picture. Raises ServiceError; see images.proto."""
        deadline = time.monotonic() + min(context.time_remaining() or self._options.timeout_s, self._options.timeout_s)
        pictures, call = read_edit_request(request, self._options.max_pixels)
        del request  # The message and the pictures are two copies of up to 50 MiB; neither is needed for long.
        with (
            self._admission.permit(cost_of(pictures, call.task)),
            self._rooms.workspace.request(background=bool(pictures.background)) as files,
        ):
            async with _until(deadline):
                # Shielded: the thread closes the descriptors, so it must run even when the call is cancelled.
                await asyncio.shield(asyncio.to_thread(_write, files, pictures))
                del pictures
                await self._edit(call, files, deadline, context)

    async def Inspect(  # type: ignore[override]  # noqa: N802 - gRPC's name; the form is Edit's
        self, request: images_pb2.InspectRequest, context: Context
    ) -> None:
        """Read a picture's header from its first bytes. Raises ServiceError; see images.proto."""
        prefix, total_size, max_pixels = read_inspect_request(request, self._options.max_pixels)
        try:
            header = read_header(prefix)
        except EndsInHeaderError as error:
            if error.needed_bytes > total_size:
                raise
            await context.write(images_pb2.InspectResponse(needed_bytes=error.needed_bytes))
            return
        check_pixels(header, max_pixels)
        await context.write(write_facts(header))

    async def _edit(self, call: EditCall, files: RequestFiles, deadline: float, context: Context) -> None:
        router, name = self._rooms.router, call.model or self._options.model
        model = router.choose(name, request_id.get())
        painted = painting_model(call.task.composition, self._options.generation_model)
        painter = None if painted is None else router.choose(painted, request_id.get())
        job = EditJob(files.source, files.target, call.task, model, painter, deadline, files.background)
        submitted = time.monotonic()
        with router.using(*job.targets):
            result = await self._run(job)
        waited_s = time.monotonic() - submitted - sum(seconds for _, seconds in result.stages)
        record_stages(result.stages, time.time_ns())
        metrics.count_picture(result.model, result.model_version, result.stages, max(0.0, waited_s))
        if self._on_answered is not None and result.model and not parse_target(name).version:
            self._on_answered(name, Target(result.model, result.model_version), request_id.get(), job.source)
        await self._answer(job, result, max(0.0, waited_s), context)

    async def _answer(self, job: EditJob, result: EditResult, waited_s: float, context: Context) -> None:
        for encoded in (job.source, job.background):
            if encoded is not None:
                encoded.unlink()
        await context.send_initial_metadata(((REQUEST_ID_KEY, request_id.get()),))
        await context.write(write_header(result, waited_s))
        await _stream(job.target, context)
        logger.info("%d x %d, %d bytes, %s", result.width, result.height, result.size, result.model)

    async def _run(self, job: EditJob) -> EditResult:
        return await self._rooms.fleet.run(
            job.targets,
            lambda triton: self._rooms.pool.run(
                edit_picture, job, self._options.limits, triton, timeout_s=job.deadline - time.monotonic()
            ),
        )


@contextlib.asynccontextmanager
async def _until(deadline: float) -> AsyncIterator[None]:
    """Cancel the block at `deadline` (time.monotonic), and raise `DeadlineExceededError` then."""
    try:
        async with asyncio.timeout(deadline - time.monotonic()) as limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise DeadlineExceededError("The deadline passed before the result was ready.") from None


def _write(files: RequestFiles, pictures: Pictures) -> None:
    try:
        with contextlib.ExitStack() as opened:
            source = opened.enter_context(os.fdopen(files.source_fd, "wb"))
            if files.background_fd is not None:
                opened.enter_context(os.fdopen(files.background_fd, "wb")).write(pictures.background)
            source.write(pictures.image)
    except OSError as error:
        raise OverloadedError("The service is out of shared memory.") from error


async def _stream(path: Path, context: Context) -> None:
    """Send the file in chunks. The write waits until gRPC takes the next one, so one chunk is held, not the file."""
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            await context.write(images_pb2.EditResponse(chunk=chunk))
