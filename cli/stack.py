"""The programs as one stack: what they are told, and when they are ready."""

import asyncio
import fcntl
import os
import socket
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import aiohttp

from cli.config import Settings, join_address, split_address
from cli.environment import for_adapter, for_others, for_server, paid_on_devnet
from cli.places import Places, noted
from cli.programs import Program, Programs

# The first start compiles the model for this processor; the slowest seen took under half a minute.
_START_LIMIT_S = 180.0

# A stop takes ten seconds at most, and Triton needs up to 2.5 of them. The server drains from the moment the adapter is
# gone; what its own callers still wait for then has the rest.
_ADAPTER_DRAIN_S = 3.5
_SERVER_DRAIN_S = 6.0

# The chains of the devnet hold nothing that must be kept.
_DEVNET_STOP_BY_S = 6.0


class StackError(Exception):
    """The stack cannot start; the message says what to do."""


@dataclass(frozen=True)
class Stack:
    """A running stack: its real addresses, and the processes to wait for."""

    http: str
    grpc: str
    programs: Programs


@asynccontextmanager
async def running_stack(settings: Settings, output: TextIO, *, devnet: bool = False) -> AsyncIterator[Stack]:
    """Starts engine, server and adapter, yields when they can serve, and stops them in reverse order.

    With `devnet`, local chains are started before the adapter, which is paid on them; they stop after it. `output`
    receives what the programs print.
    The adapter is stopped first, so that the requests it holds still find a server, and the server finds a Triton.
    Raises StackError when something needed is missing, ProgramExitedError when a program ends on its own.
    """
    check_installed(settings, devnet=devnet)
    with locked(settings.data):
        http, grpc = claim_port("HTTP", "--http", settings.http), claim_port("gRPC", "--grpc", settings.grpc)
        server_metrics = claim_port("the server's metrics", "CLEARCANVAS_SERVER_METRICS", settings.server_metrics)
        adapter_metrics = claim_port("the adapter's metrics", "CLEARCANVAS_ADAPTER_METRICS", settings.adapter_metrics)
        environment = os.environ | _shared_settings(settings, http, grpc, claim_port("Triton", "", "127.0.0.1:0"))
        others, adapter = for_others(environment), for_adapter(environment) | {"CLEARCANVAS_METRICS": adapter_metrics}
        server = for_server(environment) | {"CLEARCANVAS_METRICS": server_metrics}
        async with Programs(output) as programs:
            await programs.start(
                Program("engine", module("engine"), others, stop_by_s=9.9),
                Program("server", module("server"), server, stop_by_s=_SERVER_DRAIN_S + 1.4),
            )
            if devnet:
                adapter = paid_on_devnet(adapter, await _start_devnet(programs, settings, others))
            await programs.start(Program("adapter", module("adapter"), adapter, stop_by_s=_ADAPTER_DRAIN_S + 1.5))
            await until(programs, _poll_ready(f"http://{_reachable(http)}/ready"))
            with noted(Places(_reachable(http), _reachable(grpc), server_metrics, adapter_metrics), settings.data):
                yield Stack(http=http, grpc=grpc, programs=programs)


def check_installed(settings: Settings, *, devnet: bool = False) -> None:
    """Raises StackError naming the command that installs what is missing."""
    if not (settings.triton_env / "bin" / "python3").exists():
        raise StackError(f"Triton is not installed in {settings.triton_env}; run: python -m engine install")
    model = settings.model_repository / settings.model
    if not any(model.glob("[0-9]*/model.onnx")):
        raise StackError(f"no model in {model}; run: clearcanvas models pull {settings.model}")
    if devnet and not (settings.devnet_env / "node_modules").exists():
        raise StackError(f"the local chains are not installed in {settings.devnet_env}; run: python -m devnet install")


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Holds the data folder for one stack. The kernel lets go of the lock when this process dies, however it dies."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise StackError(
                f"{data} is in use by process {file.read().strip()}; stop it, or choose another folder with --data"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def claim_port(name: str, option: str, address: str) -> str:
    """Checks that nothing listens at `address`; port 0 becomes a free one. Raises StackError."""
    try:
        host, port = split_address(address)
    except ValueError as error:
        raise StackError(f"{option}: {error}") from error
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StackError(f"{address} cannot be used for {name} ({error.strerror}); choose with {option}") from error
        return join_address(host, probe.getsockname()[1])


async def _start_devnet(programs: Programs, settings: Settings, environment: Mapping[str, str]) -> Path:
    """Starts the local chains; returns the file with the settings of an adapter that is paid on them."""
    told, ready = settings.data / "devnet.env", settings.data / "devnet.json"
    ready.unlink(missing_ok=True)  # Of chains that were killed.
    await programs.start(Program("devnet", module("devnet"), environment, stop_by_s=_DEVNET_STOP_BY_S))
    await until(programs, _poll_file(ready))
    return told


def module(name: str) -> tuple[str, ...]:
    """The command that runs one of the programs."""
    return (sys.executable, "-m", name)


def _shared_settings(settings: Settings, http: str, grpc: str, triton: str) -> dict[str, str]:
    return {
        "CLEARCANVAS_HTTP": http,
        "CLEARCANVAS_GRPC": grpc,
        "CLEARCANVAS_TRITON": triton,
        "CLEARCANVAS_DATA": str(settings.data),
        "CLEARCANVAS_MODEL_REPOSITORY": str(settings.model_repository),
        "CLEARCANVAS_MODEL": settings.model,
        "CLEARCANVAS_TRITON_ENV": str(settings.triton_env),
        "CLEARCANVAS_DEVNET_ENV": str(settings.devnet_env),
        "CLEARCANVAS_DRAIN_TIMEOUT_S": str(_ADAPTER_DRAIN_S),
        "CLEARCANVAS_DRAIN_S": str(_SERVER_DRAIN_S),
    }


async def until(programs: Programs, ready: Coroutine[None, None, None]) -> None:
    """Waits for `ready` to return, while the programs run. Raises ProgramExitedError or StackError."""
    exited = asyncio.create_task(programs.until_exit())
    answered = asyncio.create_task(ready)
    try:
        await asyncio.wait({exited, answered}, timeout=_START_LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
        if exited.done():
            await exited
        if not answered.done():
            raise StackError(f"not ready after {_START_LIMIT_S:.0f} s; what the programs printed says why")
        await answered
    finally:
        exited.cancel()
        answered.cancel()


async def _poll_file(file: Path) -> None:
    while not file.exists():  # noqa: ASYNC110, ASYNC240 - another program writes it.
        await asyncio.sleep(0.05)


async def _poll_ready(url: str) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        while True:
            try:
                async with session.get(url) as response:
                    if response.status == 200:
                        return
            except (aiohttp.ClientConnectionError, TimeoutError):
                pass  # Not listening yet.
            await asyncio.sleep(0.2)


def _reachable(address: str) -> str:
    """The address to connect to for one that listens everywhere."""
    host, port = split_address(address)
    return join_address({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port)  # noqa: S104 - compared, not bound.
