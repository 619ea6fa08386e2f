"""Orders of jobs: refused at once where they can be, else accepted with all their files."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from clearcanvas.v1 import jobs_pb2
from google.protobuf.message import Message

from server.admission import Admission
from server.composition import Composition, Generated
from server.edit import refuse_transparent_jpeg
from server.errors import InvalidParameterError, JobConflictError, JobNotFoundError
from server.jobs.jobs import Jobs
from server.jobs.record import Json, Kind, Order, Record, State
from server.jobs.runner import BACKGROUND, IMAGE, VIDEO
from server.jobs.webhooks import check_webhook_url, make_secret
from server.rpc.pictures import judge_background, judge_picture
from server.rpc.uploads import MAX_CHUNK_BYTES, save_chunks, save_files
from server.video.task import VideoFacts, VideoLimits
from server.wire.image_jobs import write_image_spec
from server.wire.job_options import JobOptions, read_options
from server.wire.messages import read_background_picture, read_edit_request
from server.wire.video_jobs import read_video_order, write_video_spec
from server.workers.workspace import Workspace

HUNDREDTHS = 100  # The parts of a picture's work.
_UPLOAD_BYTES = 4 * MAX_CHUNK_BYTES  # What of an upload is in memory: chunks on their way to the disk.


@dataclass(frozen=True)
class SubmitOptions:
    """What is accepted, and who is asked about it."""

    max_pixels: int  # of one picture
    video: VideoLimits
    probe: Callable[[Path], Awaitable[VideoFacts]]  # of a video's header; raises InvalidVideoError
    check_model: Callable[[str, str], Awaitable[None]]  # by name, and its field; raises ModelNotFoundError


class Submissions:
    """Takes orders. Pictures are judged by their headers, as Edit does it; videos by theirs, in a worker."""

    def __init__(self, options: SubmitOptions, jobs: Jobs, admission: Admission, scratch: Workspace) -> None:
        self._options = options
        self._jobs = jobs
        self._admission = admission
        self._scratch = scratch

    async def image(self, request: jobs_pb2.SubmitImageRequest) -> Record:
        """Accept an edit. Raises ServiceError; see jobs.proto."""
        options = _read_options(request.options)
        pictures, call = read_edit_request(request.edit, self._options.max_pixels)
        refuse_transparent_jpeg(call.task)
        judge_picture(pictures.image, call.task.max_pixels)
        self._judge_background(pictures.background, call.task.max_pixels)
        with self._admission.permit(_copies(request)), self._scratch.folder() as folder:
            await self._check_models(call.model, call.task.composition)
            digest = await asyncio.to_thread(_digest, request.edit, options.webhook_url)
            files = await save_files(folder, {IMAGE: pictures.image, BACKGROUND: pictures.background})
            spec = write_image_spec(request.edit, call)
            order = _order(options, Kind.IMAGE, spec, digest, total=HUNDREDTHS)
            return await self._accept(order, files, validate_only=options.validate_only)

    async def video(self, requests: AsyncIterator[jobs_pb2.SubmitVideoRequest]) -> Record:
        """Accept a video: first its order, then its bytes. Raises ServiceError; see jobs.proto."""
        first = await anext(requests, None)
        if first is None or not first.HasField("order"):
            raise InvalidParameterError("The order comes first.", {"field": "order"})
        options, sent = _read_options(first.order.options), first.order
        sent.ClearField("options")
        call = read_video_order(sent)
        background = read_background_picture(sent.composition, call.composition)
        self._judge_background(background, self._options.max_pixels)
        with self._admission.permit(_copies(sent) + _UPLOAD_BYTES), self._scratch.folder() as folder:
            await self._check_models(call.model, call.composition)
            video = await save_chunks(requests, folder / VIDEO, self._options.video.size)
            facts = await self._options.probe(folder / VIDEO)
            digest = await asyncio.to_thread(_digest, sent, options.webhook_url, video)
            files = await save_files(folder, {BACKGROUND: background}) | {VIDEO: folder / VIDEO}
            order = _order(options, Kind.VIDEO, write_video_spec(sent, call, facts), digest, total=facts.frames)
            return await self._accept(order, files, validate_only=options.validate_only)

    async def _accept(self, order: Order, files: Mapping[str, Path], *, validate_only: bool) -> Record:
        if not validate_only:
            return await self._jobs.submit(order, files)
        try:
            known = await self._jobs.get(order.id, order.owner)
        except JobNotFoundError:
            return _as_it_would_be(order)
        if known.digest != order.digest:
            raise JobConflictError("Another request was submitted with that id.")
        return known

    def _judge_background(self, picture: bytes, max_pixels: int) -> None:
        if picture:
            judge_background(picture, max_pixels)

    async def _check_models(self, model: str, composition: Composition) -> None:
        if model:
            await self._options.check_model(model, "model")
        if isinstance(composition.background, Generated) and composition.background.model:
            await self._options.check_model(composition.background.model, "generated.model")


def _read_options(sent: jobs_pb2.JobOptions) -> JobOptions:
    options = read_options(sent)
    if options.webhook_url:
        check_webhook_url(options.webhook_url)
    return options


def _copies(message: Message) -> int:
    """Bytes of a message, and of its copy while it is told apart."""
    return 2 * message.ByteSize()


def _digest(message: Message, webhook_url: str, *files: bytes) -> str:
    """What tells two requests apart, in hex. `files`: digests of what comes beside the message."""
    digest = hashlib.sha256()
    for part in (message.SerializeToString(deterministic=True), webhook_url.encode(), *files):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def _order(options: JobOptions, kind: Kind, spec: Json, digest: str, total: int) -> Order:
    secret = make_secret() if options.webhook_url else ""
    return Order(options.id, options.owner, kind, spec, digest, total, options.webhook_url, secret)


def _as_it_would_be(order: Order) -> Record:
    return Record(
        id=order.id,
        owner=order.owner,
        kind=order.kind,
        spec=order.spec,
        digest=order.digest,
        state=State.QUEUED,
        attempt=0,
        done=0,
        total=order.total,
        created=datetime.now(UTC),
    )
