"""The gRPC side: the channels to the image service, one edit, and its readiness."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import grpc
from clearcanvas.v1 import images_pb2_grpc
from clearcanvas.v1.images_pb2 import EditHeader, EditRequest, EditResponse, InspectRequest, PictureFacts
from clearcanvas.v1.jobs_pb2 import DownloadResultResponse
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

import transport.channels
from adapter.errors import BrokenResultError
from adapter.tracing import call_metadata
from transport.retries import ELSEWHERE
from transport.tls import Tls

# Two pictures of 25 MiB and what is around them, up; chunks of 1 MiB, down.
_MAX_SEND_BYTES = 51 * 1024 * 1024
_MAX_RECEIVE_BYTES = 2 * 1024 * 1024
_HEALTH_TIMEOUT_S = 2.0
_INSPECT_TIMEOUT_S = 5.0  # It takes a millisecond; more is a service that hangs.
_PREFIX_BYTES = 64 * 1024  # One EXIF block with its thumbnail, the most that stands before most pictures' size.


@dataclass(frozen=True)
class Readiness:
    """Whether the image service can serve, and with what. `model` and `device` are empty where it does not say."""

    ready: bool
    model: str
    device: str


def open_channel(address: str, tls: Tls | None = None, service: str = "ImageService") -> grpc.aio.Channel:
    """Opens a channel to the servers at `address` that serve `service`. Connects lazily, and again when lost.

    Of several servers, a failed call goes to another one, once, where that is safe; a single one is left alone: an
    edit is dear, and the caller decides.

    Raises:
        CertificateError: The certificates cannot be used.
    """
    return transport.channels.open_channel(
        address,
        tls=tls,
        health=f"clearcanvas.v1.{service}",
        retries=ELSEWHERE,
        max_send_bytes=_MAX_SEND_BYTES,
        max_receive_bytes=_MAX_RECEIVE_BYTES,
    )


class ImageService:
    """The image service as the adapter sees it."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._images = images_pb2_grpc.ImageServiceStub(channel)
        self._check: grpc.aio.UnaryUnaryMultiCallable[HealthCheckRequest, HealthCheckResponse] = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )

    def edit(
        self, request: EditRequest, *, request_id: str, timeout_s: float
    ) -> "grpc.aio.UnaryStreamCall[EditRequest, EditResponse]":
        """Starts one edit. Cancel the returned call when its result is no longer wanted."""
        return self._images.Edit(request, timeout=timeout_s, metadata=call_metadata(request_id))

    async def inspect(self, image: bytes, *, max_pixels: int, request_id: str) -> PictureFacts:
        """Asks what the header of a picture says; sends as little of the picture as tells it.

        Raises:
            grpc.aio.AioRpcError: The picture would be refused, or the service does not answer.
            BrokenResultError: The service wants bytes that it has, or that there are not.
        """
        size, length = len(image), min(len(image), _PREFIX_BYTES)
        while True:
            request = InspectRequest(prefix=image[:length], total_size=size, max_pixels=max_pixels)
            answer = await self._images.Inspect(request, timeout=_INSPECT_TIMEOUT_S, metadata=call_metadata(request_id))
            if answer.HasField("facts"):
                return answer.facts
            if not length < answer.needed_bytes <= size:
                message = "The service asked for bytes of the picture that it has, or that there are not."
                raise BrokenResultError(message)
            length = min(size, max(answer.needed_bytes, 4 * length))  # Few rounds, whatever the header holds.

    async def check(self) -> Readiness:
        """Asks the service's health.

        Raises:
            grpc.aio.AioRpcError: It does not answer.
        """
        call = self._check(HealthCheckRequest(), timeout=_HEALTH_TIMEOUT_S)
        response = await call
        facts = {str(key): str(value) for key, value in await call.trailing_metadata()}
        return Readiness(
            ready=response.status == HealthCheckResponse.SERVING,
            model=facts.get("clearcanvas-model", ""),
            device=facts.get("clearcanvas-device", ""),
        )


async def receive_header(messages: AsyncIterator[EditResponse]) -> EditHeader:
    """Takes the first message of a result.

    Raises:
        BrokenResultError: It is not a header.
        grpc.aio.AioRpcError: The edit failed.
    """
    first = await anext(messages, None)
    if first is None or first.WhichOneof("part") != "header":
        message = "The result did not begin with its header."
        raise BrokenResultError(message)
    return first.header


async def receive_chunks(
    messages: AsyncIterator[EditResponse] | AsyncIterator[DownloadResultResponse], size: int
) -> AsyncIterator[bytes]:
    """Yields the bytes of a result, or of a part of one, as they come.

    Raises:
        BrokenResultError: It is longer or shorter than `size` bytes.
        grpc.aio.AioRpcError: The stream broke.
    """
    left = size
    async for part in messages:
        left -= len(part.chunk)
        if left < 0:
            break
        yield part.chunk
    if left:
        message = f"The result is not of the {size} bytes that its header said."
        raise BrokenResultError(message)


def describe_result(header: EditHeader, elapsed_s: float) -> Mapping[str, str]:
    """The response headers with the facts of a result; `elapsed_s` is what the caller has waited for it."""
    stages = [(stage.name, stage.seconds) for stage in header.stages] + [("total", elapsed_s)]
    timing = ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in stages)
    return {**describe_picture(header), "Server-Timing": timing}


def describe_picture(header: EditHeader) -> Mapping[str, str]:
    """As `describe_result`, without what is true of one answer alone."""
    return {
        "X-Width": str(header.width),
        "X-Height": str(header.height),
        **_describe_models(header),
        "X-Foreground-Top": str(header.foreground.top),
        "X-Foreground-Left": str(header.foreground.left),
        "X-Foreground-Width": str(header.foreground.width),
        "X-Foreground-Height": str(header.foreground.height),
    }


def _describe_models(header: EditHeader) -> Mapping[str, str]:
    """X-Model is the matting model; where the picture's own alpha was the matte, it is what painted."""
    made = header.generation
    facts = {"X-Model": header.model or made.model, "X-Model-Version": str(header.model_version or "")}
    if header.HasField("generation"):
        facts |= {
            "X-Background-Model": made.model,
            "X-Background-Method": made.method,
            "X-Background-Seed": str(made.seed),
        }
    return {name: value for name, value in facts.items() if value}
