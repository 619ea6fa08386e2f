"""Versions served for a command alone: an engine, and a server where wanted, on ports and in folders of their own."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
import tritonclient.grpc.aio as triton
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tritonclient.utils import InferenceServerException

from cards.card import ModelCard
from cards.check import State, inspect_version
from cards.copies import link_versions
from cards.errors import CardError
from cards.target import Target
from cli.config import Settings
from cli.environment import for_others
from cli.programs import Program, Programs
from cli.stack import StackError, check_installed, claim_port, locked, module, until

_POLL_S = 0.2
_CALL_S = 5.0
_ENGINE_STOP_S = 9.9
_SERVER_STOP_S = 5.0


@dataclass(frozen=True)
class Private:
    """What runs. `names`: what each version is called there. `triton`, `grpc`: HOST:PORT; `grpc` "" without a server.

    `pid`: of the engine.
    """

    names: Mapping[Target, str]
    triton: str
    grpc: str
    pid: int


@asynccontextmanager
async def private_stack(
    settings: Settings, targets: Sequence[Target], report: Callable[[str], None], *, server: bool = True
) -> AsyncIterator[Private]:
    """Serve `targets` of the repository, and nothing else, until the end of the block.

    `targets` name their versions. `report` hears what is under way. Compiled networks are kept from one time to the
    next; what the programs print is in judging/programs.log of the data folder.

    Raises:
        StackError: something needed is missing, or a version cannot be loaded.
        CardError: a version is not what its card says.
        ProgramExitedError: a program ended on its own.
    """
    folder = settings.data / "judging"
    with (
        _repository(settings, targets) as (repository, names),
        locked(folder),
        (folder / "programs.log").open("w") as log,
    ):
        address = claim_port("Triton", "", "127.0.0.1:0")
        environment = _environment(settings) | {
            "CLEARCANVAS_TRITON": address,
            "CLEARCANVAS_MODEL_REPOSITORY": str(repository),
            "CLEARCANVAS_MODEL": names[targets[0]],
            "CLEARCANVAS_FAST_MODEL": names[targets[0]],
        }
        async with Programs(log) as programs:
            report(f"Loading {' and '.join(map(str, targets))}; what is printed goes to {log.name}")
            await programs.start(Program("engine", module("engine"), environment, stop_by_s=_ENGINE_STOP_S))
            await until(programs, _served(address, names))
            pid = programs.pid("engine")
            if not server:
                yield Private(names, address, "", pid)
                return
            with tempfile.TemporaryDirectory(prefix="clearcanvas-judging-") as data:
                door = claim_port("gRPC", "", "127.0.0.1:0")
                told = environment | {"CLEARCANVAS_GRPC": door, "CLEARCANVAS_DATA": data}
                await programs.start(Program("server", module("server"), told, stop_by_s=_SERVER_STOP_S))
                await until(programs, _serving(door))
                yield Private(names, address, door, pid)


@contextmanager
def _repository(settings: Settings, targets: Sequence[Target]) -> Iterator[tuple[Path, dict[Target, str]]]:
    """A repository with each version as a model of its own, so that it is served whatever the others are."""
    with tempfile.TemporaryDirectory(prefix="clearcanvas-judged-") as scratch:
        names = {target: f"{target.model}-v{target.version}" for target in targets}
        for target, name in names.items():
            check_installed(settings.model_copy(update={"model": target.model}))
            found = inspect_version(settings.model_repository, target)
            if found.state is not State.GOOD:
                raise CardError(found.problem)
            if not isinstance(found.card, ModelCard):
                raise CardError(f"{target} is no matting model: there is no truth to hold it against.")
            link_versions(settings.model_repository / target.model, [target.version], Path(scratch, name))
        yield Path(scratch), names


def _environment(settings: Settings) -> dict[str, str]:
    """What every program is told: nothing of what the stack beside it is set to, its jobs and its keys above all."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CLEARCANVAS_")}
    return for_others(inherited) | {
        "CLEARCANVAS_DATA": str(settings.data / "judging"),
        "CLEARCANVAS_TRITON_ENV": str(settings.triton_env),
        "CLEARCANVAS_METRICS": "",
        # A slow model is to be measured, not given up.
        "CLEARCANVAS_TRITON_TIMEOUT_S": "120",
        "CLEARCANVAS_TRITON_HANG_S": "120",
        "CLEARCANVAS_TIMEOUT_S": "180",
    }


async def _served(address: str, names: Mapping[Target, str]) -> None:
    """Return when each is ready. Raises StackError, with Triton's own words, when one cannot be loaded."""
    wanted = {name: target for target, name in names.items()}
    async with triton.InferenceServerClient(address, channel_args=[("grpc.enable_http_proxy", 0)]) as client:
        while True:
            try:
                index = (await client.get_model_repository_index(client_timeout=_CALL_S)).models
            except InferenceServerException:
                index = []  # Not there yet.
            states = {model.name: model for model in index if model.name in wanted}
            for name, model in states.items():
                if model.state == "UNAVAILABLE":
                    raise StackError(f"Triton cannot load {wanted[name]}: {model.reason}")
            if len(states) == len(wanted) and all(model.state == "READY" for model in states.values()):
                return
            await asyncio.sleep(_POLL_S)


async def _serving(address: str) -> None:
    async with grpc.aio.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined] # untyped stub
        while True:
            try:
                answer = await check(health_pb2.HealthCheckRequest(), timeout=_CALL_S)
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    return
            except grpc.aio.AioRpcError:
                pass  # Not there yet.
            await asyncio.sleep(_POLL_S)
