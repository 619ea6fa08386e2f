"""A server of jobs as a process of its own, to be killed, paused and stopped; told what to do over its pipes.

As a program it reads a JSON line for each call and answers with one.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from server.errors import ServiceError
from server.jobs.jobs import Jobs
from server.jobs.record import Kind, Order, Record
from server.jobs.settings import JobSettings, Periods
from server.jobs.store import JobStore
from tests.support.fake_runner import FakeRunner, Spec, make_order
from tests.support.job_bench import QUICK
from tests.support.processes import module, tail


@dataclass(frozen=True)
class JobServerOptions:
    """Everything that is shared lies in `folder`."""

    url: str
    folder: Path
    slots: int = 4
    periods: Periods = QUICK


class RunningJobServer:
    """A server at work."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = psutil.Process(process.pid)
        self._pipes = process
        self._log = log

    def submit(self, spec: Spec | None = None) -> Order:
        """Have a new job accepted."""
        return self.submit_order(make_order(spec))

    def submit_order(self, order: Order) -> Order:
        """Have a job accepted. Raises RefusedError."""
        self.call("submit", asdict(order) | {"kind": order.kind.value})
        return order

    def get(self, order: Order) -> dict[str, Any]:
        """How a job stands."""
        return dict(self.call("get", [order.id, order.owner]))

    def cancel(self, order: Order) -> dict[str, Any]:
        """End a job."""
        return dict(self.call("cancel", [order.id, order.owner]))

    def call(self, name: str, argument: Any = None) -> Any:
        """Ask, and wait for the answer. Raises RefusedError."""
        assert self._pipes.stdin
        assert self._pipes.stdout
        self._pipes.stdin.write(json.dumps([name, argument]) + "\n")
        self._pipes.stdin.flush()
        line = self._pipes.stdout.readline()
        assert line, f"the server is gone:\n{tail(self._log)}"
        answer = json.loads(line)
        if "error" in answer:
            raise RefusedError(answer["error"])
        return answer["value"]

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self._pipes.wait()

    def stop(self) -> None:
        """SIGTERM, and wait for the end."""
        self.process.terminate()
        assert self._pipes.wait(20) == 0, tail(self._log)


class RefusedError(Exception):
    """The call failed with this reason."""


@contextmanager
def running_job_server(options: JobServerOptions) -> Iterator[RunningJobServer]:
    """Run a server until the end of the block, at the latest."""
    values = asdict(options) | {"folder": str(options.folder)}
    log = options.folder / f"{os.urandom(4).hex()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*module("tests.support.job_server"), json.dumps(values)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    server = RunningJobServer(process, log)
    try:
        server.call("started")
        yield server
    finally:
        process.kill()
        process.communicate()


async def _serve(options: JobServerOptions) -> None:
    store = JobStore(f"file://{options.folder}/store")
    runner = FakeRunner(store, options.folder / "journal")
    slots = {Kind.IMAGE: options.slots, Kind.VIDEO: 1}
    settings = replace(JobSettings(options.url, slots), periods=options.periods)
    jobs = Jobs(settings, store, runner)
    await jobs.start()
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    lines = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    answering = asyncio.create_task(_answer(jobs, options.folder / "input", lines))
    await stopped.wait()
    answering.cancel()
    await jobs.close()


async def _answer(jobs: Jobs, source: Path, lines: asyncio.StreamReader) -> None:
    async for line in lines:
        name, argument = json.loads(line)
        try:
            answer = {"value": await _call(jobs, source, name, argument)}
        except ServiceError as error:
            answer = {"error": error.reason}
        print(json.dumps(answer, default=str), flush=True)


async def _call(jobs: Jobs, source: Path, name: str, argument: Any) -> Any:
    match name:
        case "submit":
            order = Order(**{**argument, "kind": Kind(argument["kind"])})
            return _plain(await jobs.submit(order, {"input": source}))
        case "get":
            return _plain(await jobs.get(*argument))
        case "cancel":
            return _plain(await jobs.cancel(*argument))
    return None


def _plain(record: Record) -> dict[str, Any]:
    return asdict(record) | {"kind": record.kind.value, "state": record.state.value}


if __name__ == "__main__":
    _values = json.loads(sys.argv[1])
    _periods: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in _values["periods"].items()
    }
    _folder = Path(_values["folder"])
    asyncio.run(_serve(JobServerOptions(_values["url"], _folder, _values["slots"], Periods(**_periods))))
