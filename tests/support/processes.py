"""Real programs for tests: started on free ports, waited for, and stopped."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

SHARED_MEMORY = Path("/dev/shm")


def free_address() -> str:
    """Picks a loopback address that nothing listens at, and that nobody else is given: no other process of tests, and
    no connection that goes out."""
    while True:
        address = "127.0.0.1", next(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(address)
            return f"{address[0]}:{address[1]}"


def listens(address: str) -> bool:
    """Whether somebody takes connections at HOST:PORT."""
    host, port = address.split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def _claimed_ports() -> Iterator[int]:
    """The ports of one of the blocks below those that the system gives away, in turn: what was just let go of comes
    last. The block is this process's until it ends, by a name that only one can have."""
    claim = socket.socket(socket.AF_UNIX)
    for block in random.sample(_BLOCKS, len(_BLOCKS)):
        with suppress(OSError):
            claim.bind(f"\0clearcanvas-tests-{block.start}")
            break
    else:
        raise AssertionError("every block of ports is taken")
    while True:  # What claims the block lives as long as this does.
        yield from block


_BLOCKS = [range(first, first + 250) for first in range(10_000, 32_500, 250)]
_PORTS = _claimed_ports()


@contextmanager
def running(
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    stop_signal: signal.Signals = signal.SIGTERM,
    **options: Any,
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs `command` with its output in `log`; the signal at the end, and an error when that does not end it in 15 s.

    `options` are those of `subprocess.Popen`.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            **options,
        )
    try:
        yield process
    finally:
        process.send_signal(stop_signal)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
            process.wait()
            raise AssertionError(f"{command} did not stop; its output:\n{tail(log)}") from None


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs a program of this project."""
    return [sys.executable, "-m", name, *arguments]


def wait_until(condition: Callable[[], bool], what: str, limit_s: float = 60) -> None:
    """Polls `condition`; fails after `limit_s` seconds with `what` did not come true."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit_s:.0f} s: {what}")
        time.sleep(0.05)


async def eventually(condition: Callable[[], bool], what: str, limit_s: float = 60) -> None:
    """`wait_until` for tests that have work of their own going on."""
    try:
        async with asyncio.timeout(limit_s):
            while not condition():  # noqa: ASYNC110 - what is waited for lies in other processes.
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {limit_s:.0f} s: {what}") from None


def workers_of(server: psutil.Process, niceness: int) -> list[psutil.Process]:
    """The children of a server's fork server that give way to it by so much; those that just end are left out."""
    found = []
    for worker in [worker for child in server.children() for worker in child.children()]:
        with suppress(psutil.NoSuchProcess):
            if worker.nice() - server.nice() == niceness:
                found.append(worker)
    return found


def shared_memory_of_the_dead() -> set[str]:
    """Names of the segments that no living process owns: ours carry the owner's pid, semaphores are mapped."""
    left = {path.name for path in SHARED_MEMORY.glob("sem.mp-*")} - _mapped_semaphores()
    for path in SHARED_MEMORY.glob("clearcanvas-*"):
        pids = [int(part) for part in path.name.split("-")[1:3] if part.isdecimal()]
        if not any(psutil.pid_exists(pid) for pid in pids[:1]):
            left.add(path.name)
    return left


def _mapped_semaphores() -> set[str]:
    maps = set()
    for process in psutil.process_iter():
        try:
            maps |= {mapping.path.rpartition("/")[2] for mapping in process.memory_maps() if "/sem.mp-" in mapping.path}
        except psutil.Error:
            continue
    return maps


def tail(log: Path, lines: int = 40) -> str:
    """The last lines of a program's output."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
