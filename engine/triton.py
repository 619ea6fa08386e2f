"""A running tritonserver with its stubs, from its start to its end."""

import contextlib
import logging
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

from cards.target import Target
from engine.launch import STUB, Launch
from engine.shm import SHM, shm_prefix, sweep_shm

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stub:
    """A process that runs one instance of a version. `region`: name of its shared memory. `cpu_s`: CPU time spent."""

    pid: int
    target: Target
    region: str
    cpu_s: float


class TritonProcess:
    """A running tritonserver and its stubs, one process group."""

    def __init__(self, launch: Launch) -> None:
        self._log = launch.log
        with launch.log.open("ab") as log:
            self._log_start = log.tell()
            self._child = subprocess.Popen(
                launch.command(),
                env=launch.variables(),
                cwd=launch.folder / "cwd",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        self.pid = self._child.pid

    def alive(self) -> bool:
        """Whether tritonserver itself has not ended."""
        return self._child.poll() is None

    def complaint(self) -> str:
        """The last error that this Triton logged, for a message."""
        text = self._log.read_bytes()[self._log_start :].decode(errors="replace")
        errors = [line for line in text.splitlines() if line.startswith("E")]
        return errors[-1] if errors else f"see {self._log}"

    def stubs(self) -> list[Stub]:
        """The stubs that live."""
        return [stub for child in self._children() if (stub := _stub(child))]

    def kill_stubs(self, target: Target) -> None:
        """Kill the stubs of one version."""
        for stub in self.stubs():
            if stub.target == target:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(stub.pid, signal.SIGKILL)

    def regions(self) -> set[str]:
        """Names of the shared memory that this Triton holds or has forgotten."""
        return {region.name for region in SHM.glob(f"{shm_prefix()}*")}

    def forget(self, regions: set[str]) -> None:
        """Remove those of `regions` that no living stub uses: Triton leaves a dead stub's behind."""
        for name in regions - {stub.region for stub in self.stubs()}:
            (SHM / name).unlink(missing_ok=True)

    def _children(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.pid).children()
        except psutil.NoSuchProcess:
            return []

    def terminate(self, *, patience_s: float) -> None:
        """End the whole group: politely for `patience_s`, then for certain, and take its shared memory away."""
        # With a dead stub Triton's own end hangs; it does not reap one, so it shows as a zombie.
        if patience_s > 0 and self.alive() and not any(map(_is_zombie, self._children())):
            self._child.terminate()
            try:
                self._child.wait(patience_s)
            except subprocess.TimeoutExpired:
                logger.warning("tritonserver did not end in %g s, killing it", patience_s)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._child.wait()
        sweep_shm()


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _stub(process: psutil.Process) -> Stub | None:
    """The process as a stub, None for another or a dead one. Its arguments: `…/<model>/<version>/<file> <region> …`."""
    try:
        words, spent = process.cmdline(), process.cpu_times()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    if len(words) < 3 or not words[0].endswith(STUB):
        return None
    version = Path(words[1]).parent
    target = Target(version.parent.name, int(version.name) if version.name.isdecimal() else 0)
    return Stub(process.pid, target, words[2], spent.user + spent.system)
