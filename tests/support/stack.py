"""`clearcanvas up` for tests: the whole stack as a user starts it."""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from server.workers.limits import NICENESS
from tests.support.processes import SHARED_MEMORY, module, running, tail, wait_until, workers_of


@dataclass(frozen=True)
class RunningStack:
    """A stack that can serve: its addresses (HOST:PORT), its processes and its output so far."""

    http: str
    grpc: str
    process: subprocess.Popen[bytes]
    log: Path

    def url(self, path: str) -> str:
        """The address of a route."""
        return f"http://{self.http}{path}"

    def programs(self) -> list[psutil.Process]:
        """Every process of the stack but `up` itself."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def workers(self) -> list[psutil.Process]:
        """The server's workers that callers wait for."""
        return workers_of(self.find("server"), NICENESS)

    def requests_in_flight(self) -> int:
        """How many pictures the server holds: each has its file in the server's folder in shared memory."""
        return len(list(SHARED_MEMORY.glob(f"clearcanvas-{self.find('server').pid}-*/*-in")))

    def find(self, word: str) -> psutil.Process:
        """The first process, from the top of the tree, that has `word` as an argument or as its program's name."""
        for process in self.programs():
            if any(word == argument.rpartition("/")[2] for argument in process.cmdline()):
                return process
        raise AssertionError(f"no process with {word!r} among {[p.cmdline() for p in self.programs()]}")

    def find_stub(self, model: str) -> psutil.Process:
        """The process of Triton's Python backend that holds `model`; its arguments name the model's file."""
        file = f"/{model}/1/model.onnx"
        return next(p for p in self.programs() if any(argument.endswith(file) for argument in p.cmdline()))


@contextmanager
def running_stack(
    repository: Path, model: str, folder: Path, environment: Mapping[str, str], *options: str
) -> Iterator[RunningStack]:
    """Starts `clearcanvas up` on free ports with its data under `folder`, waits until it is ready, and stops it."""
    command = module(
        "cli", "up", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--data", str(folder / "data"), *options
    )
    variables = {"CLEARCANVAS_MODEL_REPOSITORY": str(repository), "CLEARCANVAS_MODEL": model, **environment}
    with starting_stack(command, variables, folder / "up.log") as stack:
        yield stack


@contextmanager
def starting_stack(
    command: Sequence[str], environment: Mapping[str, str], log: Path, **options: Any
) -> Iterator[RunningStack]:
    """Runs a command that starts a stack, waits until it is ready, and stops it. `options`: of `subprocess.Popen`."""
    with running(command, environment, log, **options) as process:
        addresses: dict[str, str] = {}

        def ready() -> bool:
            if process.poll() is not None:
                raise AssertionError(f"{command} ended with {process.returncode}:\n{tail(log)}")
            text = log.read_text(errors="replace")
            addresses.update(re.findall(r"^(ready|grpc) (?:http://)?(\S+)$", text, re.MULTILINE))
            return len(addresses) == 2

        wait_until(ready, f"{command} is ready; its output:\n{tail(log) if log.exists() else ''}", 170)
        yield RunningStack(addresses["ready"], addresses["grpc"], process, log)
