"""An image service at the adapter's edge: speaks the real contract, and behaves as each test tells it."""

import asyncio
from collections.abc import AsyncIterator, Callable

import grpc
from clearcanvas.v1 import images_pb2, images_pb2_grpc
from clearcanvas.v1.images_pb2 import (
    EditHeader,
    EditRequest,
    EditResponse,
    ForegroundBox,
    InspectRequest,
    InspectResponse,
    PictureFacts,
    StageTime,
)
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

Context = grpc.aio.ServicerContext[EditRequest, EditResponse]
Behaviour = Callable[[EditRequest, Context], AsyncIterator[EditResponse]]

CHUNK = 1024 * 1024
DEVICE = "cpu/openvino/f32"
SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": images_pb2.IMAGE_FORMAT_PNG,
    b"\xff\xd8\xff": images_pb2.IMAGE_FORMAT_JPEG,
    b"RIFF": images_pb2.IMAGE_FORMAT_WEBP,
}


def header(size: int, content_type: str = "image/png") -> EditResponse:
    """The first message of a result of `size` bytes."""
    return EditResponse(
        header=EditHeader(
            content_type=content_type,
            size=size,
            width=640,
            height=480,
            model="isnet",
            device=DEVICE,
            foreground=ForegroundBox(top=1, left=2, width=3, height=4),
            stages=[StageTime(name="decode", seconds=0.0125), StageTime(name="infer", seconds=0.5)],
        )
    )


async def echo(request: EditRequest, _: Context) -> AsyncIterator[EditResponse]:
    """Sends the picture back as it came."""
    yield header(len(request.image))
    for start in range(0, len(request.image), CHUNK):
        yield EditResponse(chunk=request.image[start : start + CHUNK])


def fail(
    code: grpc.StatusCode,
    message: str,
    reason: str = "",
    metadata: dict[str, str] | None = None,
    retry_after_s: float | None = None,
) -> Behaviour:
    """Refuses as the real server does: rich status, ErrorInfo, RetryInfo; plain gRPC where no reason is given."""

    async def behave(_: EditRequest, context: Context) -> AsyncIterator[EditResponse]:
        trailing = pack_status(code, message, reason, metadata, retry_after_s) if reason else ()
        await context.abort(code, message, trailing)
        yield header(0)

    return behave


def pack_status(
    code: grpc.StatusCode,
    message: str,
    reason: str,
    metadata: dict[str, str] | None = None,
    retry_after_s: float | None = None,
) -> tuple[tuple[str, bytes], ...]:
    """The trailing metadata of a refusal."""
    status = Status(code=code.value[0], message=message)
    status.details.append(_pack(ErrorInfo(reason=reason, domain="clearcanvas", metadata=metadata)))
    if retry_after_s is not None:
        pause = Duration(nanos=int(retry_after_s % 1 * 1e9), seconds=int(retry_after_s))
        status.details.append(_pack(RetryInfo(retry_delay=pause)))
    return (("grpc-status-details-bin", status.SerializeToString()),)


def _pack(message: ErrorInfo | RetryInfo) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(message)
    return packed


class FakeImageService(images_pb2_grpc.ImageServiceServicer, health_pb2_grpc.HealthServicer):
    """Remembers what it was asked; `behaviour` makes the answer."""

    def __init__(self) -> None:
        self._turned = asyncio.Event()
        self.reset()

    def reset(self) -> None:
        """Forgets the past and echoes again."""
        self.behaviour: Behaviour = echo
        self.requests: list[EditRequest] = []
        self.inspected: list[InspectRequest] = []
        self.header_bytes = 16  # How much of a picture its header takes.
        self.refusal: Behaviour | None = None  # Of an inspection.
        self.request_ids: list[str] = []
        self.traceparents: list[str] = []
        self.deadlines_s: list[float] = []
        self.turn(serving=True)
        self.callers: set[str] = set()  # The names in their certificates.
        self.started = asyncio.Event()
        self.cancelled = asyncio.Event()  # An edit ended before its behaviour did.
        self.finished = False

    def turn(self, *, serving: bool) -> None:
        """Says from now on that it serves, or does not; also to who watches."""
        status = HealthCheckResponse.SERVING if serving else HealthCheckResponse.NOT_SERVING
        self.health = HealthCheckResponse(status=status)
        self._turned.set()
        self._turned = asyncio.Event()

    async def Edit(self, request: EditRequest, context: Context) -> AsyncIterator[EditResponse]:  # noqa: N802
        self.requests.append(request)
        self.callers |= {name.decode() for name in context.auth_context().get("peer_dns", ())}
        sent = dict(context.invocation_metadata() or ())
        self.request_ids.append(str(sent.get("x-request-id", "")))
        self.traceparents.append(str(sent.get("traceparent", "")))
        self.deadlines_s.append(context.time_remaining() or 0.0)
        self.started.set()
        context.add_done_callback(self._note_end)  # type: ignore[arg-type]  # The stubs take no function there.
        async for message in self.behaviour(request, context):
            yield message
        self.finished = True

    async def Inspect(self, request: InspectRequest, context: Context) -> InspectResponse:  # noqa: N802
        self.inspected.append(request)
        if self.refusal is not None:
            async for _ in self.refusal(EditRequest(), context):
                pass
        if len(request.prefix) < self.header_bytes:
            return InspectResponse(needed_bytes=self.header_bytes)
        form = next((form for start, form in SIGNATURES.items() if request.prefix.startswith(start)), None)
        if form is None:
            code, message = grpc.StatusCode.INVALID_ARGUMENT, "no picture"
            await context.abort(code, message, pack_status(code, message, "INVALID_IMAGE"))
        return InspectResponse(facts=PictureFacts(format=form, width=640, height=480))

    def _note_end(self, _: object) -> None:
        if not self.finished:
            self.cancelled.set()

    async def Check(self, request: HealthCheckRequest, context: Context) -> HealthCheckResponse:  # noqa: N802
        context.set_trailing_metadata((("clearcanvas-model", "isnet"), ("clearcanvas-device", DEVICE)))
        return self.health

    async def Watch(  # noqa: N802
        self, request: HealthCheckRequest, context: Context
    ) -> AsyncIterator[HealthCheckResponse]:
        while True:
            turned = self._turned
            yield self.health
            await turned.wait()


class RunningFake:
    """A FakeImageService on a free port, which can be stopped and started again on the same port.

    `extras` add other services to the same server; `credentials` are for callers with certificates.
    """

    def __init__(
        self, *extras: Callable[[grpc.aio.Server], None], credentials: grpc.ServerCredentials | None = None
    ) -> None:
        self._credentials = credentials
        self.service = FakeImageService()
        self._extras = extras
        self.port = 0
        self._server: grpc.aio.Server | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = grpc.aio.server(
            options=(("grpc.max_receive_message_length", 51 * CHUNK), ("grpc.so_reuseport", 0))
        )
        images_pb2_grpc.add_ImageServiceServicer_to_server(self.service, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self.service, self._server)
        for add in self._extras:
            add(self._server)
        address = f"127.0.0.1:{self.port}"
        if self._credentials is None:
            self.port = self._server.add_insecure_port(address)
        else:
            self.port = self._server.add_secure_port(address, self._credentials)
        await self._server.start()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop(None)
            self._server = None
