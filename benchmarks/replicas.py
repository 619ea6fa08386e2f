"""`python -m benchmarks.replicas`: how throughput grows with the servers, for work that waits for a model.

The model sleeps: it takes the place of a GPU, whose time is not this machine's. What is measured is whether anything
else is shared that should not be. Work for processors grows with processors, and one machine has only so many.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from clearcanvas.v1 import images_pb2, images_pb2_grpc

from cli.config import read_settings
from tests.support.processes import free_address, module, running, tail, wait_until
from tests.support.server import RunningServer, picture, running_server
from tests.support.toy_generation import write_toy_generation
from tests.support.toy_model import write_toy_model
from transport.channels import open_channel

_RESULTS = Path("benchmarks/results")
_MOST = 3  # servers
_WORKERS = 2  # of each
_CALLERS = 2 * _WORKERS  # for each server: a queue, and no more
_WAIT_S = 1.0  # that a picture takes at the model
_WARM_S = 5.0
_MODEL = "waits"
_MIB = 1024 * 1024


def main(*, seconds: Annotated[float, typer.Option(help="How long each number of servers is measured.")] = 20) -> None:
    """Measure one, two and three servers behind one balanced channel, with one Triton."""
    with tempfile.TemporaryDirectory(prefix="clearcanvas-bench-") as folder, ExitStack() as life:
        address = life.enter_context(_triton(Path(folder)))
        servers: list[RunningServer] = []
        rates = []
        while len(servers) < _MOST:
            own = Path(folder, f"server-{len(servers)}")
            own.mkdir()
            settings: dict[str, Any] = {"workers": _WORKERS, "generation_model": _MODEL, "metrics": ""}
            server = life.enter_context(running_server(address, own, **settings))
            wait_until(server.serving, f"the server serves\n{tail(server.log)}")
            servers.append(server)
            rates.append(asyncio.run(_rate(servers, seconds)))
            print(f"bench: {len(servers)} servers, {rates[-1]:.2f} pictures/s", file=sys.stderr, flush=True)
    report = "\n".join(_report(rates, seconds)) + "\n"
    _RESULTS.mkdir(exist_ok=True)
    path = _RESULTS / f"{datetime.now():%Y-%m-%d-%H%M}-replicas.md"
    path.write_text(report)
    print(report)
    print(f"wrote {path}")


@contextmanager
def _triton(folder: Path) -> Iterator[str]:
    """One with room for everything that all servers ask at a time."""
    repository, address = folder / "repository", free_address()
    write_toy_model(repository)
    write_toy_generation(repository, _MODEL)
    with (repository / _MODEL / "config.pbtxt").open("a") as card:
        card.write(f"instance_group {{ count: {_MOST * _WORKERS} kind: KIND_CPU }}\n")
    settings = {
        "TRITON": address,
        "DATA": str(folder / "data"),
        "MODEL": "toy",
        "MODEL_REPOSITORY": str(repository),
        "TRITON_ENV": str(read_settings().triton_env),
    }
    with running(module("engine"), {f"CLEARCANVAS_{k}": v for k, v in settings.items()}, folder / "engine.log"):
        yield address


async def _rate(servers: list[RunningServer], seconds: float) -> float:
    """Pictures a second of callers that never stop."""
    request = images_pb2.EditRequest(image=picture())
    request.composition.generated.prompt = f"wait {_WAIT_S}"
    counted, begin = 0, time.monotonic() + _WARM_S
    addresses = ",".join(server.address for server in servers)
    async with open_channel(
        addresses, health="clearcanvas.v1.ImageService", max_send_bytes=_MIB, max_receive_bytes=2 * _MIB
    ) as channel:
        stub = images_pb2_grpc.ImageServiceStub(channel)

        async def call() -> None:
            nonlocal counted
            while time.monotonic() < begin + seconds:
                async for _ in stub.Edit(request, timeout=60):
                    pass
                counted += begin <= time.monotonic() < begin + seconds

        await asyncio.gather(*(call() for _ in range(_CALLERS * len(servers))))
    return counted / seconds


def _report(rates: list[float], seconds: float) -> Iterator[str]:
    yield f"* measured: {datetime.now():%Y-%m-%d %H:%M}; {_WORKERS} workers a server, one Triton whose model sleeps"
    yield f"* {_WAIT_S:g} s a picture, {_CALLERS} callers a server, {seconds:g} s each, after {_WARM_S:g} s"
    yield ""
    yield "| servers | pictures/s | of one server | at most |"
    yield "| ---: | ---: | ---: | ---: |"
    for number, rate in enumerate(rates, start=1):
        yield f"| {number} | {rate:.2f} | × {rate / rates[0]:.2f} | {number * _WORKERS / _WAIT_S:.1f} |"


if __name__ == "__main__":
    typer.run(main)
