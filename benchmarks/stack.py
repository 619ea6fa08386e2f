"""Our own stack as a peer: `clearcanvas up` as a process, asked over HTTP and over gRPC."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import grpc.aio
from clearcanvas.v1 import images_pb2, images_pb2_grpc

from benchmarks.load import BusyError, FailedError
from benchmarks.photos import Photo

_STOP_LIMIT_S = 15.0
_CHANNEL = [
    ("grpc.max_send_message_length", 64 * 1024 * 1024),
    ("grpc.enable_retries", 0),  # A refusal is to be seen.
    ("grpc.enable_http_proxy", 0),
]


@dataclass
class Grpc:
    """The gRPC service. `stages` collects the seconds of each stage that answers reported, `device` the last one's."""

    stub: "images_pb2_grpc.ImageServiceAsyncStub"  # A name of the type stubs alone.
    stages: dict[str, list[float]] = field(default_factory=dict)
    device: str = ""

    async def __call__(self, photo: Photo) -> float:
        """Seconds from the request to the last chunk. Raises BusyError, FailedError."""
        began = time.perf_counter()
        await self.edit(images_pb2.EditRequest(image=photo.data))
        return time.perf_counter() - began

    async def edit(self, request: images_pb2.EditRequest) -> None:
        """Sends any request and reads its answer to the end. Raises BusyError, FailedError."""
        received = size = 0
        try:
            async for response in self.stub.Edit(request):
                received += len(response.chunk)
                if response.HasField("header"):
                    size, self.device = response.header.size, response.header.device
                    for stage in response.header.stages:
                        self.stages.setdefault(stage.name, []).append(stage.seconds)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise BusyError(_pushback_s(error)) from error
            raise FailedError(f"gRPC answered {error.code().name}: {error.details()}") from error
        if not received or received != size:
            raise FailedError(f"gRPC sent {received} bytes of {size}")


@dataclass(frozen=True)
class Http:
    """The HTTP adapter's `/image/matte/v1`."""

    session: aiohttp.ClientSession
    url: str

    async def __call__(self, photo: Photo) -> float:
        """Seconds from the request to the last byte of the answer. Raises BusyError, FailedError."""
        began = time.perf_counter()
        await self.cut_out(photo)
        return time.perf_counter() - began

    async def cut_out(self, photo: Photo) -> bytes:
        """The PNG that the stack makes. Raises BusyError, FailedError."""
        form = aiohttp.FormData()
        form.add_field("image", photo.data, filename="photo.jpg", content_type="image/jpeg")
        async with self.session.post(f"{self.url}/image/matte/v1", data=form) as response:
            body = await response.read()
            if response.status == 503 and "Retry-After" in response.headers:
                raise BusyError(float(response.headers["Retry-After"]))
            if response.status != 200 or not body.startswith(b"\x89PNG"):
                raise FailedError(f"HTTP answered {response.status}: {body[:200]!r}")
            return body


@dataclass(frozen=True)
class Stack:
    """A running stack. `pid`: of `clearcanvas up`. `start_s`: seconds from its start until it was ready."""

    pid: int
    start_s: float
    http: Http
    grpc: Grpc


@asynccontextmanager
async def running_stack(data: Path, log: Path, **variables: str) -> AsyncIterator[Stack]:
    """Runs `clearcanvas up` on free ports, with CLEARCANVAS_* `variables` given in lower case without the prefix.

    `data`: its runtime folder, which keeps the compiled model between runs. Raises FailedError when it does not start.
    """
    began = time.perf_counter()
    with log.open("wb") as output:
        child = await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "TERM", "--", sys.executable, "-m", "cli", "up"),
            *("--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--data", data),
            env=os.environ | {f"CLEARCANVAS_{name.upper()}": value for name, value in variables.items()},
            stdout=asyncio.subprocess.PIPE,
            stderr=output,
        )
    try:
        http = await _line(child, "ready", log)
        start_s = time.perf_counter() - began
        address = await _line(child, "grpc", log)
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=600)) as session,
            grpc.aio.insecure_channel(address, options=_CHANNEL) as channel,
        ):
            yield Stack(child.pid, start_s, Http(session, http), Grpc(images_pb2_grpc.ImageServiceStub(channel)))
    finally:
        await _stop(child)


async def _line(child: asyncio.subprocess.Process, word: str, log: Path) -> str:
    """The rest of the next line that the stack prints, which begins with `word`."""
    assert child.stdout is not None
    first, _, rest = (await child.stdout.readline()).decode().strip().partition(" ")
    if first != word:
        raise FailedError(f"the stack did not start; see {log}")
    return rest


async def _stop(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_LIMIT_S):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()
        raise FailedError(f"the stack did not stop in {_STOP_LIMIT_S:g} s") from None


def _pushback_s(error: grpc.aio.AioRpcError) -> float:
    metadata = error.trailing_metadata() or ()
    pauses = [float(value) / 1000 for key, value in metadata if key == "grpc-retry-pushback-ms"]
    if not pauses:
        raise FailedError(f"RESOURCE_EXHAUSTED without a pause: {error.details()}") from error
    return pauses[0]
