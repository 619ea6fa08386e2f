"""Child processes of one stack: started together, watched, and stopped in order."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the kernel's own place for shared memory, not a temporary folder.


class ProgramExitedError(Exception):
    """A program ended although nobody stopped it."""


@dataclass(frozen=True)
class Program:
    """One child: its name in the output, its command, its whole environment, and when it is killed at the latest.

    `stop_by_s` is counted in seconds from the moment the stack began to stop, so that the whole stop is bounded by the
    largest of them.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    stop_by_s: float


class Programs:
    """Keeps what is started while the `async with` block lasts; stops it from the last to the first.

    Each runs in a session of its own, so that a Ctrl-C in the terminal reaches this process alone and the order of
    stopping stays ours; and each is killed by the kernel should this process die without a word.
    """

    def __init__(self, output: TextIO) -> None:
        """`output` receives what the programs print, each line with the program's name before it."""
        self._output = output
        self._children: list[tuple[Program, asyncio.subprocess.Process]] = []
        self._pumps: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stop()

    async def until_exit(self) -> None:
        """Waits until any program ends; raises ProgramExitedError naming it."""
        waiting = {asyncio.create_task(child.wait()): program for program, child in self._children}
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        task = done.pop()
        raise ProgramExitedError(f"{waiting[task].name} {_ending(task.result())}")

    def pid(self, name: str) -> int:
        """The process of the program of that name, which was started."""
        return next(child.pid for program, child in self._children if program.name == name)

    async def start(self, *programs: Program) -> None:
        """Starts programs, in order."""
        for program in programs:
            self._children.append((program, await self._start(program)))

    async def _start(self, program: Program) -> asyncio.subprocess.Process:
        child = await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "KILL", "--", *program.command),
            env=dict(program.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        self._pumps.append(asyncio.create_task(self._copy_output(program.name, child)))
        return child

    async def _stop(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for program, child in reversed(self._children):
            if child.returncode is None:
                child.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout_at(began + program.stop_by_s):
                    await child.wait()
            except TimeoutError:
                print(f"{program.name} did not stop in time and is killed", file=self._output, flush=True)
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                await child.wait()
            _remove_shared_memory(child.pid)
        for pump in self._pumps:
            pump.cancel()  # A grandchild that outlived its parent may hold the pipe open.
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _copy_output(self, name: str, child: asyncio.subprocess.Process) -> None:
        assert child.stdout is not None  # noqa: S101 - it was started with a pipe.
        rest = b""
        while data := await child.stdout.read(65536):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                print(f"{name:>7} | {line.decode(errors='replace')}", file=self._output, flush=True)
        if rest:
            print(f"{name:>7} | {rest.decode(errors='replace')}", file=self._output, flush=True)


def _remove_shared_memory(pid: int) -> None:
    """Removes what a killed program left; one that stopped by itself left nothing. Names carry the program's pid."""
    for path in _SHARED_MEMORY.glob("clearcanvas-*"):
        if str(pid) not in path.name.split("-")[1:3]:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _ending(status: int) -> str:
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"exited with status {status}"
