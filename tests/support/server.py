"""A real `python -m server` for tests, and a client that sees what a caller sees."""

import re
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import grpc
import numpy as np
import psutil
from clearcanvas.v1 import images_pb2, images_pb2_grpc, jobs_pb2_grpc
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from numpy.typing import NDArray
from PIL import Image

from server.workers.limits import JOB_NICENESS, NICENESS
from server.workers.workspace import sweep
from tests.support.processes import SHARED_MEMORY, free_address, module, running, tail, wait_until, workers_of
from transport.tls import Tls

CHANNEL: list[tuple[str, str | int]] = [("grpc.enable_http_proxy", 0), ("grpc.enable_retries", 0)]


@dataclass(frozen=True)
class Answer:
    """A whole result."""

    header: images_pb2.EditHeader
    chunks: list[bytes]
    metadata: dict[str, str]

    @property
    def data(self) -> bytes:
        return b"".join(self.chunks)

    def pixels(self) -> NDArray[np.uint8]:
        return np.asarray(Image.open(BytesIO(self.data)))


@dataclass(frozen=True)
class Health:
    """What the health service answered."""

    serving: bool
    metadata: dict[str, str]


class RunningServer:
    """A server's process and one connection to it."""

    def __init__(self, process: psutil.Process, address: str, log: Path, tls: Tls | None = None) -> None:
        self.process = process
        self.address = address
        self.log = log
        self.channel = open_channel(address, tls)
        self.images = images_pb2_grpc.ImageServiceStub(self.channel)
        self.jobs = jobs_pb2_grpc.JobServiceStub(self.channel)
        self._health = health_pb2_grpc.HealthStub(self.channel)

    def edit(self, request: images_pb2.EditRequest, timeout_s: float = 120, **metadata: str) -> Answer:
        """One call, read to its end."""
        call = self.images.Edit(
            request, timeout=timeout_s, metadata=tuple((k.replace("_", "-"), v) for k, v in metadata.items())
        )
        parts = list(call)
        assert all(part.WhichOneof("part") == "chunk" for part in parts[1:])
        initial = _plain(call.initial_metadata())
        return Answer(parts[0].header, [part.chunk for part in parts[1:]], initial)

    def check(self, service: str = "") -> Health:
        """Ask the health service once."""
        request = health_pb2.HealthCheckRequest(service=service)
        answer, call = self._health.Check.with_call(request, timeout=5)  # type: ignore[attr-defined] # untyped stub
        return Health(answer.status == health_pb2.HealthCheckResponse.SERVING, _plain(call.trailing_metadata()))

    def serving(self) -> bool:
        """Whether the health service says SERVING; NOT_SERVING and no answer are both False."""
        try:
            return self.check().serving
        except grpc.RpcError:
            return False

    def workers(self) -> list[psutil.Process]:
        """The worker processes that callers wait for."""
        return workers_of(self.process, NICENESS)

    def job_workers(self) -> list[psutil.Process]:
        """The worker processes for jobs."""
        return workers_of(self.process, JOB_NICENESS)

    def busy_workers(self) -> list[psutil.Process]:
        """The workers that hold a picture: its file is in their memory map."""
        picture_file = re.compile(rf"/clearcanvas-{self.process.pid}-\w+/\d+-in$", re.MULTILINE)
        return [
            worker for worker in self.workers() if picture_file.search(Path(f"/proc/{worker.pid}/maps").read_text())
        ]

    def files(self) -> list[Path]:
        """What requests have in shared memory now."""
        return [
            file for folder in SHARED_MEMORY.glob(f"clearcanvas-{self.process.pid}-*/") for file in folder.iterdir()
        ]

    def wait_until_idle(self) -> None:
        """Wait until no request has files, and every worker is there."""
        wait_until(lambda: not self.files(), "the request's files are gone", 10)


def open_channel(address: str, tls: Tls | None = None) -> grpc.Channel:
    """A channel that repeats nothing; with certificates where there is `tls`."""
    if tls is None:
        return grpc.insecure_channel(address, options=CHANNEL)
    options = [*CHANNEL, ("grpc.default_authority", tls.name)]
    return grpc.secure_channel(address, tls.channel_credentials(), options=options)


@contextmanager
def running_server(
    triton: str, folder: Path, caller: Tls | None = None, host: str = "127.0.0.1", **settings: object
) -> Iterator[RunningServer]:
    """Run a server until the end of the block; it need not be serving yet.

    `caller`: the test's own certificate. `host`: what the server binds. `settings` may name its address, `grpc`.
    """
    address = str(settings.get("grpc") or free_address())
    environment: Mapping[str, str] = {
        "CLEARCANVAS_GRPC": address.replace("127.0.0.1", host),
        "CLEARCANVAS_TRITON": triton,
        "CLEARCANVAS_MODEL": "toy",
        "CLEARCANVAS_WORKERS": "2",
        "CLEARCANVAS_JOB_WORKERS": "1",
        "CLEARCANVAS_DATA": str(folder / "data"),
        "CLEARCANVAS_SCRATCH": str(folder / "scratch"),
    } | {f"CLEARCANVAS_{name.upper()}": str(value) for name, value in settings.items()}
    log = folder / "server.log"
    with _swept_after(running(module("server"), environment, log)) as process:
        server = RunningServer(psutil.Process(process.pid), address, log, caller)

        def answers() -> bool:
            assert process.poll() is None, f"the server ended with {process.returncode}:\n{tail(log)}"
            try:
                server.check()
            except grpc.RpcError:
                return False
            return True

        wait_until(answers, "the server answers")
        yield server
        server.channel.close()


@contextmanager
def _swept_after(running_process: AbstractContextManager[subprocess.Popen[bytes]]) -> Iterator[subprocess.Popen[bytes]]:
    """Remove what a killed server leaves in shared memory, as the next server would if there were one."""
    process = None
    try:
        with running_process as process:
            yield process
    finally:
        if process is not None and process.returncode == -signal.SIGKILL:
            sweep(SHARED_MEMORY)


@dataclass(frozen=True)
class Failure:
    """What a caller sees of a failed call."""

    code: grpc.StatusCode
    message: str
    reason: str  # empty where there is no ErrorInfo
    metadata: dict[str, str]  # of ErrorInfo
    retry_s: float | None  # of RetryInfo
    trailing: dict[str, str]
    initial: dict[str, str]


def failure(error: grpc.RpcError) -> Failure:
    """Read everything that came with a failed call."""
    assert isinstance(error, grpc.Call)
    info, retry = error_details_pb2.ErrorInfo(), None
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            detail.Unpack(info)
            assert info.domain == "clearcanvas"
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            pause = error_details_pb2.RetryInfo()
            detail.Unpack(pause)
            retry = pause.retry_delay.ToTimedelta().total_seconds()
    trailing = _plain(error.trailing_metadata() or ())
    initial = _plain(error.initial_metadata() or ())
    return Failure(error.code(), error.details() or "", info.reason, dict(info.metadata), retry, trailing, initial)


def _plain(metadata: Iterable[tuple[str, str | bytes]]) -> dict[str, str]:
    return {key: value for key, value in metadata if isinstance(value, str)}


def picture(width: int = 320, height: int = 240, form: str = "JPEG") -> bytes:
    """A dark picture with a bright disc in its middle: the toy model's subject."""
    rows, columns = np.mgrid[:height, :width]
    disc = np.hypot(columns - width / 2, rows - height / 2) < height / 4
    pixels = np.where(disc[..., None], (230, 220, 210), (20, 40, 60))
    return encoded(pixels.astype(np.uint8), form)


def encoded(pixels: NDArray[np.uint8], form: str) -> bytes:
    """The pixels as a file."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()
